import { execute, sql } from '../db/index.ts'
import { type DbTime, type Queries, type Transaction, toDate } from '../kernel/index.ts'
import type { EndpointState, EndpointView, SecretView } from './endpoint.ts'

const atMs = (time: DbTime | null): number | null => time?.getTime() ?? null

// ── apps

export interface OwnApp {
  readonly id: string
  readonly publisherId: string
  readonly appClass: string
}

/** An app of one of these publishers. */
export async function findOwnApp(
  q: Queries,
  publisherIds: readonly string[],
  appId: string,
): Promise<OwnApp | null> {
  const [row] = await sql<{ id: string; publisher_id: string; class: string }>(
    q,
    'select id, publisher_id, class from app where publisher_id = any($1::text[]) and id = $2',
    publisherIds,
    appId,
  )
  return row === undefined ? null : { id: row.id, publisherId: row.publisher_id, appClass: row.class }
}

// ── endpoints

interface EndpointRow {
  readonly id: string
  readonly publisher_id: string
  readonly app_id: string
  readonly stream_id: string
  readonly url: string
  readonly state: EndpointState
  readonly state_reason: string | null
  readonly start_sequence: bigint
  readonly last_success_at: DbTime | null
  readonly failing_since: DbTime | null
  readonly created_at: DbTime
}

const endpointColumns = `id, publisher_id, app_id, stream_id, url, state, state_reason, start_sequence,
  last_success_at, failing_since, created_at`

function toEndpoint(row: EndpointRow, secrets: readonly SecretView[]): EndpointView {
  return {
    id: row.id,
    publisherId: row.publisher_id,
    appId: row.app_id,
    streamId: row.stream_id,
    url: row.url,
    state: row.state,
    stateReason: row.state_reason,
    startSequence: row.start_sequence,
    lastSuccessAtMs: atMs(row.last_success_at),
    failingSinceMs: atMs(row.failing_since),
    createdAtMs: row.created_at.getTime(),
    secrets,
  }
}

interface OwnedSecret extends SecretView {
  readonly endpointId: string
}

async function listLiveSecrets(
  q: Queries,
  endpointIds: readonly string[],
  nowMs: number,
): Promise<readonly OwnedSecret[]> {
  const rows = await sql<{
    id: string
    endpoint_id: string
    created_at: DbTime
    expires_at: DbTime | null
  }>(
    q,
    `select id, endpoint_id, created_at, expires_at from endpoint_secret
     where endpoint_id = any($1::text[]) and scheme = 'v1' and (expires_at is null or expires_at > $2::timestamptz)
     order by expires_at desc nulls first, created_at desc`,
    endpointIds,
    toDate(nowMs),
  )
  return rows.map((row) => ({
    id: row.id,
    endpointId: row.endpoint_id,
    createdAtMs: row.created_at.getTime(),
    expiresAtMs: atMs(row.expires_at),
  }))
}

export interface EndpointSearch {
  readonly appId: string
  /** Null: all of the app. */
  readonly endpointId: string | null
  readonly nowMs: number
}

/** Endpoints of an app of these publishers; an app has one stream for its backend, and a stream one endpoint. */
export async function listEndpoints(
  q: Queries,
  publisherIds: readonly string[],
  { appId, endpointId, nowMs }: EndpointSearch,
): Promise<readonly EndpointView[]> {
  const rows = await sql<EndpointRow>(
    q,
    `select ${endpointColumns} from endpoint
     where publisher_id = any($1::text[]) and app_id = $2 and ($3::text is null or id = $3) order by created_at desc, id`,
    publisherIds,
    appId,
    endpointId,
  )
  const secrets = await listLiveSecrets(
    q,
    rows.map(({ id }) => id),
    nowMs,
  )
  return rows.map((row) =>
    toEndpoint(
      row,
      secrets.filter((secret) => secret.endpointId === row.id),
    ),
  )
}

/** What sending to a stream's endpoint needs. */
export interface ReceiverRow {
  readonly endpointId: string
  readonly streamId: string
  readonly url: string
  readonly startSequence: bigint
  readonly lastSuccessAtMs: number | null
  readonly failingSinceMs: number | null
  /** Live ones, newest first. */
  readonly secrets: readonly { readonly id: string; readonly sealed: string }[]
}

/** The active endpoint of a stream with its live secrets, in one statement: it is asked once per batch. */
export async function findReceiver(q: Queries, streamId: string, nowMs: number): Promise<ReceiverRow | null> {
  const [row] = await sql<{
    id: string
    url: string
    start_sequence: bigint
    last_success_at: DbTime | null
    failing_since: DbTime | null
    secret_ids: string[]
    sealed: string[]
  }>(
    q,
    `select e.id, e.url, e.start_sequence, e.last_success_at, e.failing_since, s.secret_ids, s.sealed
     from endpoint e, lateral (
       select coalesce(array_agg(id order by created_at desc), '{}') as secret_ids,
         coalesce(array_agg(sealed order by created_at desc), '{}') as sealed
       from endpoint_secret
       where endpoint_id = e.id and scheme = 'v1' and (expires_at is null or expires_at > $2::timestamptz)) s
     where e.stream_id = $1 and e.state = 'active'`,
    streamId,
    toDate(nowMs),
  )
  if (row === undefined) return null
  return {
    endpointId: row.id,
    streamId,
    url: row.url,
    startSequence: row.start_sequence,
    lastSuccessAtMs: atMs(row.last_success_at),
    failingSinceMs: atMs(row.failing_since),
    secrets: row.secret_ids.map((id, index) => ({ id, sealed: row.sealed[index] ?? '' })),
  }
}

export interface NewEndpoint {
  readonly id: string
  readonly publisherId: string
  readonly appId: string
  readonly streamId: string
  readonly url: string
  readonly startSequence: bigint
  readonly createdBy: string
}

/** False when the stream has an endpoint already. */
export async function insertEndpoint(tx: Transaction, row: NewEndpoint, nowMs: number): Promise<boolean> {
  const inserted = await execute(
    tx,
    `insert into endpoint (id, publisher_id, app_id, stream_id, url, state, start_sequence, created_by, created_at)
     values ($1, $2, $3, $4, $5, 'active', $6::int8, $7, $8::timestamptz) on conflict (stream_id) do nothing`,
    row.id,
    row.publisherId,
    row.appId,
    row.streamId,
    row.url,
    row.startSequence,
    row.createdBy,
    toDate(nowMs),
  )
  return inserted > 0
}

/** With its secrets. */
export async function deleteEndpointRow(
  tx: Transaction,
  publisherId: string,
  endpointId: string,
): Promise<void> {
  await execute(tx, 'delete from endpoint where publisher_id = $1 and id = $2', publisherId, endpointId)
}

/** Across tenants: the secrets of an endpoint that the caller has looked up by its publisher. */
export async function insertSecret(
  tx: Transaction,
  row: { readonly id: string; readonly endpointId: string; readonly sealed: string },
  nowMs: number,
): Promise<void> {
  await execute(
    tx,
    `insert into endpoint_secret (id, endpoint_id, scheme, sealed, created_at)
     values ($1, $2, 'v1', $3, $4::timestamptz)`,
    row.id,
    row.endpointId,
    row.sealed,
    toDate(nowMs),
  )
}

/**
 * Across tenants: an endpoint that the caller has looked up by its publisher. The current secret expires at
 * `expiresAtMs`; one that was already to expire ends at once, so that two are live at most.
 */
export async function expireSecrets(
  tx: Transaction,
  endpointId: string,
  times: { readonly nowMs: number; readonly expiresAtMs: number },
): Promise<void> {
  await execute(
    tx,
    `update endpoint_secret
     set expires_at = case when expires_at is null then $3::timestamptz else least(expires_at, $2::timestamptz) end
     where endpoint_id = $1`,
    endpointId,
    toDate(times.nowMs),
    toDate(times.expiresAtMs),
  )
}

/** Locks the endpoint's row. False when it is gone. */
export async function lockEndpoint(
  tx: Transaction,
  publisherId: string,
  endpointId: string,
): Promise<boolean> {
  const rows = await sql(
    tx,
    'select 1 as one from endpoint where publisher_id = $1 and id = $2 for update',
    publisherId,
    endpointId,
  )
  return rows.length > 0
}

/** The receiver wants nothing any more. False when the endpoint was not active. */
export async function markStopped(
  tx: Transaction,
  streamId: string,
  change: { readonly endpointId: string; readonly reason: string },
): Promise<boolean> {
  const stopped = await execute(
    tx,
    `update endpoint set state = 'stopped', state_reason = $3
     where stream_id = $1 and id = $2 and state = 'active'`,
    streamId,
    change.endpointId,
    change.reason,
  )
  return stopped > 0
}

/** Notes a success (nothing fails any more) or the first failure since one. */
export async function noteHealth(
  q: Queries,
  streamId: string,
  health: { readonly endpointId: string; readonly delivered: boolean; readonly nowMs: number },
): Promise<void> {
  await execute(
    q,
    `update endpoint set
       last_success_at = case when $3::bool then $4::timestamptz else last_success_at end,
       failing_since = case when $3::bool then null else coalesce(failing_since, $4::timestamptz) end
     where stream_id = $1 and id = $2`,
    streamId,
    health.endpointId,
    health.delivered,
    toDate(health.nowMs),
  )
}
