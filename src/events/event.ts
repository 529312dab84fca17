import { toIso } from '../kernel/index.ts'

/** One occurrence, as the outbox holds it. Immutable. */
export interface StoredEvent {
  readonly id: string
  /** URI reference: in whose context it happened. */
  readonly source: string
  readonly type: string
  readonly version: number
  readonly merchantId: string
  readonly subject: string
  /** JSON text with all members. */
  readonly data: string
  readonly occurredAtMs: number
  /** When it was published. */
  readonly createdAtMs: number
}

/** The source of what the platform's own capabilities publish. */
export const hostSource = '/host'

/**
 * The text that every receiver gets and that is signed: CloudEvents 1.0 in the JSON event format, members in this
 * order. `data` is JSON text that may hold fewer members than the event's own.
 */
export function toBodyText(event: StoredEvent, data: string, publicUrl: string): string {
  const attributes = JSON.stringify({
    specversion: '1.0',
    id: event.id,
    // CloudEvents 1.0 §source: "An absolute URI is RECOMMENDED."
    source: new URL(event.source, publicUrl).href,
    type: event.type,
    subject: event.subject,
    time: toIso(event.occurredAtMs),
    datacontenttype: 'application/json',
    dataschema: `${publicUrl}/schemas/events/${event.type}/${event.version}`,
    // An extension attribute: CloudEvents allows lower-case letters and digits only.
    merchantid: event.merchantId,
  })
  return `${attributes.slice(0, -1)},"data":${data}}`
}
