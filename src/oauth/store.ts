import { execute } from '../db/index.ts'
import { type Queries, toDate } from '../kernel/index.ts'

/** Deletes requests that nobody can answer any more: anybody can make them, so they go soon. Across tenants: as below. */
export async function removeExpiredStates(q: Queries, nowMs: number): Promise<void> {
  await execute(q, 'delete from oauth_state where expires_at <= $1', toDate(nowMs))
}

/**
 * Deletes what nobody can use any more. A refresh token's history stays for as long as its reuse must be noticed.
 * Across tenants: an expired row belongs to nobody.
 */
export async function removeExpired(q: Queries, nowMs: number): Promise<void> {
  const now = toDate(nowMs)
  await execute(q, 'delete from oauth_token where expires_at <= $1', now)
  await execute(q, 'delete from oauth_grant where expires_at <= $1', now)
}
