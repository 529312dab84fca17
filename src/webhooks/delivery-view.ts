import type { AttemptOutcome, DeliveryState } from '../events/index.ts'

/** One try of a delivery, as its developer sees it. */
export interface AttemptView {
  readonly deliveryId: string
  readonly number: number
  readonly outcome: AttemptOutcome
  readonly status: number | null
  readonly error: string | null
  readonly response: string | null
  readonly log: string | null
  readonly startedAtMs: number
  readonly durationMs: number
}

/** One event for one installation, as its developer sees it. */
export interface DeliveryView {
  readonly id: string
  readonly sequence: bigint
  readonly merchantId: string
  readonly installationId: string
  readonly eventId: string
  readonly eventType: string
  readonly subject: string
  readonly state: DeliveryState
  readonly attempts: number
  /** When the next attempt is due; null when none will be made. */
  readonly dueAtMs: number | null
  readonly createdAtMs: number
  readonly finishedAtMs: number | null
  /** Oldest first. */
  readonly tries: readonly AttemptView[]
}
