import { execute, sql } from '../../db/index.ts'
import { type DbTime, type Queries, type Transaction, toDate } from '../../kernel/index.ts'
import type { StoredEvent } from '../event.ts'
import type { Body, LiveSubscription, PlannedDelivery } from '../fan-out.ts'
import type { SinkKind } from '../sink.ts'
import { type EventRow, toEvent } from '../store.ts'

// Names the lock among all advisory locks of this database.
const relayLockSpace = 0x53_54_4f_41

/** Across tenants: one relay at a time per shard of merchants. Held until the transaction ends. */
export async function tryRelayLock(tx: Transaction, shard: number): Promise<boolean> {
  const [row] = await sql<{ taken: boolean }>(
    tx,
    'select pg_try_advisory_xact_lock($1::int, $2::int) as taken',
    relayLockSpace,
    shard,
  )
  return row?.taken === true
}

/** Across tenants: whether the outbox holds anything. */
export async function hasUnrelayed(q: Queries): Promise<boolean> {
  const [row] = await sql<{ found: boolean }>(
    q,
    'select exists (select 1 from event where relayed_at is null) as found',
  )
  return row?.found === true
}

/**
 * Across tenants: the oldest unrelayed events in the order of their rows, at most `eventsMax` and about `bytesMax` of
 * data, one at least. Found by relayed_at and not by a cursor: an event that became visible late is still there.
 */
export async function listUnrelayed(
  tx: Transaction,
  bounds: { readonly eventsMax: number; readonly bytesMax: number },
): Promise<{ readonly events: readonly StoredEvent[]; readonly mayHaveMore: boolean }> {
  const rows = await sql<EventRow & { readonly found: bigint }>(
    tx,
    `select id, source, type, version, merchant_id, subject, data, occurred_at, created_at, found
     from (select e.*, count(*) over () as found,
             sum(octet_length(data)) over (order by seq) - octet_length(data) as bytes_before
           from (select * from event where relayed_at is null order by seq limit $1::int) e) numbered
     where bytes_before < $2::int order by seq`,
    bounds.eventsMax,
    bounds.bytesMax,
  )
  const found = Number(rows[0]?.found ?? 0)
  return { events: rows.map(toEvent), mayHaveMore: found === bounds.eventsMax || found > rows.length }
}

interface SubscriptionRow {
  readonly id: string
  readonly merchant_id: string
  readonly installation_id: string
  readonly app_id: string
  readonly publisher_id: string
  readonly stream_id: string
  readonly event_type: string
  readonly event_version: number
  readonly granted: string[]
  readonly live: boolean
  readonly ended_at: DbTime | null
}

/**
 * Subscriptions of these pairs of merchant and event type, with what each grant holds: the live ones, and those that ended at or after `endedSinceMs`.
 */
export async function listSubscriptions(
  tx: Transaction,
  merchantIds: readonly string[],
  search: { readonly eventTypes: readonly string[]; readonly endedSinceMs: number },
): Promise<readonly (LiveSubscription & { readonly publisherId: string })[]> {
  const rows = await sql<SubscriptionRow>(
    tx,
    `select s.id, s.merchant_id, s.installation_id, s.app_id, s.stream_id, s.event_type, s.event_version, s.ended_at,
       (s.ended_at is null and i.state = 'active' and g.revoked_at is null) as live, g.granted, a.publisher_id
     from subscription s
     join installation i on i.id = s.installation_id and i.merchant_id is not distinct from s.merchant_id
     join "grant" g on g.installation_id = s.installation_id and g.merchant_id is not distinct from s.merchant_id
     join app a on a.id = s.app_id and a.archived_at is null
     where (s.ended_at is null or s.ended_at >= $3::timestamptz)
       and (s.merchant_id, s.event_type) in (select * from unnest($1::text[], $2::text[]))
     order by s.id`,
    merchantIds,
    search.eventTypes,
    toDate(search.endedSinceMs),
  )
  return rows.map((row) => ({
    id: row.id,
    merchantId: row.merchant_id,
    installationId: row.installation_id,
    appId: row.app_id,
    publisherId: row.publisher_id,
    streamId: row.stream_id,
    eventType: row.event_type,
    eventVersion: row.event_version,
    granted: row.granted,
    live: row.live,
    endedAtMs: row.ended_at?.getTime() ?? null,
  }))
}

export interface NumberedStream {
  readonly id: string
  readonly sink: SinkKind
  readonly firstSequence: bigint
  /** Its deliveries are to be sent, now or when they can be: a sandbox, or an endpoint that has not stopped. */
  readonly isSent: boolean
  /** Somebody takes them right now: a sandbox, an active endpoint, or a paused one whose probe is due. */
  readonly isAwake: boolean
}

/** Reserves sequence numbers: `counts` of them for each stream. Streams are locked in the order of their ids. */
export async function advanceStreams(
  tx: Transaction,
  streamIds: readonly string[],
  counts: readonly number[],
  nowMs: number,
): Promise<readonly NumberedStream[]> {
  await sql(tx, 'select id from stream where id = any($1::text[]) order by id for update', streamIds)
  // A statement of its own: it sees an endpoint whose creation held the lock until now.
  const rows = await sql<{
    id: string
    sink: SinkKind
    first_sequence: bigint
    endpoint: string | null
    probes: boolean | null
  }>(
    tx,
    `update stream s set next_sequence = s.next_sequence + n.count
     from unnest($1::text[], $2::int[]) as n(id, count) where s.id = n.id
     returning s.id, s.sink, s.next_sequence - n.count as first_sequence,
       (select e.state from endpoint e where e.stream_id = s.id) as endpoint,
       (select e.state = 'paused' and e.probe_at <= $3::timestamptz from endpoint e where e.stream_id = s.id) as probes`,
    streamIds,
    counts,
    toDate(nowMs),
  )
  return rows.map((row) => ({
    id: row.id,
    sink: row.sink,
    firstSequence: row.first_sequence,
    isSent: row.sink === 'sandbox' || (row.endpoint !== null && row.endpoint !== 'stopped'),
    isAwake: row.sink === 'sandbox' || row.endpoint === 'active' || row.probes === true,
  }))
}

/** The texts that deliveries share by their hash. */
export async function insertBodies(tx: Transaction, bodies: readonly Body[]): Promise<void> {
  await execute(
    tx,
    `insert into body (hash, merchant_id, event_id, text, personal, created_at)
     select b.hash, b.merchant_id, b.event_id, b.text, b.personal, b.published_at
     from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bool[], $6::timestamptz[])
       as b(hash, merchant_id, event_id, text, personal, published_at)
     on conflict (hash) do nothing`,
    bodies.map(({ hash }) => hash),
    bodies.map(({ merchantId }) => merchantId),
    bodies.map(({ eventId }) => eventId),
    bodies.map(({ text }) => text),
    bodies.map(({ personal }) => personal),
    bodies.map(({ publishedAtMs }) => toDate(publishedAtMs)),
  )
}

export interface NewDelivery extends PlannedDelivery {
  readonly id: string
  readonly sequence: bigint
  readonly dueAtMs: number
}

export async function insertDeliveries(
  tx: Transaction,
  rows: readonly NewDelivery[],
  nowMs: number,
): Promise<void> {
  await execute(
    tx,
    `insert into delivery (id, merchant_id, installation_id, app_id, stream_id, sequence, subscription_id, event_id,
       event_type, subject, scopes, body_hash, due_at, state, created_at)
     select d.id, d.merchant_id, d.installation_id, d.app_id, d.stream_id, d.sequence, d.subscription_id, d.event_id,
       d.event_type, d.subject, d.scopes::text[], d.body_hash, d.due_at, 'pending', $14::timestamptz
     from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int8[], $7::text[], $8::text[],
         $9::text[], $10::text[], $11::text[], $12::text[], $13::timestamptz[])
       as d(id, merchant_id, installation_id, app_id, stream_id, sequence, subscription_id, event_id,
         event_type, subject, scopes, body_hash, due_at)`,
    rows.map((row) => row.id),
    rows.map((row) => row.merchantId),
    rows.map((row) => row.installationId),
    rows.map((row) => row.appId),
    rows.map((row) => row.streamId),
    rows.map((row) => row.sequence),
    rows.map((row) => row.subscriptionId),
    rows.map((row) => row.eventId),
    rows.map((row) => row.eventType),
    rows.map((row) => row.subject),
    // unnest would flatten an array of arrays: each travels as the text of one.
    rows.map((row) => `{${row.scopes.join(',')}}`),
    rows.map((row) => row.bodyHash),
    rows.map((row) => toDate(row.dueAtMs)),
    toDate(nowMs),
  )
}

/** Across tenants: these events have left the outbox. */
export async function markRelayed(
  tx: Transaction,
  eventIds: readonly string[],
  nowMs: number,
): Promise<void> {
  await execute(
    tx,
    'update event set relayed_at = $2::timestamptz where id = any($1::text[])',
    eventIds,
    toDate(nowMs),
  )
}
