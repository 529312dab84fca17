import { execute, sql } from '../../db/index.ts'
import { type DbTime, type Queries, type Transaction, toDate } from '../../kernel/index.ts'
import type { ReplayFilter, ReplayState, ReplayView } from './replay.ts'

// ── rows

interface ReplayRow {
  readonly id: string
  readonly publisher_id: string
  readonly app_id: string
  readonly stream_id: string
  readonly filter: ReplayFilter
  readonly rate_per_second: number
  readonly state: ReplayState
  readonly total: number
  readonly delivered: number
  readonly failed: number
  readonly skipped: number
  readonly created_by: string
  readonly created_at: DbTime
  readonly finished_at: DbTime | null
}

const columns = `id, publisher_id, app_id, stream_id, filter, rate_per_second, state, total, delivered, failed, skipped,
  created_by, created_at, finished_at`

function toReplay(row: ReplayRow): ReplayView {
  return {
    id: row.id,
    publisherId: row.publisher_id,
    appId: row.app_id,
    streamId: row.stream_id,
    filter: row.filter,
    ratePerSecond: row.rate_per_second,
    state: row.state,
    total: row.total,
    delivered: row.delivered,
    failed: row.failed,
    skipped: row.skipped,
    createdBy: row.created_by,
    createdAtMs: row.created_at.getTime(),
    finishedAtMs: row.finished_at?.getTime() ?? null,
  }
}

export interface NewReplay {
  readonly id: string
  readonly publisherId: string
  readonly appId: string
  readonly streamId: string
  readonly filter: ReplayFilter
  readonly ratePerSecond: number
  readonly total: number
  readonly untilSequence: bigint
  readonly createdBy: string
}

/** A replay begins: it runs, and nobody has it yet. */
export async function insertReplay(tx: Transaction, row: NewReplay, nowMs: number): Promise<ReplayView> {
  const [made] = await sql<ReplayRow>(
    tx,
    `insert into replay (id, publisher_id, app_id, stream_id, filter, rate_per_second, state, total, until_sequence,
       created_by, created_at)
     values ($1, $2, $3, $4, $5::jsonb, $6::int, 'running', $7::int, $8::int8, $9, $10::timestamptz)
     returning ${columns}`,
    row.id,
    row.publisherId,
    row.appId,
    row.streamId,
    JSON.stringify(row.filter),
    row.ratePerSecond,
    row.total,
    row.untilSequence,
    row.createdBy,
    toDate(nowMs),
  )
  if (made === undefined) throw new Error('invariant broken: an insert returns its row')
  return toReplay(made)
}

/** Whether a replay of the app has not ended. */
export async function hasRunning(q: Queries, publisherId: string, appId: string): Promise<boolean> {
  const rows = await sql(
    q,
    `select 1 as one from replay where publisher_id = $1 and app_id = $2 and state = 'running' limit 1`,
    publisherId,
    appId,
  )
  return rows.length > 0
}

export interface ReplaySearch {
  readonly appId: string
  /** Only this one; null: all. */
  readonly replayId: string | null
  /** Only what comes after it in the list. */
  readonly after: { readonly atMs: number; readonly id: string } | null
  readonly rowsMax: number
}

/** Replays of an app of these publishers, newest first. */
export async function listReplays(
  q: Queries,
  publisherIds: readonly string[],
  search: ReplaySearch,
): Promise<readonly ReplayView[]> {
  const rows = await sql<ReplayRow>(
    q,
    `select ${columns} from replay
     where publisher_id = any($1::text[]) and app_id = $2 and ($3::text is null or id = $3)
       and ($4::timestamptz is null or (created_at, id) < ($4::timestamptz, $5::text))
     order by created_at desc, id desc limit $6::int`,
    publisherIds,
    search.appId,
    search.replayId,
    search.after === null ? null : toDate(search.after.atMs),
    search.after?.id ?? null,
    search.rowsMax,
  )
  return rows.map(toReplay)
}

/** Ends a running replay; whoever has it sends nothing more. Null when it does not run. */
export async function cancelRunning(
  tx: Transaction,
  publisherIds: readonly string[],
  { appId, replayId, nowMs }: { readonly appId: string; readonly replayId: string; readonly nowMs: number },
): Promise<ReplayView | null> {
  const [row] = await sql<ReplayRow>(
    tx,
    `update replay set state = 'cancelled', finished_at = $4::timestamptz
     where publisher_id = any($1::text[]) and app_id = $2 and id = $3 and state = 'running' returning ${columns}`,
    publisherIds,
    appId,
    replayId,
    toDate(nowMs),
  )
  return row === undefined ? null : toReplay(row)
}

// ── leases

/** Across tenants: for the sweep. Replays that can go on, or must be ended, and that nobody has; oldest first. */
export async function listIdleReplays(
  q: Queries,
  search: { readonly nowMs: number; readonly exceptIds: readonly string[]; readonly replaysMax: number },
): Promise<readonly string[]> {
  const rows = await sql<{ id: string }>(
    q,
    `select r.id from replay r left join endpoint e on e.stream_id = r.stream_id
     where r.state = 'running' and (r.lease_until is null or r.lease_until < $1::timestamptz)
       and (e.id is null or e.state in ('active', 'stopped')) and r.id <> all($2::text[])
     order by r.created_at limit $3::int`,
    toDate(search.nowMs),
    search.exceptIds,
    search.replaysMax,
  )
  return rows.map(({ id }) => id)
}

/** A replay in the hands of one process. */
export interface TakenReplay {
  readonly replay: ReplayView
  readonly epoch: bigint
  /** Sequence of the last delivery that has been dealt with. */
  readonly cursor: bigint
  readonly untilSequence: bigint
}

/** Across tenants: the worker's. Takes a replay that nobody has; null when it does not run or somebody has it. */
export async function takeReplay(
  q: Queries,
  replayId: string,
  lease: { readonly owner: string; readonly nowMs: number; readonly untilMs: number },
): Promise<TakenReplay | null> {
  const [row] = await sql<ReplayRow & { lease_epoch: bigint; cursor: bigint; until_sequence: bigint }>(
    q,
    `update replay set lease_owner = $2, lease_until = $4::timestamptz, lease_epoch = lease_epoch + 1
     where id = $1 and state = 'running' and (lease_until is null or lease_until < $3::timestamptz)
     returning ${columns}, lease_epoch, cursor, until_sequence`,
    replayId,
    lease.owner,
    toDate(lease.nowMs),
    toDate(lease.untilMs),
  )
  if (row === undefined) return null
  return {
    replay: toReplay(row),
    epoch: row.lease_epoch,
    cursor: row.cursor,
    untilSequence: row.until_sequence,
  }
}

/** Across tenants: the worker's. False: it was cancelled, or somebody else has it. */
export async function renewReplay(
  q: Queries,
  replayId: string,
  lease: { readonly epoch: bigint; readonly untilMs: number },
): Promise<boolean> {
  const renewed = await execute(
    q,
    `update replay set lease_until = $3::timestamptz where id = $1 and lease_epoch = $2::int8 and state = 'running'`,
    replayId,
    lease.epoch,
    toDate(lease.untilMs),
  )
  return renewed > 0
}

/** Across tenants: the worker's. */
export async function releaseReplay(q: Queries, replayId: string, epoch: bigint): Promise<void> {
  await execute(
    q,
    'update replay set lease_owner = null, lease_until = null where id = $1 and lease_epoch = $2::int8',
    replayId,
    epoch,
  )
}

/** Across tenants: for the start of the one process that owns an embedded database. Owners of old leases are dead. */
export async function clearReplayLeases(q: Queries): Promise<void> {
  await execute(q, 'update replay set lease_owner = null, lease_until = null where lease_owner is not null')
}

/** Across tenants: the worker's. Ends a replay that this lease still holds and that still runs. */
export async function endReplay(
  q: Queries,
  replayId: string,
  end: { readonly epoch: bigint; readonly state: Exclude<ReplayState, 'running'>; readonly nowMs: number },
): Promise<void> {
  await execute(
    q,
    `update replay set state = $3, finished_at = $4::timestamptz, lease_owner = null, lease_until = null
     where id = $1 and lease_epoch = $2::int8 and state = 'running'`,
    replayId,
    end.epoch,
    end.state,
    toDate(end.nowMs),
  )
}

// ── streams

/** The stream of an app's backend, with the sequence number that its next delivery gets; null: there is none yet. */
export async function findBackendStream(
  q: Queries,
  appId: string,
): Promise<{ readonly id: string; readonly nextSequence: bigint } | null> {
  const [row] = await sql<{ id: string; next_sequence: bigint }>(
    q,
    `select id, next_sequence from stream where app_id = $1 and owner_kind = 'app' and sink = 'backend'`,
    appId,
  )
  return row === undefined ? null : { id: row.id, nextSequence: row.next_sequence }
}
