import { setTimeout as sleep } from 'node:timers/promises'
import { isUniqueViolation } from '../../db/index.ts'
import { limits } from '../../kernel/index.ts'
import type { RuleBook, RuleSource } from '../rule-book.ts'
import type { Receiver, RecordedResult, Sink } from '../sink.ts'
import { type AttemptDependencies, type AttemptResult, attemptDelivery } from './attempt-delivery.ts'
import { type Lease, openLease } from './lease.ts'
import { makeSignal, type Signal } from './signal.ts'
import { type DueDelivery, findNextDue, listDue, recordBatch } from './store.ts'

export interface DrainDependencies extends AttemptDependencies {
  /** Names this process in leases. */
  readonly owner: string
  readonly rules: RuleSource
  /** Other streams wait for a place: this one ends its turn. */
  othersWait(): boolean
}

export type DrainEnd =
  /** Another drain has the stream. */
  | { readonly kind: 'held' }
  | { readonly kind: 'drained'; readonly recorded: number; readonly nextDueMs: number | null }

/** A drain from outside. */
export interface RunningDrain {
  readonly ended: Promise<DrainEnd>
  /** There may be more to send. */
  poke(): void
  /** Takes nothing new; ends when what is in flight has been recorded. */
  close(): void
  /** Ends now: what is in flight will be sent again by whoever drains next. */
  abandon(): void
}

/** What one drain has in hand. A delivery is claimed by the lease alone, so dropping one from here costs nothing. */
interface Drain {
  readonly deps: DrainDependencies
  readonly streamId: string
  readonly sink: Sink
  readonly lease: Lease
  readonly signal: Signal
  readonly startedAtMs: number
  receiver: Receiver | null
  /** Claimed and not started. */
  waiting: DueDelivery[]
  claimedAtMs: number
  claimSize: number
  mayHaveMore: boolean
  /** Claims nothing any more. */
  closed: boolean
  abandoned: boolean
  readonly inFlight: Set<string>
  /** Ended and not recorded. */
  results: AttemptResult[]
  recording: readonly AttemptResult[]
  recordTimer: NodeJS.Timeout | null
  recordNow: boolean
  recorded: number
}

const claimSizeMin = 16
const recordAt = 32
const recordRetryMs = 200
// A database slower than the receiver: sending waits for recording.
const unrecordedMax = 2 * limits.drainBatchMax

function mustClaim(d: Drain): boolean {
  return !d.closed && d.mayHaveMore && d.waiting.length * 2 < d.claimSize && d.results.length < unrecordedMax
}

function mustRecord(d: Drain): boolean {
  if (d.results.length === 0) return false
  const nothingElse = d.inFlight.size === 0 && d.waiting.length === 0
  return d.recordNow || nothingElse || d.abandoned || d.results.length >= recordAt
}

function isDone(d: Drain): boolean {
  const nothingToCome = d.abandoned || (d.inFlight.size === 0 && d.waiting.length === 0)
  return nothingToCome && d.results.length === 0 && (d.closed || !d.mayHaveMore)
}

function close(d: Drain): void {
  d.closed = true
  d.waiting = []
}

/** Everything that a new claim must leave out. */
function inHand(d: Drain): readonly string[] {
  const results = [...d.results, ...d.recording].map(({ record }) => record.deliveryId)
  return [...d.waiting.map(({ id }) => id), ...d.inFlight, ...results]
}

function withKeptScopes(delivery: DueDelivery, rules: RuleBook, { publisherId }: Lease): DueDelivery {
  const { appId, merchantId, granted } = delivery
  return { ...delivery, granted: rules.keptScopes(granted, { appId, publisherId, merchantId }) }
}

async function claim(d: Drain): Promise<void> {
  const { clock, db, othersWait } = d.deps
  const nowMs = clock.nowMs()
  if (othersWait() && nowMs - d.startedAtMs > limits.drainTurnMs) return close(d)
  // Before the statements: a poke that comes while they run asks for another claim.
  d.mayHaveMore = false
  const exceptIds = inHand(d)
  const rules = await d.deps.rules()
  if (rules.isHeld(d.lease)) return close(d)
  d.receiver = await d.sink.open({ streamId: d.streamId, appId: d.lease.appId })
  if (d.receiver === null) return close(d)
  const due = await listDue(db.queries, d.streamId, {
    ...{ nowMs, exceptIds, startSequence: d.receiver.startSequence, deliveriesMax: d.claimSize },
    exceptMerchantIds: rules.heldMerchantIds(d.lease),
  })
  if (d.closed) return
  d.waiting.push(...due.map((delivery) => withKeptScopes(delivery, rules, d.lease)))
  d.claimedAtMs = nowMs
  if (due.length < d.claimSize) return
  d.mayHaveMore = true
  d.claimSize = Math.min(limits.drainBatchMax, d.claimSize * 2)
}

function onResult(d: Drain, deliveryId: string, result: AttemptResult): void {
  d.inFlight.delete(deliveryId)
  d.results.push(result)
  if (result.ending.kind === 'gone') close(d)
  d.recordTimer ??= setTimeout(() => {
    d.recordNow = true
    d.signal.raise()
  }, limits.drainFlushMs)
  startNext(d)
  d.signal.raise()
}

function startNext(d: Drain): void {
  const { receiver } = d
  if (receiver === null || d.lease.isLost()) return
  const isStale = d.deps.clock.nowMs() - d.claimedAtMs > limits.drainFreshMs
  if (isStale && d.waiting.length > 0) {
    // Its permissions and its endpoint were read too long ago: what was not started is claimed anew, fewer at a time.
    d.waiting = []
    d.claimSize = claimSizeMin
    d.mayHaveMore = true
    d.signal.raise()
  }
  while (d.inFlight.size < receiver.concurrencyMax && d.results.length < unrecordedMax) {
    const delivery = d.waiting.shift()
    if (delivery === undefined) return
    d.inFlight.add(delivery.id)
    void attemptDelivery(d.deps, receiver, delivery).then((result) => onResult(d, delivery.id, result))
  }
}

/** What the receiver is told: a delivery that was cancelled never reached it. */
function toRecorded({ ending, record }: AttemptResult): readonly RecordedResult[] {
  return ending.kind === 'cancelled' ? [] : [{ outcome: ending, state: record.settled.state }]
}

/** Stores the batch; false when the lease has gone. A database that is away for a moment costs no result. */
async function store(d: Drain, batch: readonly AttemptResult[]): Promise<boolean> {
  const records = batch.map(({ record }) => record)
  for (;;) {
    try {
      const { epoch, appId } = d.lease
      const lease = { epoch, appId, untilMs: d.deps.clock.nowMs() + limits.streamLeaseMs }
      const held = await recordBatch(d.deps.db.queries, d.streamId, lease, records)
      if (held) d.lease.extendTo(lease.untilMs)
      return held
    } catch (error) {
      // The try before this one had been stored, only its answer was lost.
      if (isUniqueViolation(error)) return true
      if (d.lease.isLost() || d.abandoned) throw error
      d.deps.log.warn({ err: error, streamId: d.streamId }, 'events.batch_not_recorded')
      await sleep(recordRetryMs)
    }
  }
}

async function record(d: Drain): Promise<void> {
  if (d.recordTimer !== null) clearTimeout(d.recordTimer)
  d.recordTimer = null
  d.recordNow = false
  const batch = d.results
  d.results = []
  d.recording = batch
  if (!(await store(d, batch))) return d.lease.lose()
  d.recording = []
  d.recorded += batch.length
  try {
    await d.receiver?.recorded?.(batch.flatMap(toRecorded))
  } catch (error) {
    d.deps.log.warn({ err: error, streamId: d.streamId }, 'events.outcomes_not_noted')
  }
}

// Not Promise.all: when one fails, the other must not go on behind the released lease.
async function both(...work: readonly (Promise<void> | undefined)[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === 'rejected') throw result.reason
}

async function loop(d: Drain): Promise<void> {
  for (;;) {
    if (d.lease.isLost()) return
    await both(mustClaim(d) ? claim(d) : undefined, mustRecord(d) ? record(d) : undefined)
    startNext(d)
    if (isDone(d)) return
    if (!mustClaim(d) && !mustRecord(d) && !d.lease.isLost()) await d.signal.wait()
  }
}

async function drainWith(d: Drain): Promise<DrainEnd> {
  const { db, clock } = d.deps
  try {
    await loop(d)
  } finally {
    close(d)
    if (d.recordTimer !== null) clearTimeout(d.recordTimer)
    await d.lease.release()
  }
  // After the release: whoever was turned away by this lease had its delivery committed before, so it is seen here.
  const nextDueMs = await findNextDue(db.queries, d.streamId, clock.nowMs())
  return { kind: 'drained', recorded: d.recorded, nextDueMs }
}

/**
 * Empties one stream: takes its lease, sends what is due with as many attempts in flight as the receiver bears,
 * records the results in batches. `ended` rejects when the database fails; the sweeper comes back to the stream then.
 */
export function drainStream(deps: DrainDependencies, streamId: string, sink: Sink): RunningDrain {
  const signal = makeSignal()
  const wishes = { close: false, abandon: false }
  let drain: Drain | null = null

  async function run(): Promise<DrainEnd> {
    const leaseDeps = { ...deps, queries: deps.db.queries }
    const lease = await openLease(leaseDeps, streamId)
    if (lease === null) return { kind: 'held' }
    const startedAtMs = deps.clock.nowMs()
    drain = {
      ...{ deps, streamId, sink, lease, signal, startedAtMs },
      ...{
        receiver: null,
        waiting: [],
        claimedAtMs: startedAtMs,
        claimSize: claimSizeMin,
        mayHaveMore: true,
      },
      ...{ closed: wishes.close, abandoned: wishes.abandon, inFlight: new Set<string>() },
      ...{ results: [], recording: [], recordTimer: null, recordNow: false, recorded: 0 },
    }
    return drainWith(drain)
  }

  return {
    ended: run(),
    poke() {
      if (drain !== null) drain.mayHaveMore = true
      signal.raise()
    },
    close() {
      wishes.close = true
      if (drain !== null) close(drain)
      signal.raise()
    },
    abandon() {
      wishes.abandon = true
      if (drain !== null) drain.abandoned = true
      signal.raise()
    },
  }
}
