import type { AttemptOutcome } from './delivery.ts'

/** What the event path of this process has done since it started, and what it is doing: numbers in memory. */
export interface EventCounts {
  /** Attempts that ended, by how; `deferred`: put off without one. */
  readonly attempts: Readonly<Partial<Record<AttemptOutcome | 'deferred', number>>>
  /** Seconds that all attempts together have taken. */
  readonly attemptSeconds: number
  /** Streams taken over from a drain that had stopped renewing its lease. */
  readonly leaseTakeovers: number
  readonly relayBatches: number
  readonly relayedEvents: number
  readonly relayedDeliveries: number
  readonly attemptsInFlight: number
  readonly streamsDraining: number
}

/** Where the parts of the event path say what happened. */
export interface Meters {
  attemptStarted(): void
  attemptEnded(outcome: AttemptOutcome | 'deferred', durationMs: number): void
  leaseTakenOver(): void
  relayed(batch: { readonly events: number; readonly deliveries: number }): void
  drainStarted(): void
  drainEnded(): void
  counts(): EventCounts
}

/** Makes the meters of one process, all at nought. */
export function makeMeters(): Meters {
  const attempts: Partial<Record<AttemptOutcome | 'deferred', number>> = {}
  const sums = {
    attemptSeconds: 0,
    leaseTakeovers: 0,
    relayBatches: 0,
    relayedEvents: 0,
    relayedDeliveries: 0,
    attemptsInFlight: 0,
    streamsDraining: 0,
  }
  return {
    attemptStarted() {
      sums.attemptsInFlight += 1
    },
    attemptEnded(outcome, durationMs) {
      sums.attemptsInFlight -= 1
      sums.attemptSeconds += durationMs / 1000
      attempts[outcome] = (attempts[outcome] ?? 0) + 1
    },
    leaseTakenOver() {
      sums.leaseTakeovers += 1
    },
    relayed({ events, deliveries }) {
      sums.relayBatches += 1
      sums.relayedEvents += events
      sums.relayedDeliveries += deliveries
    },
    drainStarted() {
      sums.streamsDraining += 1
    },
    drainEnded() {
      sums.streamsDraining -= 1
    },
    counts: () => ({ ...sums, attempts: { ...attempts } }),
  }
}
