const second = 1000
const minute = 60 * second
const hour = 60 * minute

/**
 * How long to wait before attempt 1, 2, … 10: the example of the Standard Webhooks specification. Its sum, 75 h 35 min
 * 5 s, is the horizon.
 */
export const retryDelaysMs: readonly number[] = [
  0,
  5 * second,
  5 * minute,
  30 * minute,
  2 * hour,
  5 * hour,
  10 * hour,
  14 * hour,
  20 * hour,
  24 * hour,
]

/** A delivery is tried for this long, whatever the receiver asks for. */
export const retryHorizonMs = retryDelaysMs.reduce((sum, delayMs) => sum + delayMs, 0)

/** Spreads the retries of deliveries that failed together: each delay is up to a fifth shorter or longer. */
export const jitterShare = 0.2

// A receiver that asks to be called again at once would spend all its attempts in a second.
const retryAfterMsMin = second

export interface FailedAttempt {
  /** Attempts so far, this one included. */
  readonly attempts: number
  readonly createdAtMs: number
  readonly nowMs: number
  /** What the receiver asked for, if anything. */
  readonly retryAfterMs: number | null
  /** In [0, 1): chance. */
  readonly fraction: number
}

/** The delay of the table before the next attempt, with its jitter; null when there is none. */
export function retryDelayMs(attempts: number, fraction: number): number | null {
  const delayMs = retryDelaysMs[attempts]
  if (delayMs === undefined) return null
  return Math.round(delayMs * (1 - jitterShare + 2 * jitterShare * fraction))
}

/**
 * When the next attempt is due, or null when none is left. Retry-After is honoured to the millisecond up to the
 * horizon; a receiver that asks for more is tried at the horizon's end.
 */
export function nextAttemptAtMs(failed: FailedAttempt): number | null {
  const delayMs = retryDelayMs(failed.attempts, failed.fraction)
  if (delayMs === null) return null
  const byTableMs = failed.nowMs + delayMs
  if (failed.retryAfterMs === null) return byTableMs
  const askedMs = failed.nowMs + Math.max(failed.retryAfterMs, retryAfterMsMin)
  const horizonEndMs = failed.createdAtMs + retryHorizonMs
  return askedMs <= horizonEndMs ? askedMs : Math.max(byTableMs, horizonEndMs)
}
