import { execute, sql } from '../../db/index.ts'
import { type Queries, toDate, toIso } from '../../kernel/index.ts'

export interface Use {
  readonly hash: string
  readonly expiresAtMs: number
}

/**
 * Notes these uses; gives the hashes that were not there. The insert itself decides, so that of two at once, on however
 * many nodes, one is the first. Across tenants: what makes a use is in its hash.
 */
export async function insertUses(q: Queries, uses: readonly Use[]): Promise<readonly string[]> {
  const rows = await sql<{ hash: string }>(
    q,
    `insert into oauth_use (hash, expires_at)
     select u.hash, u.expires_at from jsonb_to_recordset($1::jsonb) as u(hash text, expires_at timestamptz)
     on conflict (hash) do nothing returning hash`,
    JSON.stringify(uses.map(({ hash, expiresAtMs }) => ({ hash, expires_at: toIso(expiresAtMs) }))),
  )
  return rows.map(({ hash }) => hash)
}

/** Forgets what could not be used again anyhow. Across tenants: as `insertUses`. */
export async function removeExpiredUses(q: Queries, nowMs: number): Promise<void> {
  await execute(q, 'delete from oauth_use where expires_at <= $1', toDate(nowMs))
}
