import { assert, unreachable } from '../kernel/index.ts'
import { nextAttemptAtMs } from './retry-schedule.ts'
import type { Outcome } from './sink.ts'

//               ┌── deferred ──┐  (back to the same state, later)
//               │              ▼
//   fan-out ──▶ pending ──delivered──▶ delivered
//               │    │ └──cancelled──▶ cancelled      (permission or subscription gone; uninstall)
//             failed │  └──parked──▶ parked        (its developer took it out of the line)
//               │    └─gone, refused, or failed with no attempt left──▶ exhausted
//               ▼
//            waiting ── the same arrows as pending, failed leads back to waiting
//
//   waiting, exhausted, parked, cancelled ──sent once more by a person or a replay, and received──▶ delivered
export const deliveryStates = ['pending', 'waiting', 'delivered', 'exhausted', 'parked', 'cancelled'] as const

export type DeliveryState = (typeof deliveryStates)[number]

/** Live traffic does not come back to these. */
export function isFinal(state: DeliveryState): boolean {
  return state !== 'pending' && state !== 'waiting'
}

/**
 * When a delivery is due that nobody sends: on a backend stream without an endpoint it waits to be pulled. A time of
 * its own keeps such deliveries out of every search for due ones. 9999-12-31T00:00:00Z.
 */
export const neverDueMs = 253_402_214_400_000

/** One event for one subscription, as far as its fate goes. */
export interface DeliveryProgress {
  readonly state: DeliveryState
  readonly attempts: number
  readonly createdAtMs: number
}

/** What an attempt's row says about how it ended. */
export const attemptOutcomes = ['delivered', 'failed', 'gone', 'refused', 'cancelled'] as const

export type AttemptOutcome = (typeof attemptOutcomes)[number]

/** The sinks' outcomes, and the one that the check before sending has. */
export type Ending = Outcome | { readonly kind: 'cancelled' }

/** The new row of a delivery after an attempt. */
export interface Settled {
  readonly state: DeliveryState
  readonly attempts: number
  readonly dueAtMs: number
  readonly finishedAtMs: number | null
  readonly lastOutcome: AttemptOutcome | 'deferred'
}

function finished(
  state: DeliveryState,
  attempts: number,
  nowMs: number,
  lastOutcome: AttemptOutcome,
): Settled {
  return { state, attempts, dueAtMs: nowMs, finishedAtMs: nowMs, lastOutcome }
}

/** The state machine: what becomes of a delivery. `fraction` in [0, 1) is chance, for the jitter. */
export function next(
  delivery: DeliveryProgress,
  ending: Ending,
  at: { readonly nowMs: number; readonly fraction: number },
): Settled {
  assert(!isFinal(delivery.state), `a delivery that is ${delivery.state} is not attempted`)
  const attempts = delivery.attempts + 1
  switch (ending.kind) {
    case 'delivered':
      return finished('delivered', attempts, at.nowMs, 'delivered')
    case 'gone':
    case 'refused':
      return finished('exhausted', attempts, at.nowMs, ending.kind)
    case 'cancelled':
      return finished('cancelled', delivery.attempts, at.nowMs, 'cancelled')
    case 'deferred':
      return {
        state: delivery.state,
        attempts: delivery.attempts,
        dueAtMs: at.nowMs + ending.delayMs,
        finishedAtMs: null,
        lastOutcome: 'deferred',
      }
    case 'failed': {
      const dueAtMs = nextAttemptAtMs({
        attempts,
        createdAtMs: delivery.createdAtMs,
        nowMs: at.nowMs,
        retryAfterMs: ending.retryAfterMs,
        fraction: at.fraction,
      })
      if (dueAtMs === null) return finished('exhausted', attempts, at.nowMs, 'failed')
      return { state: 'waiting', attempts, dueAtMs, finishedAtMs: null, lastOutcome: 'failed' }
    }
    default:
      return unreachable(ending)
  }
}
