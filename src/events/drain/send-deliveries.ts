import { limits } from '../../kernel/index.ts'
import { isFinal } from '../delivery.ts'
import { settleDelivery, tryDelivery } from './attempt-delivery.ts'
import { refill, take, waitMs } from './bucket.ts'
import {
  close,
  type Drain,
  type DrainResult,
  hold,
  isDone,
  isInOrder,
  mustClaim,
  mustRecord,
  unrecordedMax,
} from './drain.ts'
import { next, type PaceSign } from './pace.ts'
import type { DueDelivery } from './store.ts'
import { claimSizeMin } from './tempos.ts'

// RFC 9110 §15.6.4: a 503 "implying that this is a temporary condition" has its Retry-After for every request.
const serviceUnavailable = 503

function concurrencyOf(d: Drain): number {
  if (d.receiver === null) return 0
  const { adaptive, concurrencyMax } = d.receiver
  return adaptive ? Math.min(d.tempo.pace.limit, concurrencyMax) : concurrencyMax
}

/** What an attempt says about how much the receiver bears; null: nothing. */
function signOf({ ending, record }: DrainResult): PaceSign['kind'] | null {
  if (record.attempt === null) return null
  if (ending.kind === 'delivered') return 'success'
  // Without a status it timed out, or no connection came about.
  return ending.kind === 'failed' && (ending.overloaded || ending.status === null) ? 'trouble' : null
}

function learn(d: Drain, result: DrainResult, wasFull: boolean): void {
  const { attempt } = result.record
  const kind = signOf(result)
  if (d.receiver?.adaptive !== true || kind === null || attempt === null) return
  const { startedAtMs, durationMs } = attempt
  const at = { nowMs: startedAtMs + durationMs, limitMax: d.receiver.concurrencyMax }
  d.tempo.pace = next(d.tempo.pace, { kind, startedAtMs, wasFull }, at)
}

/** For how long the answer holds the whole receiver back; 0: it does not. */
function holdMsOf(d: Drain, { ending }: DrainResult): number {
  // Whoever hears of the probe says when the next one is due; should that be lost, they do not come in a burst.
  const probeMs = d.receiver?.probing === true && ending.kind !== 'delivered' ? limits.sweepIntervalMs : 0
  if (ending.kind !== 'failed' || ending.retryAfterMs === null) return probeMs
  if (!ending.overloaded && ending.status !== serviceUnavailable) return probeMs
  return Math.min(Math.max(ending.retryAfterMs, probeMs), limits.drainHoldMsMax)
}

/** A database that is slow to record gets fewer and larger batches. */
function flushMs({ recordMs }: Drain): number {
  return Math.min(Math.max(limits.drainFlushMs, recordMs), limits.drainFlushMsMax)
}

function onResult(d: Drain, result: DrainResult): void {
  learn(d, result, d.inFlight >= concurrencyOf(d))
  d.inFlight -= 1
  d.results.push(result)
  if (isInOrder(d) && !isFinal(result.record.settled.state)) d.line.dropFollowers(result.delivery)
  if (result.ending.kind === 'gone') close(d)
  const holdMs = holdMsOf(d, result)
  if (holdMs > 0) hold(d, d.deps.clock.nowMs() + holdMs)
  d.cancelRecordTimer ??= d.deps.timers.after(flushMs(d), () => {
    d.recordNow = true
    d.signal.raise()
  })
  sendNext(d)
  if (mustClaim(d) || mustRecord(d) || isDone(d)) d.signal.raise()
}

/** What was not started is claimed anew, fewer at a time, when its permissions and its receiver were read too long ago. */
function dropStale(d: Drain): void {
  const isStale = d.deps.clock.nowMs() - d.claimedAtMs > limits.drainFreshMs
  if (!isStale || d.line.waiting() === 0) return
  d.line.clear()
  d.tempo.claimSize = claimSizeMin
  d.mayHaveMore = true
  d.signal.raise()
}

/** Whether the receiver's rate lets an attempt begin now; if not, a timer goes on when it does. */
function mayBegin(d: Drain): boolean {
  const rate = d.receiver?.ratePerSecond ?? null
  if (rate === null) return true
  const nowMs = d.deps.clock.nowMs()
  d.tempo.bucket = refill(d.tempo.bucket, rate, nowMs)
  const delayMs = waitMs(d.tempo.bucket, rate)
  if (delayMs === 0) return true
  if (d.inFlight === 0 && d.deps.othersWait() && delayMs > limits.drainFlushMs) {
    // Others may use the place until then.
    hold(d, nowMs + delayMs)
    d.signal.raise()
    return false
  }
  d.cancelRateTimer ??= d.deps.timers.after(delayMs, () => {
    d.cancelRateTimer = null
    sendNext(d)
    // The lease may have run out meanwhile, and nothing else would end the drain.
    if (isDone(d)) d.signal.raise()
  })
  return false
}

function begin(d: Drain, delivery: DueDelivery): void {
  if (d.receiver === null) return
  if (d.receiver.ratePerSecond !== null) d.tempo.bucket = take(d.tempo.bucket)
  d.inFlight += 1
  void tryDelivery(d.deps, d.receiver, delivery, null).then((tryout) => {
    const { ending, record } = settleDelivery(d.deps, delivery, tryout)
    onResult(d, { ending, record, delivery })
  })
}

/** Begins as many attempts as receiver, rate, order and database bear. */
export function sendNext(d: Drain): void {
  if (d.receiver === null || d.lease.isLost()) return
  dropStale(d)
  while (d.inFlight < concurrencyOf(d) && d.results.length < unrecordedMax) {
    const inOrder = isInOrder(d)
    if (!d.line.hasReady(inOrder) || !mayBegin(d)) return
    const delivery = d.line.take(inOrder)
    if (delivery === undefined) return
    begin(d, delivery)
  }
}
