import { execute, sql } from '../db/index.ts'
import { type DbTime, type Queries, type Transaction, toDate } from '../kernel/index.ts'
import type { EndpointState, EndpointView, SecretView, StateReason } from './endpoint.ts'
import { listLiveSecrets, type SealedSecret } from './secrets/store.ts'

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
  readonly state_reason: StateReason | null
  readonly fifo: boolean
  readonly rate_per_second: number | null
  readonly start_sequence: bigint
  readonly verified_at: DbTime | null
  readonly paused_at: DbTime | null
  readonly probe_at: DbTime | null
  readonly probe_failures: number
  readonly last_success_at: DbTime | null
  readonly failing_since: DbTime | null
  readonly created_at: DbTime
}

const endpointColumns = `id, publisher_id, app_id, stream_id, url, state, state_reason, fifo, rate_per_second,
  start_sequence, verified_at, paused_at, probe_at, probe_failures, last_success_at, failing_since, created_at`

function toEndpoint(row: EndpointRow, secrets: readonly SecretView[]): EndpointView {
  return {
    id: row.id,
    publisherId: row.publisher_id,
    appId: row.app_id,
    streamId: row.stream_id,
    url: row.url,
    state: row.state,
    stateReason: row.state_reason,
    fifo: row.fifo,
    ratePerSecond: row.rate_per_second,
    startSequence: row.start_sequence,
    verifiedAtMs: atMs(row.verified_at),
    pausedAtMs: atMs(row.paused_at),
    // While it is unverified the column says when it may be challenged next.
    probeAtMs: row.state === 'paused' ? atMs(row.probe_at) : null,
    probeFailures: row.probe_failures,
    lastSuccessAtMs: atMs(row.last_success_at),
    failingSinceMs: atMs(row.failing_since),
    createdAtMs: row.created_at.getTime(),
    secrets,
  }
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
  /** It is paused, and one delivery may try whether it is back. */
  readonly probing: boolean
  readonly probeFailures: number
  readonly fifo: boolean
  readonly ratePerSecond: number | null
  readonly startSequence: bigint
  readonly lastSuccessAtMs: number | null
  readonly failingSinceMs: number | null
  /** Live ones, newest first. */
  readonly secrets: readonly SealedSecret[]
}

/**
 * The endpoint of a stream that is active, or due for a probe, with its live secrets; in one statement: it is asked
 * once per batch.
 */
export async function findReceiver(q: Queries, streamId: string, nowMs: number): Promise<ReceiverRow | null> {
  const [row] = await sql<{
    id: string
    url: string
    state: EndpointState
    probe_failures: number
    fifo: boolean
    rate_per_second: number | null
    start_sequence: bigint
    last_success_at: DbTime | null
    failing_since: DbTime | null
    secret_ids: string[]
    sealed: string[]
  }>(
    q,
    `select e.id, e.url, e.state, e.probe_failures, e.fifo, e.rate_per_second, e.start_sequence, e.last_success_at,
       e.failing_since, s.secret_ids, s.sealed
     from endpoint e, lateral (
       select coalesce(array_agg(id order by created_at desc), '{}') as secret_ids,
         coalesce(array_agg(sealed order by created_at desc), '{}') as sealed
       from endpoint_secret
       where endpoint_id = e.id and (expires_at is null or expires_at > $2::timestamptz)) s
     where e.stream_id = $1 and (e.state = 'active' or (e.state = 'paused' and e.probe_at <= $2::timestamptz))`,
    streamId,
    toDate(nowMs),
  )
  if (row === undefined) return null
  return {
    endpointId: row.id,
    streamId,
    url: row.url,
    probing: row.state === 'paused',
    probeFailures: row.probe_failures,
    fifo: row.fifo,
    ratePerSecond: row.rate_per_second,
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
  readonly state: EndpointState
  readonly startSequence: bigint
  readonly createdBy: string
}

/** False when the stream has an endpoint already. */
export async function insertEndpoint(tx: Transaction, row: NewEndpoint, nowMs: number): Promise<boolean> {
  const inserted = await execute(
    tx,
    `insert into endpoint (id, publisher_id, app_id, stream_id, url, state, start_sequence, created_by, created_at)
     values ($1, $2, $3, $4, $5, $6, $7::int8, $8, $9::timestamptz) on conflict (stream_id) do nothing`,
    row.id,
    row.publisherId,
    row.appId,
    row.streamId,
    row.url,
    row.state,
    row.startSequence,
    row.createdBy,
    toDate(nowMs),
  )
  return inserted > 0
}

/** Locks an endpoint's row until the transaction ends; nothing when these publishers have none such. */
export async function lockEndpoint(
  tx: Transaction,
  publisherIds: readonly string[],
  endpointId: string,
): Promise<void> {
  await sql(
    tx,
    'select 1 as one from endpoint where publisher_id = any($1::text[]) and id = $2 for update',
    publisherIds,
    endpointId,
  )
}

/**
 * Writes what a person's step changed. The row is locked: what was read is what is replaced. When an unverified endpoint
 * may be challenged next stays as it is.
 */
export async function saveEndpoint(tx: Transaction, endpoint: EndpointView): Promise<void> {
  const time = (ms: number | null) => (ms === null ? null : toDate(ms))
  await execute(
    tx,
    `update endpoint set url = $3, state = $4, state_reason = $5, fifo = $6, rate_per_second = $7::int,
       verified_at = $8::timestamptz, paused_at = $9::timestamptz,
       probe_at = case when state = 'unverified' and $4 = 'unverified' then probe_at else $10::timestamptz end,
       probe_failures = $11::int, failing_since = $12::timestamptz
     where publisher_id = $1 and id = $2`,
    endpoint.publisherId,
    endpoint.id,
    endpoint.url,
    endpoint.state,
    endpoint.stateReason,
    endpoint.fifo,
    endpoint.ratePerSecond,
    time(endpoint.verifiedAtMs),
    time(endpoint.pausedAtMs),
    time(endpoint.probeAtMs),
    endpoint.probeFailures,
    time(endpoint.failingSinceMs),
  )
}

/** With its secrets. */
export async function deleteEndpointRow(
  tx: Transaction,
  publisherId: string,
  endpointId: string,
): Promise<void> {
  await execute(tx, 'delete from endpoint where publisher_id = $1 and id = $2', publisherId, endpointId)
}
