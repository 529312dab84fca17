import { execute, sql } from '../db/index.ts'
import { type DbTime, present, type Queries, type Transaction, toDate } from '../kernel/index.ts'
import { appRuleInForce } from '../rules/index.ts'
import { neverDueMs } from './delivery.ts'
import type { StoredEvent } from './event.ts'
import type { EventRule } from './rule-book.ts'
import type { SinkKind } from './sink.ts'

// ── publish

export interface NewEventRow extends StoredEvent {
  readonly externalId: string | null
}

/** False when this source has already published that external id. Waits for a concurrent publication of the same. */
export async function insertEvent(tx: Transaction, row: NewEventRow): Promise<boolean> {
  const inserted = await sql(
    tx,
    `insert into event (id, source, external_id, type, version, merchant_id, subject, data, occurred_at, created_at)
     values ($1, $2, $3, $4, $5::int, $6, $7, $8, $9::timestamptz, $10::timestamptz)
     on conflict (source, external_id) do nothing returning 1 as one`,
    row.id,
    row.source,
    row.externalId,
    row.type,
    row.version,
    row.merchantId,
    row.subject,
    row.data,
    toDate(row.occurredAtMs),
    toDate(row.createdAtMs),
  )
  return inserted.length > 0
}

/** The event that this merchant published under that source and external id. */
export async function findByExternalId(
  tx: Transaction,
  merchantId: string,
  key: { readonly source: string; readonly externalId: string },
): Promise<{ readonly id: string; readonly type: string; readonly subject: string } | null> {
  const [row] = await sql<{ id: string; type: string; subject: string }>(
    tx,
    'select id, type, subject from event where merchant_id = $1 and source = $2 and external_id = $3',
    merchantId,
    key.source,
    key.externalId,
  )
  return row ?? null
}

// ── streams and subscriptions

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

/** An event from its row. */
export function toEvent(row: EventRow): StoredEvent {
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

/** One event of a merchant, for a body that has to be made anew. */
export async function findEvent(
  q: Queries,
  merchantId: string,
  eventId: string,
): Promise<StoredEvent | null> {
  const [row] = await sql<EventRow>(
    q,
    `select id, source, type, version, merchant_id, subject, data, occurred_at, created_at
     from event where merchant_id = $1 and id = $2`,
    merchantId,
    eventId,
  )
  return row === undefined ? null : toEvent(row)
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
