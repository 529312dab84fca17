import { sql } from '../../db/index.ts'
import { neverDueMs, type SinkKind } from '../../events/index.ts'
import type { DbTime, Queries } from '../../kernel/index.ts'
import type { AttemptView, DeliveryView } from '../delivery-view.ts'

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

interface AttemptRow {
  readonly delivery_id: string
  readonly number: number
  readonly outcome: AttemptView['outcome']
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

/** The attempts at these deliveries of one app, whatever the month. */
async function listAttempts(
  q: Queries,
  appId: string,
  deliveryIds: readonly string[],
): Promise<readonly AttemptView[]> {
  const rows = await sql<AttemptRow>(
    q,
    `select delivery_id, number, outcome, status, error, response, log, started_at, duration_ms
     from attempt where app_id = $1 and delivery_id = any($2::text[]) order by started_at, number`,
    appId,
    deliveryIds,
  )
  return rows.map(toAttempt)
}

export interface DeliverySearch {
  readonly appId: string
  readonly sink: SinkKind
  readonly state: DeliveryView['state'] | null
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
     order by d.sequence desc limit $6::int`,
    publisherIds,
    search.appId,
    search.sink,
    search.state,
    search.beforeSequence,
    search.rowsMax,
  )
  const attempts = await listAttempts(
    q,
    search.appId,
    rows.map(({ id }) => id),
  )
  return rows.map((row) => toDelivery(row, attempts))
}

/** One delivery of an app of these publishers. */
export async function findDelivery(
  q: Queries,
  publisherIds: readonly string[],
  { appId, deliveryId }: { readonly appId: string; readonly deliveryId: string },
): Promise<DeliveryView | null> {
  const [row] = await sql<DeliveryRow>(
    q,
    `select ${columns} from ${ownDeliveries} where d.id = $3`,
    publisherIds,
    appId,
    deliveryId,
  )
  return row === undefined ? null : toDelivery(row, await listAttempts(q, appId, [row.id]))
}
