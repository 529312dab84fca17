import type { DeliveryState } from './delivery.ts'

/** Where the deliveries of a stream go. */
export const sinkKinds = ['backend', 'sandbox'] as const

export type SinkKind = (typeof sinkKinds)[number]

/** What a sink is given for one attempt. The permissions have just been checked. */
export interface OutgoingDelivery {
  readonly id: string
  readonly eventId: string
  readonly eventType: string
  readonly subject: string
  readonly merchantId: string
  readonly installationId: string
  readonly appId: string
  readonly streamId: string
  /** Without gaps per stream. */
  readonly sequence: bigint
  /** Counts from 1. */
  readonly attempt: number
  /** The attempt's own time. */
  readonly sentAtMs: number
  /** The replay that sends it; null: live traffic. */
  readonly replayId: string | null
  /** The body says only what happened and where to read it: its data is no longer kept. */
  readonly thin: boolean
  /** The exact text to send. */
  readonly body: string
  /** What the installation's grant holds right now. */
  readonly granted: readonly string[]
  readonly grantEpoch: number
}

interface Tried {
  /** HTTP status, where there is one. */
  readonly status: number | null
  /** `code` or `code: message`, for the developer; null when nothing went wrong. */
  readonly error: string | null
  /** What the receiver answered: the response's body or the handler's result. Cut to its limit when recorded. */
  readonly response: string | null
  /** What a handler wrote to its console. */
  readonly log: string | null
}

/** How one attempt ended. Every expected failure is a value. */
export type Outcome =
  | ({ readonly kind: 'delivered' } & Tried)
  /** To be tried again by the table. `overloaded`: the receiver asks for less (429, 502, 504). */
  | ({ readonly kind: 'failed'; readonly retryAfterMs: number | null; readonly overloaded: boolean } & Tried)
  /** The receiver wants nothing any more (410). */
  | ({ readonly kind: 'gone' } & Tried)
  /** Trying again cannot help. */
  | ({ readonly kind: 'refused' } & Tried)
  /** Was not tried, through no fault of the receiver: comes again after `delayMs`, no attempt is counted. */
  | { readonly kind: 'deferred'; readonly delayMs: number; readonly reason: string }

/** How an attempt ended, and what became of its delivery. */
export interface RecordedResult {
  readonly outcome: Outcome
  readonly state: DeliveryState
}

/** The receiver behind one stream, as it is right now. */
export interface Receiver {
  /** Deliveries before this sequence number are not for it. */
  readonly startSequence: bigint
  /** Attempts in flight at once, at most. */
  readonly concurrencyMax: number
  /** Whether the drain learns how many it bears, from one to that many; else it is always that many. */
  readonly adaptive: boolean
  /** Per subject: the next delivery waits until the one before it has ended. */
  readonly fifo: boolean
  /** Attempts begun per second, at most; null: as many as it bears. */
  readonly ratePerSecond: number | null
  /** One delivery tries whether the receiver is back; the others wait for what comes of it. */
  readonly probing: boolean
  /** One attempt. What it throws is a bug: it counts as failed and is logged. */
  deliver(delivery: OutgoingDelivery): Promise<Outcome>
  /** Hears what was recorded. */
  recorded?(results: readonly RecordedResult[]): Promise<void>
}

/** A way out. webhooks and sandbox implement it; platform.ts passes them in. */
export interface Sink {
  /**
   * Opens the receiver of a stream; null when there is none now. Called anew for each batch, so what it says is never
   * older than that.
   */
  open(stream: { readonly streamId: string; readonly appId: string }): Promise<Receiver | null>
}
