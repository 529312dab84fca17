import { limits } from '../../kernel/index.ts'
import type { RuleSource } from '../rule-book.ts'
import type { Receiver, Sink } from '../sink.ts'
import type { AttemptDependencies, AttemptResult } from './attempt-delivery.ts'
import type { Lease, LeaseDependencies } from './lease/lease.ts'
import { type Line, makeLine } from './line.ts'
import type { Recorder } from './record/recorder.ts'
import type { Signal } from './signal.ts'
import type { DueDelivery } from './store.ts'
import type { Tempo } from './tempos.ts'

export interface DrainDependencies extends AttemptDependencies, Pick<LeaseDependencies, 'owner' | 'timers'> {
  readonly rules: RuleSource
  readonly recorder: Recorder
  /** Other streams wait for a place: this one ends its turn. */
  othersWait(): boolean
}

/** A delivery whose attempt has ended, not yet recorded. */
export interface DrainResult extends AttemptResult {
  readonly delivery: DueDelivery
}

/** What one drain has in hand. A delivery is claimed by the lease alone, so dropping one from here costs nothing. */
export interface Drain {
  readonly deps: DrainDependencies
  readonly streamId: string
  readonly sink: Sink
  readonly lease: Lease
  readonly signal: Signal
  readonly tempo: Tempo
  readonly startedAtMs: number
  receiver: Receiver | null
  readonly line: Line<DueDelivery>
  claimedAtMs: number
  /** When it was last looked for merchants behind the flood of another; and how long to leave that. */
  crowdSeenAtMs: number
  crowdPauseMs: number
  mayHaveMore: boolean
  /** Claims nothing any more; what it has in hand it sends. */
  claimedLast: boolean
  /** Begins nothing any more. */
  closed: boolean
  abandoned: boolean
  /** The receiver wants nothing before. */
  heldUntilMs: number | null
  inFlight: number
  /** Ended and not recorded. */
  results: DrainResult[]
  claiming: Promise<void> | null
  recording: Promise<void> | null
  /** What claiming or recording threw: the drain ends with it. */
  failure: { readonly error: unknown } | null
  cancelRecordTimer: (() => void) | null
  /** How long the last recording took. */
  recordMs: number
  recordNow: boolean
  /** Fires when the receiver's rate lets the next attempt begin. */
  cancelRateTimer: (() => void) | null
  recorded: number
}

// A database slower than the receiver: sending waits for recording.
export const unrecordedMax = 3 * limits.drainBatchMax

/** A drain that has just taken its lease. */
export function newDrain(
  has: Pick<Drain, 'deps' | 'streamId' | 'sink' | 'lease' | 'signal' | 'tempo'>,
  wishes: { readonly close: boolean; readonly abandon: boolean },
): Drain {
  const startedAtMs = has.deps.clock.nowMs()
  return {
    ...has,
    startedAtMs,
    receiver: null,
    line: makeLine(limits.drainSubjectMax),
    claimedAtMs: startedAtMs,
    crowdSeenAtMs: startedAtMs,
    crowdPauseMs: limits.drainCrowdMs,
    mayHaveMore: true,
    claimedLast: false,
    closed: wishes.close,
    abandoned: wishes.abandon,
    heldUntilMs: null,
    inFlight: 0,
    results: [],
    claiming: null,
    recording: null,
    failure: null,
    cancelRecordTimer: null,
    recordMs: 0,
    recordNow: false,
    cancelRateTimer: null,
    recorded: 0,
  }
}

/** Whether the receiver asked for order within each subject. */
export function isInOrder(d: Drain): boolean {
  return d.receiver?.fifo === true
}

/** Begins nothing any more; what is in flight ends and is recorded. */
export function close(d: Drain): void {
  d.closed = true
  d.line.clear()
}

/** As `close`, and nobody has the stream before that time. */
export function hold(d: Drain, untilMs: number): void {
  d.heldUntilMs = Math.max(d.heldUntilMs ?? 0, untilMs)
  close(d)
}

/** Whether it is time to claim more. */
export function mustClaim(d: Drain): boolean {
  if (d.closed || d.claimedLast || !d.mayHaveMore || d.claiming !== null) return false
  if (d.results.length >= unrecordedMax || d.line.waiting() >= 2 * limits.drainBatchMax) return false
  // The next claim is on its way while this one is sent.
  return d.line.ready(isInOrder(d)) < d.tempo.claimSize
}

/** Whether it is time to record. */
export function mustRecord(d: Drain): boolean {
  if (d.results.length === 0 || d.recording !== null) return false
  if (d.recordNow || d.abandoned || d.results.length >= limits.drainRecordMin) return true
  // Nothing in flight will come to share the statement; or what waits, waits for this to be recorded.
  if (d.inFlight === 0 && d.line.waiting() === 0) return true
  return isInOrder(d) && d.line.waiting() > 0 && !d.line.hasReady(true)
}

/** Whether nothing is left to do. */
export function isDone(d: Drain): boolean {
  if (d.claiming !== null || d.recording !== null) return false
  if (d.failure !== null || d.lease.isLost()) return true
  const nothingToCome = d.abandoned || (d.inFlight === 0 && d.line.waiting() === 0)
  return nothingToCome && d.results.length === 0 && (d.closed || d.claimedLast || !d.mayHaveMore)
}
