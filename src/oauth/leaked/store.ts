import { sql } from '../../db/index.ts'
import { type Queries, type Transaction, toDate } from '../../kernel/index.ts'

export interface LeakedTokenRow {
  readonly kind: string
  readonly app_id: string
  readonly app_name: string
  readonly publisher_id: string
  readonly grant_id: string | null
  readonly merchant_id: string | null
}

/**
 * The token, as long as it is worth something to whoever found it: live, or rotated with its answer not yet fetched. Held
 * for the transaction. Across tenants: found by value; whose it is is what is asked.
 */
export async function lockLeakedToken(
  tx: Transaction,
  hash: string,
  nowMs: number,
): Promise<LeakedTokenRow | null> {
  const [row] = await sql<LeakedTokenRow>(
    tx,
    `select t.kind, t.app_id, a.name as app_name, a.publisher_id, t.grant_id, t.merchant_id
     from oauth_token t join app a on a.id = t.app_id
     where t.hash = $1 and t.revoked_at is null and t.expires_at > $2
       and (t.consumed_at is null or t.replay_box is not null)
     for update of t`,
    hash,
    toDate(nowMs),
  )
  return row ?? null
}

export interface LeakedSecretRow {
  readonly app_id: string
  readonly app_name: string
  readonly publisher_id: string
}

/** Ends the live secret with this hash; null: there is none. Across tenants: as `lockLeakedToken`. */
export async function endLeakedSecret(
  q: Queries,
  secretHash: string,
  nowMs: number,
): Promise<LeakedSecretRow | null> {
  const [row] = await sql<LeakedSecretRow>(
    q,
    `update credential c set revoked_at = $2 from app a
     where a.id = c.app_id and c.secret_hash = $1 and c.revoked_at is null
       and (c.expires_at is null or c.expires_at > $2)
     returning c.app_id, a.name as app_name, a.publisher_id`,
    secretHash,
    toDate(nowMs),
  )
  return row ?? null
}
