import { limits } from '../../kernel/index.ts'

// How many attempts one receiver bears at once: additive increase, multiplicative decrease (RFC 5681 §3.1 in the small).
//
//      as many successes in a row as the limit, while it was used up: limit + 1
//        ┌────┐
//        │    ▼
//        steady ◀── the first attempt ends that began after the decrease ──┐
//           │                                                              │
//           └── overloaded, timeout or no connection: half the limit ──▶ easing
//                                             (what began before the decrease says nothing new)
export interface Pace {
  readonly kind: 'steady' | 'easing'
  /** Attempts in flight at once. */
  readonly limit: number
  /** Successes since the limit last changed. */
  readonly successes: number
  /** When the limit was last lowered. */
  readonly easedAtMs: number
}

/** What one attempt says about the receiver. An answer that is neither says nothing. */
export interface PaceSign {
  readonly kind: 'success' | 'trouble'
  readonly startedAtMs: number
  /** No further attempt could have been begun beside it. */
  readonly wasFull: boolean
}

/** Where every receiver begins. */
export const firstPace: Pace = {
  kind: 'steady',
  limit: limits.drainConcurrency,
  successes: 0,
  easedAtMs: Number.NEGATIVE_INFINITY,
}

/** The state machine: what an attempt that has ended changes. */
export function next(
  pace: Pace,
  sign: PaceSign,
  at: { readonly nowMs: number; readonly limitMax: number },
): Pace {
  if (pace.kind === 'easing' && sign.startedAtMs <= pace.easedAtMs) return pace
  if (sign.kind === 'trouble') {
    const limit = Math.max(1, Math.floor(pace.limit / 2))
    return { kind: 'easing', limit, successes: 0, easedAtMs: at.nowMs }
  }
  const steady: Pace = pace.kind === 'steady' ? pace : { ...pace, kind: 'steady' }
  if (!sign.wasFull || pace.limit >= at.limitMax) return steady
  const successes = pace.successes + 1
  return successes < pace.limit
    ? { ...steady, successes }
    : { ...steady, limit: pace.limit + 1, successes: 0 }
}
