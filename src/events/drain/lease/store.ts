import { execute, sql } from '../../../db/index.ts'
import { type Queries, toDate } from '../../../kernel/index.ts'

export interface TakenLease {
  readonly epoch: bigint
  readonly appId: string
  readonly publisherId: string
  /** Whoever had it before did not give it back: its end had passed. */
  readonly takenOver: boolean
}

/** Takes a stream that nobody holds; gives the epoch of the new lease, or null. */
export async function takeLease(
  q: Queries,
  streamId: string,
  lease: { readonly owner: string; readonly nowMs: number; readonly untilMs: number },
): Promise<TakenLease | null> {
  const [row] = await sql<{ lease_epoch: bigint; app_id: string; publisher_id: string; taken_over: boolean }>(
    q,
    `update stream s set lease_owner = $2, lease_until = $4::timestamptz, lease_epoch = s.lease_epoch + 1
     from (select id, lease_owner from stream where id = $1 for update) before
     where s.id = before.id and s.paused_at is null
       and not exists (select 1 from app a where a.id = s.app_id and a.archived_at is not null)
       and (s.lease_until is null or s.lease_until < $3::timestamptz)
     returning s.lease_epoch, s.app_id, (select a.publisher_id from app a where a.id = s.app_id),
       before.lease_owner is not null as taken_over`,
    streamId,
    lease.owner,
    toDate(lease.nowMs),
    toDate(lease.untilMs),
  )
  if (row === undefined) return null
  return {
    epoch: row.lease_epoch,
    appId: row.app_id,
    publisherId: row.publisher_id,
    takenOver: row.taken_over,
  }
}

/** False: somebody else has taken the stream. */
export async function renewLease(
  q: Queries,
  streamId: string,
  lease: { readonly epoch: bigint; readonly untilMs: number },
): Promise<boolean> {
  const renewed = await execute(
    q,
    // A renewal that comes in behind the release must not close the stream again, one behind a later one not shorten it.
    `update stream set lease_until = greatest(lease_until, $3::timestamptz)
     where id = $1 and lease_epoch = $2::int8 and lease_owner is not null`,
    streamId,
    lease.epoch,
    toDate(lease.untilMs),
  )
  return renewed > 0
}

/** Gives the stream back; whoever wants it next may have it after `notBeforeMs`, or at once. */
export async function releaseLease(
  q: Queries,
  streamId: string,
  lease: { readonly epoch: bigint; readonly notBeforeMs: number | null },
): Promise<void> {
  await execute(
    q,
    `update stream set lease_owner = null, lease_until = $3::timestamptz where id = $1 and lease_epoch = $2::int8`,
    streamId,
    lease.epoch,
    lease.notBeforeMs === null ? null : toDate(lease.notBeforeMs),
  )
}

/** Across tenants: for the start of the one process that owns an embedded database. Owners of old leases are dead. */
export async function clearLeases(q: Queries): Promise<void> {
  await execute(q, 'update stream set lease_owner = null, lease_until = null where lease_owner is not null')
}
