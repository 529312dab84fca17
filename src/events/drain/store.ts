import { execute, sql } from '../../db/index.ts'
import { type DbTime, type Queries, type Transaction, toDate, toIso } from '../../kernel/index.ts'
import { type DeliveryState, neverDueMs } from '../delivery.ts'
import { holdsDeliveries, type RuleColumns } from '../rule-conditions.ts'
import type { SinkKind } from '../sink.ts'

const streamRules: RuleColumns = {
  now: '$1',
  app: 's.app_id',
  publisher: 'a.publisher_id',
  merchant: null,
}
const deliveryRules: RuleColumns = { ...streamRules, merchant: 'd.merchant_id' }

// A stream to send from (`s`, with its app `a` and perhaps its endpoint `e`), and a delivery of it that is not held
// (`d`). $1 is the present time. A backend stream without an endpoint that takes deliveries is a log to be pulled:
// never due. A paused endpoint takes one when its probe is due.
const streamsWith = (endpointTakes: string) => `stream s
  join app a on a.id = s.app_id
  left join endpoint e on e.stream_id = s.id and (e.state = 'active' or (e.state = 'paused' and ${endpointTakes}))`
const isSending = `s.paused_at is null and a.archived_at is null and (s.sink = 'sandbox' or e.id is not null)
  and not exists (select 1 from rule r where ${holdsDeliveries(streamRules)})`
const isOpen = `d.state in ('pending', 'waiting') and d.sequence >= coalesce(e.start_sequence, 0)
  and not exists (select 1 from rule r where ${holdsDeliveries(deliveryRules)})`

// FIFO: of each subject the first delivery that is to be tried later; whatever stands behind it waits for it. Found by
// the index on due times, so that it costs what waits to be tried again and not what stands behind it.
const blockersOf = (stream: string, startSequence: string) => `(
  select merchant_id, subject, min(sequence) as sequence from delivery
  where stream_id = ${stream} and state in ('pending', 'waiting') and sequence >= ${startSequence}
    and due_at > $1::timestamptz and due_at < '${toIso(neverDueMs)}'
  group by merchant_id, subject)`
const isBehind = 'b.merchant_id = d.merchant_id and b.subject = d.subject and b.sequence < d.sequence'

/** Across tenants: streams with something due and no live lease, for the sweeper. */
export async function listDueStreams(
  q: Queries,
  search: { readonly sinks: readonly SinkKind[]; readonly nowMs: number; readonly streamsMax: number },
): Promise<readonly { readonly id: string; readonly sink: SinkKind }[]> {
  return sql<{ id: string; sink: SinkKind }>(
    q,
    `select s.id, s.sink from ${streamsWith('e.probe_at <= $1::timestamptz')}
     where s.sink = any($2::text[]) and (s.lease_until is null or s.lease_until < $1::timestamptz) and ${isSending}
       and case when e.fifo then
         exists (select 1 from delivery d
           left join ${blockersOf('s.id', 'e.start_sequence')} b on ${isBehind}
           where d.stream_id = s.id and d.due_at <= $1::timestamptz and ${isOpen} and b.sequence is null)
       else
         exists (select 1 from delivery d where d.stream_id = s.id and d.due_at <= $1::timestamptz and ${isOpen})
       end
     limit $3::int`,
    toDate(search.nowMs),
    search.sinks,
    search.streamsMax,
  )
}

/** When the stream has something to send next, or null when nothing will be. */
export async function findNextDue(q: Queries, streamId: string, nowMs: number): Promise<number | null> {
  const [row] = await sql<{ due_at: DbTime }>(
    q,
    `select greatest(d.due_at, case when e.state = 'paused' then e.probe_at end) as due_at
     from ${streamsWith('e.probe_at is not null')}
     cross join lateral (
       (select d.due_at from delivery d where not coalesce(e.fifo, false) and d.stream_id = s.id and ${isOpen}
        order by d.due_at limit 1)
       union all
       (select d.due_at from delivery d
        left join ${blockersOf('s.id', 'e.start_sequence')} b on ${isBehind}
        where e.fifo and d.stream_id = s.id and ${isOpen} and b.sequence is null
        order by d.due_at limit 1)) d
     where s.id = $2 and ${isSending}`,
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

/** A row of `withPermissions`. */
export interface DueRow {
  readonly id: string
  readonly merchant_id: string
  readonly installation_id: string
  readonly app_id: string
  readonly sequence: bigint
  readonly event_id: string
  readonly event_type: string
  readonly subject: string
  /** Separated by spaces. */
  readonly scopes: string
  readonly state: DeliveryState
  readonly attempts: number
  readonly created_at: DbTime
  readonly text: string | null
  readonly live: boolean
  /** Separated by spaces. */
  readonly granted: string
  readonly epoch: number
}

/** SQL: the columns of a delivery's own row that sending it needs. */
export const deliveryColumns = `id, merchant_id, installation_id, app_id, sequence, event_id, event_type, subject, scopes, state,
  attempts, created_at, due_at, body_hash, subscription_id`

// An installation has one grant. "=" between the merchants would let the planner walk over all apps of a merchant instead.
/** SQL: the deliveries of a relation `due` with their texts and with what their grants hold now. */
export const withPermissions = `select d.id, d.merchant_id, d.installation_id, d.app_id, d.sequence, d.event_id,
    d.event_type, d.subject, array_to_string(d.scopes, ' ') as scopes, d.state, d.attempts, d.created_at,
    (select b.text from body b where b.hash = d.body_hash) as text,
    (n.ended_at is null and i.state = 'active' and g.id is not null and g.revoked_at is null) as live,
    coalesce(array_to_string(g.granted, ' '), '') as granted, coalesce(g.epoch, 0) as epoch
  from due d
  join subscription n on n.id = d.subscription_id
  join installation i on i.id = d.installation_id
  left join "grant" g on g.installation_id = d.installation_id and g.merchant_id is not distinct from d.merchant_id`

// RFC 6749 §3.3: scope = scope-token *( SP scope-token ). Cheaper than an array: two of them per delivery.
const scopesOf = (text: string): readonly string[] => (text === '' ? [] : text.split(' '))

/** A delivery of this stream from its row. */
export function toDueDelivery(streamId: string, row: DueRow): DueDelivery {
  return {
    id: row.id,
    merchantId: row.merchant_id,
    installationId: row.installation_id,
    appId: row.app_id,
    streamId,
    sequence: row.sequence,
    eventId: row.event_id,
    eventType: row.event_type,
    subject: row.subject,
    scopes: scopesOf(row.scopes),
    state: row.state,
    attempts: row.attempts,
    createdAtMs: row.created_at.getTime(),
    body: row.text,
    live: row.live,
    granted: scopesOf(row.granted),
    grantEpoch: row.epoch,
  }
}

export interface DueSearch {
  readonly nowMs: number
  readonly startSequence: bigint
  /** Those that the caller already has in hand. */
  readonly exceptIds: readonly string[]
  /** Their deliveries wait. */
  readonly exceptMerchantIds: readonly string[]
  /** FIFO: in the order of sequence numbers, without what must wait for one before it. Null: oldest due first. */
  readonly fifo: {
    /** Pairs: whatever belongs to these waits. */
    readonly exceptMerchantIds: readonly string[]
    readonly exceptSubjects: readonly string[]
  } | null
  readonly deliveriesMax: number
}

// A list of parameters in a subquery is hashed once; `<> all` compares with each, and the list is as long as a claim.
const isClaimable = `d.stream_id = $2 and d.state in ('pending', 'waiting') and d.due_at <= $1::timestamptz
  and d.sequence >= $3::int8 and d.id not in (select unnest($4::text[]))
  and d.merchant_id not in (select unnest($5::text[]))`

// By the order of the index alone: with one more column the planner, whose statistics lag behind a flood, would read
// and sort the whole stream for each claim.
const anyOrder = `with due as materialized (
    select ${deliveryColumns} from delivery d where ${isClaimable}
    order by d.due_at limit $6::int)
  ${withPermissions}
  order by d.due_at, d.sequence`

const inOrder = `with blocker as materialized ${blockersOf('$2', '$3::int8')},
  due as materialized (
    select ${deliveryColumns} from delivery d
    where ${isClaimable}
      and (d.merchant_id, d.subject) not in (select * from unnest($7::text[], $8::text[]))
      and not exists (select 1 from blocker b where ${isBehind})
    order by d.sequence limit $6::int)
  ${withPermissions}
  order by d.sequence`

/**
 * The stream's due deliveries with what the grant holds now. Only reads: the lease is the claim. The few that are taken
 * are chosen first, from one index, and what sending them needs is looked up for these alone.
 */
export async function listDue(
  q: Queries,
  streamId: string,
  search: DueSearch,
): Promise<readonly DueDelivery[]> {
  const { nowMs, startSequence, exceptIds, exceptMerchantIds, deliveriesMax, fifo } = search
  const rows = await sql<DueRow>(
    q,
    fifo === null ? anyOrder : inOrder,
    ...[toDate(nowMs), streamId, startSequence, exceptIds, exceptMerchantIds, deliveriesMax],
    ...(fifo === null ? [] : [fifo.exceptMerchantIds, fifo.exceptSubjects]),
  )
  return rows.map((row) => toDueDelivery(streamId, row))
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
