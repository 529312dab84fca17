import type { EventType } from '../capability/index.ts'
import { hostSource, type StoredEvent } from './event.ts'
import { type FanOutContext, viewOf } from './fan-out.ts'

// Has the form of a merchant's id and is none.
const nobody = 'mer_00000000000000000000000000'

/**
 * The text of a test event: the type's declared example as a receiver with these scopes sees it, marked by the CloudEvents
 * extension attribute `test`. Null: with these scopes nobody sees such an event.
 */
export function testEventText(
  type: EventType,
  granted: readonly string[],
  context: FanOutContext & { readonly id: string; readonly nowMs: number },
): string | null {
  const { id, nowMs } = context
  const event: StoredEvent = {
    ...{
      id,
      source: hostSource,
      type: type.type,
      version: type.version,
      merchantId: nobody,
      subject: 'test',
    },
    data: JSON.stringify(type.example),
    occurredAtMs: nowMs,
    createdAtMs: nowMs,
  }
  const view = viewOf(event, granted, context)
  if (view === null) return null
  const { data, ...attributes } = JSON.parse(view.body.text) as Readonly<Record<string, unknown>>
  // CloudEvents 1.0 §attribute naming: extension attributes are lower-case letters and digits; a Boolean is a type.
  return JSON.stringify({ ...attributes, test: true, data })
}
