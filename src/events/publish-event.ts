import type { Catalog, NewEvent } from '../capability/index.ts'
import {
  type Clock,
  type InputProblem,
  newId,
  present,
  type Random,
  type Transaction,
} from '../kernel/index.ts'
import { type CheckedEvent, checkEvents, type PlacedEvent, type PublisherRule } from './check-events.ts'
import { EventsErrors } from './errors.ts'
import { insertEvents, listByExternalId, type NewEventRow } from './store.ts'

export interface PublishDependencies {
  readonly catalog: Pick<Catalog, 'eventTypes'>
  readonly clock: Clock
  readonly random: Random
}

/** What became of one event that was given to publish. */
export interface PublishedEvent {
  readonly id: string
  /** Its source had published it before, or it stood further up in the same batch: it is that event. */
  readonly repeated: boolean
}

function toRow({ event, version, source, data }: CheckedEvent, ids: PublishDependencies): NewEventRow {
  const nowMs = ids.clock.nowMs()
  return {
    id: newId('event', ids),
    source,
    externalId: event.externalId ?? null,
    type: event.type,
    version,
    merchantId: event.merchantId,
    subject: event.subject,
    data,
    occurredAtMs: event.occurredAtMs ?? nowMs,
    createdAtMs: nowMs,
  }
}

const keyOf = ({ merchantId, source, externalId }: Omit<NewEventRow, 'data' | 'id'>) =>
  JSON.stringify([merchantId, source, externalId])

/** The ids under which the rows that were not inserted are known. */
async function findRepeated(
  tx: Transaction,
  rows: readonly { readonly row: NewEventRow; readonly pointer: string }[],
): Promise<ReadonlyMap<string, string>> {
  if (rows.length === 0) return new Map()
  const found = await listByExternalId(
    tx,
    rows.map(({ row }) => row.merchantId),
    rows.map(({ row }) => ({ source: row.source, externalId: present(row.externalId, 'what conflicts') })),
  )
  const known = new Map(
    found.map((event) => [JSON.stringify([event.merchantId, event.source, event.externalId]), event]),
  )
  const taken: InputProblem[] = []
  const ids = new Map<string, string>()
  for (const { row, pointer } of rows) {
    const event = known.get(keyOf(row))
    // The words do not say whose it is: the same source and id under another merchant is as unknown as it is taken.
    if (event === undefined || event.type !== row.type || event.subject !== row.subject)
      taken.push({
        pointer: `${pointer}/externalId`,
        code: 'taken',
        message: 'is another event of this source',
      })
    else ids.set(row.id, event.id)
  }
  if (taken.length > 0) throw EventsErrors.external_id_taken(undefined, { errors: taken })
  return ids
}

/**
 * Writes events into the outbox in the caller's transaction, in their order, all or none, in two statements at most.
 * The same source and external id again gives the id of the first.
 * @throws events.invalid_event, events.data_too_large, events.external_id_taken
 */
export async function publishEvents(
  tx: Transaction,
  placed: readonly PlacedEvent[],
  deps: PublishDependencies,
  rules: readonly PublisherRule[] = [],
): Promise<readonly PublishedEvent[]> {
  const rows = checkEvents(placed, deps.catalog, rules).map((checked, index) => ({
    row: toRow(checked, deps),
    pointer: placed[index]?.pointer ?? '',
  }))
  const insertedIds = await insertEvents(
    tx,
    rows.map(({ row }) => row),
  )
  const repeatedIds = await findRepeated(
    tx,
    rows.filter(({ row }) => !insertedIds.has(row.id)),
  )
  return rows.map(({ row: { id } }) => {
    const knownId = repeatedIds.get(id)
    return knownId === undefined ? { id, repeated: false } : { id: knownId, repeated: true }
  })
}

/**
 * As `publishEvents`, for one: gives its id.
 * @throws events.invalid_event, events.data_too_large, events.external_id_taken
 */
export async function publishEvent(
  tx: Transaction,
  event: NewEvent,
  deps: PublishDependencies,
): Promise<string> {
  const [published] = await publishEvents(tx, [{ pointer: '', event }], deps)
  return present(published, 'the event just published').id
}
