import { execute, sql } from '../../db/index.ts'
import { type DbTime, type Queries, type Transaction, toDate } from '../../kernel/index.ts'
import type { AttemptOutcome, DeliveryState, Settled } from '../delivery.ts'
import { holdsDeliveries, type RuleColumns } from '../rule-conditions.ts'
import type { SinkKind } from '../sink.ts'

// ── leases

/** Takes a stream that nobody holds; gives the epoch of the new lease, or null. */
export async function takeLease(
  q: Queries,
  streamId: string,
  lease: { readonly owner: string; readonly nowMs: number; readonly untilMs: number },
): Promise<{ readonly epoch: bigint; readonly appId: string; readonly publisherId: string } | null> {
  const [row] = await sql<{ lease_epoch: bigint; app_id: string; publisher_id: string }>(
    q,
    `update stream set lease_owner = $2, lease_until = $4::timestamptz, lease_epoch = lease_epoch + 1
     where id = $1 and paused_at is null
       and not exists (select 1 from app a where a.id = app_id and a.archived_at is not null)
       and (lease_until is null or lease_until < $3::timestamptz)
     returning lease_epoch, app_id, (select a.publisher_id from app a where a.id = app_id)`,
    streamId,
    lease.owner,
    toDate(lease.nowMs),
    toDate(lease.untilMs),
  )
  if (row === undefined) return null
  return { epoch: row.lease_epoch, appId: row.app_id, publisherId: row.publisher_id }
}

/** False: somebody else has taken the stream. */
export async function renewLease(
  q: Queries,
  streamId: string,
  lease: { readonly epoch: bigint; readonly untilMs: number },
): Promise<boolean> {
  const renewed = await execute(
    q,
    'update stream set lease_until = $3::timestamptz where id = $1 and lease_epoch = $2::int8',
    streamId,
    lease.epoch,
    toDate(lease.untilMs),
  )
  return renewed > 0
}

export async function releaseLease(q: Queries, streamId: string, epoch: bigint): Promise<void> {
  await execute(
    q,
    'update stream set lease_owner = null, lease_until = null where id = $1 and lease_epoch = $2::int8',
    streamId,
    epoch,
  )
}

/** Across tenants: for the start of the one process that owns an embedded database. Owners of old leases are dead. */
export async function clearLeases(q: Queries): Promise<void> {
  await execute(q, 'update stream set lease_owner = null, lease_until = null where lease_owner is not null')
}

// ── what is due

const streamRules: RuleColumns = {
  now: '$1',
  app: 's.app_id',
  publisher: 'a.publisher_id',
  merchant: null,
}
const deliveryRules: RuleColumns = { ...streamRules, merchant: 'd.merchant_id' }

// A stream to send from (`s`, with its app `a` and perhaps its endpoint `e`), and a delivery of it that is not held
// (`d`). $1 is the present time. A backend stream without an active endpoint is a log to be pulled: never due.
const sendingStreams = `stream s
  join app a on a.id = s.app_id
  left join endpoint e on e.stream_id = s.id and e.state = 'active'`
const isSending = `s.paused_at is null and a.archived_at is null and (s.sink = 'sandbox' or e.id is not null)
  and not exists (select 1 from rule r where ${holdsDeliveries(streamRules)})`
const isOpen = `d.state in ('pending', 'waiting') and d.sequence >= coalesce(e.start_sequence, 0)
  and not exists (select 1 from rule r where ${holdsDeliveries(deliveryRules)})`

/** Across tenants: streams with something due and no live lease, for the sweeper. */
export async function listDueStreams(
  q: Queries,
  search: { readonly sinks: readonly SinkKind[]; readonly nowMs: number; readonly streamsMax: number },
): Promise<readonly { readonly id: string; readonly sink: SinkKind }[]> {
  return sql<{ id: string; sink: SinkKind }>(
    q,
    `select s.id, s.sink from ${sendingStreams}
     where s.sink = any($2::text[]) and (s.lease_until is null or s.lease_until < $1::timestamptz) and ${isSending}
       and exists (select 1 from delivery d where d.stream_id = s.id and d.due_at <= $1::timestamptz and ${isOpen})
     limit $3::int`,
    toDate(search.nowMs),
    search.sinks,
    search.streamsMax,
  )
}

/** When the stream's next delivery is due, or null when none will be. */
export async function findNextDue(q: Queries, streamId: string, nowMs: number): Promise<number | null> {
  const [row] = await sql<{ due_at: DbTime }>(
    q,
    `select d.due_at from ${sendingStreams} join delivery d on d.stream_id = s.id
     where s.id = $2 and ${isSending} and ${isOpen} order by d.due_at limit 1`,
    toDate(nowMs),
    streamId,
  )
  return row === undefined ? null : row.due_at.getTime()
}

/** A due delivery with everything that sending it needs. */
export interface DueDelivery {
  readonly id: string
  readonly merchantId: string
  readonly installationId: string
  readonly appId: string
  readonly streamId: string
  readonly sequence: bigint
  readonly eventId: string
  readonly eventType: string
  readonly subject: string
  /** The scopes without which its body may not be shown. */
  readonly scopes: readonly string[]
  readonly state: DeliveryState
  readonly attempts: number
  readonly createdAtMs: number
  /** Null: the text is no longer kept. */
  readonly body: string | null
  /** Subscription, installation and grant are alive. */
  readonly live: boolean
  readonly granted: readonly string[]
  readonly grantEpoch: number
}

interface DueRow {
  readonly id: string
  readonly merchant_id: string
  readonly installation_id: string
  readonly app_id: string
  readonly sequence: bigint
  readonly event_id: string
  readonly event_type: string
  readonly subject: string
  readonly scopes: string[]
  readonly state: DeliveryState
  readonly attempts: number
  readonly created_at: DbTime
  readonly text: string | null
  readonly live: boolean
  readonly granted: string[]
  readonly epoch: number
}

export interface DueSearch {
  readonly nowMs: number
  readonly startSequence: bigint
  /** Those that the caller already has in hand. */
  readonly exceptIds: readonly string[]
  /** Their deliveries wait. */
  readonly exceptMerchantIds: readonly string[]
  readonly deliveriesMax: number
}

/**
 * The stream's due deliveries, oldest first, with what the grant holds now. Only reads: the lease is the claim. The few
 * that are taken are chosen first, from one index, and what sending them needs is looked up for these alone.
 */
export async function listDue(
  q: Queries,
  streamId: string,
  search: DueSearch,
): Promise<readonly DueDelivery[]> {
  const rows = await sql<DueRow>(
    q,
    `with due as materialized (
       select id, merchant_id, installation_id, app_id, sequence, event_id, event_type, subject, scopes, state,
         attempts, created_at, due_at, body_hash, subscription_id
       from delivery
       where stream_id = $1 and state in ('pending', 'waiting') and due_at <= $2::timestamptz
         and sequence >= $3::int8 and id <> all($4::text[]) and merchant_id <> all($5::text[])
       order by due_at, sequence limit $6::int
     )
     select d.*, (select b.text from body b where b.hash = d.body_hash) as text,
       (n.ended_at is null and i.state = 'active' and g.id is not null and g.revoked_at is null) as live,
       coalesce(g.granted, '{}') as granted, coalesce(g.epoch, 0) as epoch
     from due d
     join subscription n on n.id = d.subscription_id
     join installation i on i.id = d.installation_id
     left join "grant" g on g.installation_id = d.installation_id and g.merchant_id = d.merchant_id
     order by d.due_at, d.sequence`,
    streamId,
    toDate(search.nowMs),
    search.startSequence,
    search.exceptIds,
    search.exceptMerchantIds,
    search.deliveriesMax,
  )
  return rows.map((row) => ({
    id: row.id,
    merchantId: row.merchant_id,
    installationId: row.installation_id,
    appId: row.app_id,
    streamId,
    sequence: row.sequence,
    eventId: row.event_id,
    eventType: row.event_type,
    subject: row.subject,
    scopes: row.scopes,
    state: row.state,
    attempts: row.attempts,
    createdAtMs: row.created_at.getTime(),
    body: row.text,
    live: row.live,
    granted: row.granted,
    grantEpoch: row.epoch,
  }))
}

/** The delivery shows another body from now on: its grant became narrower. */
export async function replaceBody(
  tx: Transaction,
  streamId: string,
  change: { readonly deliveryId: string; readonly bodyHash: string; readonly scopes: readonly string[] },
): Promise<void> {
  await execute(
    tx,
    'update delivery set body_hash = $3, scopes = $4::text[] where stream_id = $1 and id = $2',
    streamId,
    change.deliveryId,
    change.bodyHash,
    change.scopes,
  )
}

// ── what came of it

/** An attempt that ended, as its two rows will say it. */
export interface AttemptRecord {
  readonly deliveryId: string
  readonly merchantId: string
  readonly settled: Settled
  /** Null for a delivery that was put off without an attempt. */
  readonly attempt: {
    readonly id: string
    readonly number: number
    readonly startedAtMs: number
    readonly durationMs: number
    readonly outcome: AttemptOutcome
    readonly status: number | null
    readonly error: string | null
    readonly response: string | null
    readonly log: string | null
  } | null
}

/**
 * Records a batch in one statement: attempts, new states, and the lease held on. False, and nothing is written, when
 * the lease has gone to somebody else. A delivery that was cancelled meanwhile stays cancelled.
 */
export async function recordBatch(
  q: Queries,
  streamId: string,
  lease: { readonly epoch: bigint; readonly untilMs: number; readonly appId: string },
  records: readonly AttemptRecord[],
): Promise<boolean> {
  const tried = records.flatMap((record) =>
    record.attempt === null ? [] : [{ ...record.attempt, ...{ of: record } }],
  )
  const [row] = await sql<{ held: boolean }>(
    q,
    // The guard comes first and locks the stream: whoever takes the lease over waits for this statement, and this
    // statement, when it has waited for whoever did, finds another epoch and no row.
    `with guard as (
       update stream set lease_until = $4::timestamptz where id = $1 and lease_epoch = $3::int8 returning id
     ), changed as (
       update delivery d set state = r.state, attempts = r.attempts, due_at = r.due_at, finished_at = r.finished_at,
         last_outcome = r.last_outcome
       from guard, unnest($5::text[], $6::text[], $7::int[], $8::timestamptz[], $9::timestamptz[], $10::text[])
         as r(id, state, attempts, due_at, finished_at, last_outcome)
       where d.id = r.id and d.stream_id = $1 and d.state in ('pending', 'waiting')
     ), tried as (
       insert into attempt (id, merchant_id, app_id, stream_id, delivery_id, number, started_at, duration_ms, outcome,
         status, error, response, log)
       select t.id, t.merchant_id, $2, $1, t.delivery_id, t.number, t.started_at, t.duration_ms, t.outcome,
         t.status, t.error, t.response, t.log
       from guard, unnest($11::text[], $12::text[], $13::text[], $14::int[], $15::timestamptz[], $16::int[],
           $17::text[], $18::int[], $19::text[], $20::text[], $21::text[])
         as t(id, merchant_id, delivery_id, number, started_at, duration_ms, outcome, status, error, response, log)
     )
     select exists (select 1 from guard) as held`,
    streamId,
    lease.appId,
    lease.epoch,
    toDate(lease.untilMs),
    records.map(({ deliveryId }) => deliveryId),
    records.map(({ settled }) => settled.state),
    records.map(({ settled }) => settled.attempts),
    records.map(({ settled }) => toDate(settled.dueAtMs)),
    records.map(({ settled }) => (settled.finishedAtMs === null ? null : toDate(settled.finishedAtMs))),
    records.map(({ settled }) => settled.lastOutcome),
    tried.map(({ id }) => id),
    tried.map(({ of }) => of.merchantId),
    tried.map(({ of }) => of.deliveryId),
    tried.map(({ number }) => number),
    tried.map(({ startedAtMs }) => toDate(startedAtMs)),
    tried.map(({ durationMs }) => durationMs),
    tried.map(({ outcome }) => outcome),
    tried.map(({ status }) => status),
    tried.map(({ error }) => error),
    tried.map(({ response }) => response),
    tried.map(({ log }) => log),
  )
  return row?.held === true
}
