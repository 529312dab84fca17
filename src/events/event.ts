import { dataSchemaUrl } from '../capability/index.ts'
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

/** An event as its row is now: the data may be gone, its time being over. */
export type KeptEvent = Omit<StoredEvent, 'data'> & { readonly data: string | null }

/** Whether the event's data is still kept. */
export function isWhole(event: KeptEvent): event is StoredEvent {
  return event.data !== null
}

/** The source of what the platform's own capabilities publish. */
export const hostSource = '/host'

function attributesOf(event: KeptEvent, publicUrl: string) {
  return {
    specversion: '1.0',
    id: event.id,
    // CloudEvents 1.0 §source: "An absolute URI is RECOMMENDED."
    source: new URL(event.source, publicUrl).href,
    type: event.type,
    subject: event.subject,
    time: toIso(event.occurredAtMs),
    datacontenttype: 'application/json',
    dataschema: dataSchemaUrl(event, publicUrl),
    // An extension attribute: CloudEvents allows lower-case letters and digits only.
    merchantid: event.merchantId,
  }
}

/**
 * The text that every receiver gets and that is signed: CloudEvents 1.0 in the JSON event format, members in this
 * order. `data` is JSON text that may hold fewer members than the event's own.
 */
export function toBodyText(event: KeptEvent, data: string, publicUrl: string): string {
  const attributes = JSON.stringify(attributesOf(event, publicUrl))
  return `${attributes.slice(0, -1)},"data":${data}}`
}

/**
 * What goes out once the event's data is no longer kept: the same attributes without `data`, and where its subject can
 * be read now, when the event type says so.
 */
export function toThinBodyText(event: KeptEvent, resourcePath: string | null, publicUrl: string): string {
  const attributes = attributesOf(event, publicUrl)
  if (resourcePath === null) return JSON.stringify(attributes)
  // CloudEvents, extension dataref: "A reference to a location where the event payload is stored. The location MAY not
  // be accessible without further information (e.g. a pre-shared secret)." Here: an access token with the scope.
  const dataref = publicUrl + resourcePath.replace('{subject}', encodeURIComponent(event.subject))
  return JSON.stringify({ ...attributes, dataref })
}
