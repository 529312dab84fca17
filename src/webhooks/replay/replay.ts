import type { DeliveryState } from '../../events/index.ts'

//   create ──▶ running ──the last delivery has been sent──▶ done
//                 └──cancel; its endpoint has stopped or is gone──▶ cancelled
//
// While its endpoint is paused or unverified, or the platform holds the app's deliveries back, a running replay waits.
export const replayStates = ['running', 'done', 'cancelled'] as const

export type ReplayState = (typeof replayStates)[number]

/** What can be sent again: live traffic does not come back to these by itself. */
export const replayableStates = [
  'delivered',
  'exhausted',
  'parked',
  'cancelled',
] as const satisfies readonly DeliveryState[]

export type ReplayableState = (typeof replayableStates)[number]

/** When nothing else is asked for: what never arrived. */
export const defaultStates: readonly ReplayableState[] = ['exhausted', 'parked']

/** Which deliveries are sent again. Stored as JSON: times as text. */
export interface ReplayFilter {
  readonly from: string | null
  readonly to: string | null
  readonly states: readonly ReplayableState[]
  readonly eventTypes: readonly string[] | null
  readonly merchantId: string | null
  /** The one delivery that a person sent again; null: a replay of many. */
  readonly deliveryId: string | null
}

export interface ReplayProgress {
  readonly total: number
  readonly delivered: number
  readonly failed: number
  readonly skipped: number
}

/** A replay as its developer sees it. */
export interface ReplayView extends ReplayProgress {
  readonly id: string
  readonly publisherId: string
  readonly appId: string
  readonly streamId: string
  readonly filter: ReplayFilter
  readonly ratePerSecond: number
  readonly state: ReplayState
  readonly createdBy: string
  readonly createdAtMs: number
  readonly finishedAtMs: number | null
}

/** Deliveries that have been dealt with. */
export function doneOf({ delivered, failed, skipped }: ReplayProgress): number {
  return delivered + failed + skipped
}

/** Seconds until the end at the rate asked for; slower when the receiver is. Null: it has ended. */
export function etaSecondsOf(replay: ReplayView): number | null {
  if (replay.state !== 'running') return null
  return Math.ceil(Math.max(0, replay.total - doneOf(replay)) / replay.ratePerSecond)
}
