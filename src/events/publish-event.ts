import type { Catalog, NewEvent } from '../capability/index.ts'
import {
  type Clock,
  type InputProblem,
  limits,
  newId,
  type Random,
  type Transaction,
} from '../kernel/index.ts'
import { EventsErrors } from './errors.ts'
import { hostSource } from './event.ts'
import { findByExternalId, insertEvent } from './store.ts'

export interface PublishDependencies {
  readonly catalog: Pick<Catalog, 'eventTypes'>
  readonly clock: Clock
  readonly random: Random
}

// PostgreSQL's text holds no NUL; other control characters have no place in an id either.
const plainText = /^[^\p{Cc}]+$/u

function checkText(pointer: string, text: string, lengthMax: number): readonly InputProblem[] {
  if (text.length <= lengthMax && plainText.test(text)) return []
  return [
    { pointer, code: 'text', message: `must be 1 to ${lengthMax} characters without control characters` },
  ]
}

function checkAttributes(event: NewEvent, source: string): readonly InputProblem[] {
  const isReference = URL.canParse(source, 'https://example.com')
  return [
    ...checkText('/subject', event.subject, limits.eventAttributeLengthMax),
    ...checkText('/source', source, limits.eventAttributeLengthMax),
    ...(event.externalId === undefined
      ? []
      : checkText('/externalId', event.externalId, limits.eventAttributeLengthMax)),
    ...(isReference
      ? []
      : [{ pointer: '/source', code: 'uri-reference', message: 'must be a URI reference' }]),
  ]
}

/**
 * Writes an event into the outbox in the caller's transaction and gives its id. The same source and external id again
 * gives the id of the first.
 * @throws events.unknown_type, events.invalid_event, events.data_too_large, events.external_id_taken
 */
export async function publishEvent(
  tx: Transaction,
  event: NewEvent,
  { catalog, clock, random }: PublishDependencies,
): Promise<string> {
  const type = catalog.eventTypes.get(event.type)
  if (type === undefined)
    throw EventsErrors.unknown_type(`there is no event type ${JSON.stringify(event.type)}`)
  const source = event.source ?? hostSource
  const errors = [
    ...checkAttributes(event, source),
    ...type.checkData(event.data).map((problem) => ({ ...problem, pointer: `/data${problem.pointer}` })),
  ]
  if (errors.length > 0) throw EventsErrors.invalid_event(`the event is no valid ${event.type}`, { errors })
  const data = JSON.stringify(event.data)
  if (Buffer.byteLength(data) > limits.eventDataBytesMax)
    throw EventsErrors.data_too_large(`data may have ${limits.eventDataBytesMax} bytes of JSON`)

  const nowMs = clock.nowMs()
  const row = {
    id: newId('event', { clock, random }),
    source,
    externalId: event.externalId ?? null,
    type: event.type,
    version: type.version,
    merchantId: event.merchantId,
    subject: event.subject,
    data,
    occurredAtMs: event.occurredAtMs ?? nowMs,
    createdAtMs: nowMs,
  }
  if ((await insertEvent(tx, row)) || row.externalId === null) return row.id

  const known = await findByExternalId(tx, row.merchantId, { source, externalId: row.externalId })
  // The words do not say whose it is: the same source and id under another merchant is as unknown as it is taken.
  if (known === null || known.type !== row.type || known.subject !== row.subject)
    throw EventsErrors.external_id_taken()
  return known.id
}
