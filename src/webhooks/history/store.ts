import { execute, sql } from '../../db/index.ts'
import { neverDueMs, type SinkKind } from '../../events/index.ts'
import { type DbTime, type Queries, type Transaction, toDate } from '../../kernel/index.ts'
import type { AttemptView, DeliveryDetail, DeliveryView } from '../delivery-view.ts'

interface DeliveryRow {
  readonly id: string
  readonly sequence: bigint
  readonly merchant_id: string
  readonly installation_id: string
  readonly event_id: string
  readonly event_type: string
  readonly subject: string
  readonly state: DeliveryView['state']
  readonly attempts: number
  readonly due_at: DbTime
  readonly created_at: DbTime
  readonly finished_at: DbTime | null
}

interface DetailRow extends DeliveryRow {
  readonly publisher_id: string
  readonly stream_id: string
  readonly sink: SinkKind
  readonly hash: string | null
  readonly text: string | null
  readonly personal: boolean | null
  readonly covered: boolean
}

interface AttemptRow {
  readonly delivery_id: string
  readonly number: number
  readonly outcome: AttemptView['outcome']
  readonly replay_id: string | null
  readonly status: number | null
  readonly error: string | null
  readonly response: string | null
  readonly log: string | null
  readonly started_at: DbTime
  readonly duration_ms: number
}

const columns = `d.id, d.sequence, d.merchant_id, d.installation_id, d.event_id, d.event_type, d.subject, d.state,
  d.attempts, d.due_at, d.created_at, d.finished_at`
// Across all merchants where the app is installed, but of one app, whose publisher is asked for first.
const ownDeliveries = `delivery d
  join stream s on s.id = d.stream_id
  join app a on a.id = s.app_id and a.publisher_id = any($1::text[]) and a.id = $2`

function dueAtMs(row: DeliveryRow): number | null {
  const ms = row.due_at.getTime()
  return row.finished_at !== null || ms >= neverDueMs ? null : ms
}

function toAttempt(row: AttemptRow): AttemptView {
  return {
    deliveryId: row.delivery_id,
    number: row.number,
    outcome: row.outcome,
    replayId: row.replay_id,
    status: row.status,
    error: row.error,
    response: row.response,
    log: row.log,
    startedAtMs: row.started_at.getTime(),
    durationMs: row.duration_ms,
  }
}

function toDelivery(row: DeliveryRow, attempts: readonly AttemptView[]): DeliveryView {
  return {
    id: row.id,
    sequence: row.sequence,
    merchantId: row.merchant_id,
    installationId: row.installation_id,
    eventId: row.event_id,
    eventType: row.event_type,
    subject: row.subject,
    state: row.state,
    attempts: row.attempts,
    dueAtMs: dueAtMs(row),
    createdAtMs: row.created_at.getTime(),
    finishedAtMs: row.finished_at?.getTime() ?? null,
    tries: attempts.filter(({ deliveryId }) => deliveryId === row.id),
  }
}

/** Attempts shown of one delivery: ten by the table, and the latest of those that people and replays added. */
export const shownAttemptsMax = 100

/** The latest attempts at these deliveries of one app, oldest first, whatever the month. */
async function listAttempts(
  q: Queries,
  appId: string,
  deliveryIds: readonly string[],
): Promise<readonly AttemptView[]> {
  const rows = await sql<AttemptRow>(
    q,
    `select t.* from unnest($2::text[]) as wanted(id), lateral (
       select delivery_id, number, outcome, replay_id, status, error, response, log, started_at, duration_ms
       from attempt where app_id = $1 and delivery_id = wanted.id order by started_at desc, number desc limit $3::int
     ) t order by t.started_at, t.number`,
    appId,
    deliveryIds,
    shownAttemptsMax,
  )
  return rows.map(toAttempt)
}

export interface DeliverySearch {
  readonly appId: string
  readonly sink: SinkKind
  readonly state: DeliveryView['state'] | null
  readonly eventType: string | null
  readonly merchantId: string | null
  /** Made at or after. */
  readonly fromMs: number | null
  /** Made before. */
  readonly toMs: number | null
  /** Only older ones. */
  readonly beforeSequence: bigint | null
  readonly rowsMax: number
}

/** The deliveries of one of the app's own streams, newest first, with their attempts. */
export async function listDeliveries(
  q: Queries,
  publisherIds: readonly string[],
  search: DeliverySearch,
): Promise<readonly DeliveryView[]> {
  const rows = await sql<DeliveryRow>(
    q,
    `select ${columns} from ${ownDeliveries}
     where s.owner_kind = 'app' and s.sink = $3 and ($4::text is null or d.state = $4)
       and ($5::int8 is null or d.sequence < $5::int8)
       and ($7::text is null or d.event_type = $7) and ($8::text is null or d.merchant_id = $8)
       and ($9::timestamptz is null or d.created_at >= $9::timestamptz)
       and ($10::timestamptz is null or d.created_at < $10::timestamptz)
     order by d.sequence desc limit $6::int`,
    publisherIds,
    search.appId,
    search.sink,
    search.state,
    search.beforeSequence,
    search.rowsMax,
    search.eventType,
    search.merchantId,
    search.fromMs === null ? null : toDate(search.fromMs),
    search.toMs === null ? null : toDate(search.toMs),
  )
  const attempts = await listAttempts(
    q,
    search.appId,
    rows.map(({ id }) => id),
  )
  return rows.map((row) => toDelivery(row, attempts))
}

/** One delivery of an app of these publishers, with its body. */
export async function findDelivery(
  q: Queries,
  publisherIds: readonly string[],
  { appId, deliveryId }: { readonly appId: string; readonly deliveryId: string },
): Promise<DeliveryDetail | null> {
  const [row] = await sql<DetailRow>(
    q,
    `select ${columns}, a.publisher_id, s.id as stream_id, s.sink, b.hash, b.text, b.personal,
       exists (select 1 from subscription n
         join installation i on i.id = n.installation_id and i.state = 'active'
         join "grant" g on g.installation_id = d.installation_id and g.merchant_id = d.merchant_id
         where n.id = d.subscription_id and n.ended_at is null and g.revoked_at is null
           and d.scopes <@ g.granted) as covered
     from ${ownDeliveries} left join body b on b.hash = d.body_hash where d.id = $3`,
    publisherIds,
    appId,
    deliveryId,
  )
  if (row === undefined) return null
  const { hash, text, personal } = row
  const body = hash === null || text === null ? null : { text, sha256: hash, personal: personal === true }
  return {
    ...toDelivery(row, await listAttempts(q, appId, [row.id])),
    publisherId: row.publisher_id,
    streamId: row.stream_id,
    sink: row.sink,
    body,
    covered: row.covered,
  }
}

/** A secret of a stream's endpoint, live or expired, as long as it is kept. */
export interface KeptSecret {
  readonly id: string
  readonly sealed: string
  readonly createdAtMs: number
  readonly expiresAtMs: number | null
}

// Two rotations a week over the year that attempts are kept at most.
const keptSecretsMax = 100

/** The secrets of the endpoint of a stream, newest first. */
export async function listKeptSecrets(q: Queries, streamId: string): Promise<readonly KeptSecret[]> {
  const rows = await sql<{ id: string; sealed: string; created_at: DbTime; expires_at: DbTime | null }>(
    q,
    `select s.id, s.sealed, s.created_at, s.expires_at from endpoint_secret s
     join endpoint e on e.id = s.endpoint_id where e.stream_id = $1 order by s.created_at desc limit $2::int`,
    streamId,
    keptSecretsMax,
  )
  return rows.map((row) => ({
    id: row.id,
    sealed: row.sealed,
    createdAtMs: row.created_at.getTime(),
    expiresAtMs: row.expires_at?.getTime() ?? null,
  }))
}

/** Nothing tries the delivery any more. False when it was not waiting to be sent. */
export async function parkDelivery(
  tx: Transaction,
  streamId: string,
  { deliveryId, nowMs }: { readonly deliveryId: string; readonly nowMs: number },
): Promise<boolean> {
  const parked = await execute(
    tx,
    `update delivery set state = 'parked', finished_at = $3::timestamptz
     where stream_id = $1 and id = $2 and state in ('pending', 'waiting')`,
    streamId,
    deliveryId,
    toDate(nowMs),
  )
  return parked > 0
}
