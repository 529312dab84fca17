import type { AttemptOutcome, DeliveryState, SinkKind } from '../events/index.ts'

/** One try of a delivery, as its developer sees it. */
export interface AttemptView {
  readonly deliveryId: string
  readonly number: number
  readonly outcome: AttemptOutcome
  /** What sent it once more; null: live traffic. */
  readonly replayId: string | null
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

/** A delivery with the text it carries. */
export interface DeliveryDetail extends DeliveryView {
  readonly publisherId: string
  readonly streamId: string
  readonly sink: SinkKind
  /** Null: its time is over, and it was removed. */
  readonly body: StoredBody | null
  /** The installation's grant still covers what the body shows. */
  readonly covered: boolean
}

export interface StoredBody {
  readonly text: string
  readonly sha256: string
  /** Shows personal data of the merchant's customers. */
  readonly personal: boolean
}
