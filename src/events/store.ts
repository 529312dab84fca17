import { execute, sql } from '../db/index.ts'
import { type DbTime, present, type Queries, type Transaction, toDate } from '../kernel/index.ts'
import { appRuleInForce } from '../rules/index.ts'
import { neverDueMs } from './delivery.ts'
import type { KeptEvent, StoredEvent } from './event.ts'
import type { EventRule } from './rule-book.ts'
import type { SinkKind } from './sink.ts'

// ── publish

export interface NewEventRow extends StoredEvent {
  readonly externalId: string | null
}

/**
 * Inserts the rows in their order and gives the ids of those that are new: not those whose source has already published
 * that external id. Waits for a concurrent publication of the same.
 */
export async function insertEvents(
  tx: Transaction,
  rows: readonly NewEventRow[],
): Promise<ReadonlySet<string>> {
  // The outbox keeps the order of seq, so numbers are taken in the order of the rows. Inserting goes in the order of the
  // key that two batches may share: they wait for each other, but never in a circle.
  const inserted = await sql<{ id: string }>(
    tx,
    `with numbered as materialized (
       select e.*, nextval('event_seq_seq') as seq
       from (select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::text[], $7::text[],
           $8::text[], $9::timestamptz[], $10::timestamptz[]) with ordinality
         as e(id, source, external_id, type, version, merchant_id, subject, data, occurred_at, created_at, place)
         order by place) e
     )
     insert into event (id, seq, source, external_id, type, version, merchant_id, subject, data, occurred_at, created_at)
     select id, seq, source, external_id, type, version, merchant_id, subject, data, occurred_at, created_at
     from numbered order by source, external_id, place
     on conflict (source, external_id) do nothing returning id`,
    rows.map(({ id }) => id),
    rows.map(({ source }) => source),
    rows.map(({ externalId }) => externalId),
    rows.map(({ type }) => type),
    rows.map(({ version }) => version),
    rows.map(({ merchantId }) => merchantId),
    rows.map(({ subject }) => subject),
    rows.map(({ data }) => data),
    rows.map(({ occurredAtMs }) => toDate(occurredAtMs)),
    rows.map(({ createdAtMs }) => toDate(createdAtMs)),
  )
  return new Set(inserted.map(({ id }) => id))
}

export interface ExternalKey {
  readonly source: string
  readonly externalId: string
}

/** The events that these merchants have published under these sources and external ids, place by place. */
export async function listByExternalId(
  tx: Transaction,
  merchantIds: readonly string[],
  keys: readonly ExternalKey[],
): Promise<
  readonly (ExternalKey & {
    readonly id: string
    readonly merchantId: string
    readonly type: string
    readonly subject: string
  })[]
> {
  return sql(
    tx,
    `select e.id, e.merchant_id as "merchantId", e.source, e.external_id as "externalId", e.type, e.subject
     from unnest($1::text[], $2::text[], $3::text[]) as k(merchant_id, source, external_id)
     join event e using (merchant_id, source, external_id)`,
    merchantIds,
    keys.map(({ source }) => source),
    keys.map(({ externalId }) => externalId),
  )
}

/** Those of these merchants that exist. */
export async function listKnownMerchants(
  tx: Transaction,
  merchantIds: readonly string[],
): Promise<readonly string[]> {
  const rows = await sql<{ id: string }>(
    tx,
    'select id from merchant where id = any($1::text[])',
    merchantIds,
  )
  return rows.map(({ id }) => id)
}

/** The app's own stream for this sink. */
export async function findAppStream(tx: Transaction, appId: string, sink: SinkKind): Promise<string | null> {
  const [row] = await sql<{ id: string }>(
    tx,
    `select id from stream where app_id = $1 and sink = $2 and owner_kind = 'app'`,
    appId,
    sink,
  )
  return row?.id ?? null
}

/** Waits for other transactions that hold this lock; those that only refer to the app are not kept waiting. */
export async function lockApp(tx: Transaction, appId: string): Promise<void> {
  await sql(tx, 'select 1 as one from app where id = $1 for no key update', appId)
}

export async function insertAppStream(
  tx: Transaction,
  appId: string,
  stream: { readonly id: string; readonly sink: SinkKind; readonly nowMs: number },
): Promise<void> {
  await execute(
    tx,
    `insert into stream (id, owner_kind, app_id, sink, created_at) values ($2, 'app', $1, $3, $4::timestamptz)`,
    appId,
    stream.id,
    stream.sink,
    toDate(stream.nowMs),
  )
}

/**
 * Locks the stream until the transaction ends, and gives its next sequence number: no delivery comes in between. Taken
 * before any row of its deliveries is changed, as relay and drain do, it keeps deadlocks away.
 */
export async function lockStream(tx: Transaction, streamId: string): Promise<bigint> {
  const [row] = await sql<{ next_sequence: bigint }>(
    tx,
    'select next_sequence from stream where id = $1 for update',
    streamId,
  )
  return present(row, `stream ${streamId}`).next_sequence
}

/** What has not been delivered waits to be pulled from now on: the stream has lost its endpoint. Lock it before. */
export async function leaveToPull(tx: Transaction, streamId: string): Promise<void> {
  await execute(
    tx,
    `update delivery set due_at = $2::timestamptz where stream_id = $1 and state in ('pending', 'waiting')`,
    streamId,
    toDate(neverDueMs),
  )
}

export interface NewSubscription {
  readonly merchantId: string
  readonly installationId: string
  readonly appId: string
  readonly streamId: string
  readonly eventType: string
  readonly eventVersion: number
}

/** The installation's live subscription of this type on this stream; a known one takes the version over. */
export async function upsertSubscription(
  tx: Transaction,
  row: NewSubscription,
  { id, nowMs }: { readonly id: string; readonly nowMs: number },
): Promise<string> {
  const [known] = await sql<{ id: string }>(
    tx,
    `update subscription set event_version = $5::int
     where merchant_id = $1 and installation_id = $2 and stream_id = $3 and event_type = $4 and ended_at is null
     returning id`,
    row.merchantId,
    row.installationId,
    row.streamId,
    row.eventType,
    row.eventVersion,
  )
  if (known !== undefined) return known.id
  await execute(
    tx,
    `insert into subscription
       (id, merchant_id, installation_id, app_id, stream_id, event_type, event_version, created_at)
     values ($1, $2, $3, $4, $5, $6, $7::int, $8::timestamptz)`,
    id,
    row.merchantId,
    row.installationId,
    row.appId,
    row.streamId,
    row.eventType,
    row.eventVersion,
    toDate(nowMs),
  )
  return id
}

/** Ends the installation's subscriptions except the kept ones, and cancels what these have not delivered. */
export async function endSubscriptionsOf(
  tx: Transaction,
  merchantId: string,
  {
    installationId,
    keptIds,
    nowMs,
  }: { readonly installationId: string; readonly keptIds: readonly string[]; readonly nowMs: number },
): Promise<void> {
  // Streams first, in the order in which relay and drain lock them: no deadlock with a batch that is being recorded.
  const streams = await sql<{ id: string }>(
    tx,
    `select id from stream where id in
       (select stream_id from subscription where merchant_id = $1 and installation_id = $2 and ended_at is null)
     order by id for update`,
    merchantId,
    installationId,
  )
  await execute(
    tx,
    `update subscription set ended_at = $3::timestamptz
     where merchant_id = $1 and installation_id = $2 and ended_at is null and id <> all($4::text[])`,
    merchantId,
    installationId,
    toDate(nowMs),
    keptIds,
  )
  await execute(
    tx,
    `update delivery set state = 'cancelled', finished_at = $4::timestamptz, last_outcome = 'cancelled'
     where merchant_id = $1 and installation_id = $2 and stream_id = any($3::text[])
       and state in ('pending', 'waiting') and subscription_id <> all($5::text[])`,
    merchantId,
    installationId,
    streams.map(({ id }) => id),
    toDate(nowMs),
    keptIds,
  )
}

// ── events

export interface EventRow {
  readonly id: string
  readonly source: string
  readonly type: string
  readonly version: number
  readonly merchant_id: string
  readonly subject: string
  readonly data: string
  readonly occurred_at: DbTime
  readonly created_at: DbTime
}

type KeptEventRow = Omit<EventRow, 'data'> & { readonly data: string | null }

function toKeptEvent(row: KeptEventRow): KeptEvent {
  return {
    id: row.id,
    source: row.source,
    type: row.type,
    version: row.version,
    merchantId: row.merchant_id,
    subject: row.subject,
    data: row.data,
    occurredAtMs: row.occurred_at.getTime(),
    createdAtMs: row.created_at.getTime(),
  }
}

/** An event from its row, as long as nothing of it has been removed. */
export function toEvent(row: EventRow): StoredEvent {
  return { ...toKeptEvent(row), data: row.data }
}

/** One event of a merchant, for a body that has to be made anew. */
export async function findEvent(q: Queries, merchantId: string, eventId: string): Promise<KeptEvent | null> {
  const [row] = await sql<KeptEventRow>(
    q,
    `select id, source, type, version, merchant_id, subject, data, occurred_at, created_at
     from event where merchant_id = $1 and id = $2`,
    merchantId,
    eventId,
  )
  return row === undefined ? null : toKeptEvent(row)
}

// ── rules

/** Across tenants: every rule in force that can touch an event. Few by nature: each is a decision of the staff. */
export async function listRules(q: Queries, nowMs: number): Promise<readonly EventRule[]> {
  const rows = await sql<{
    effect: string
    app_id: string | null
    publisher_id: string | null
    merchant_id: string | null
    scope: string | null
  }>(
    q,
    `select r.effect, r.app_id, r.publisher_id, r.merchant_id, r.scope from rule r
     where ${appRuleInForce('r', '$1')}`,
    toDate(nowMs),
  )
  return rows.map((row) => ({
    effect: row.effect,
    appId: row.app_id,
    publisherId: row.publisher_id,
    merchantId: row.merchant_id,
    scope: row.scope,
  }))
}

// ── what waits

export interface Queues {
  readonly unrelayed: number
  readonly oldestUnrelayedMs: number | null
  readonly due: number
  readonly oldestDueMs: number | null
}

/**
 * Across tenants: what waits for the relay and for the drains. Counts end at `countMax`, and only the small indexes of
 * what is open are read: the cost does not grow with the history.
 */
export async function readQueues(
  q: Queries,
  search: { readonly nowMs: number; readonly countMax: number },
): Promise<Queues> {
  const [row] = await sql<{
    unrelayed: bigint
    oldest_unrelayed: DbTime | null
    due: bigint
    oldest_due: DbTime | null
  }>(
    q,
    `select
       (select count(*) from (select 1 from event where relayed_at is null limit $2::int) e) as unrelayed,
       (select created_at from event where relayed_at is null order by seq limit 1) as oldest_unrelayed,
       due.count as due, due.oldest as oldest_due
     from (
       select count(*) as count, min(open.due_at) as oldest from (
         select d.due_at from stream s
         left join endpoint e on e.stream_id = s.id and e.state = 'active'
         cross join lateral (
           select due_at from delivery
           where stream_id = s.id and state in ('pending', 'waiting') and due_at <= $1::timestamptz
           order by due_at limit $2::int
         ) d
         where s.paused_at is null and (s.sink = 'sandbox' or e.id is not null)
         limit $2::int
       ) open
     ) due`,
    toDate(search.nowMs),
    search.countMax,
  )
  return {
    unrelayed: Number(row?.unrelayed ?? 0),
    oldestUnrelayedMs: row?.oldest_unrelayed?.getTime() ?? null,
    due: Number(row?.due ?? 0),
    oldestDueMs: row?.oldest_due?.getTime() ?? null,
  }
}
