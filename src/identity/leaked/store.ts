import { sql } from '../../db/index.ts'
import { type Transaction, toDate } from '../../kernel/index.ts'

/** Across tenants: the token names the person. */
export async function endTokenByHash(
  tx: Transaction,
  hash: string,
  nowMs: number,
): Promise<{ readonly person_id: string; readonly name: string } | null> {
  const [row] = await sql<{ person_id: string; name: string }>(
    tx,
    `update personal_token set revoked_at = $2
     where hash = $1 and revoked_at is null and expires_at > $2 returning person_id, name`,
    hash,
    toDate(nowMs),
  )
  return row ?? null
}

export interface EndedInvitation {
  /** Who was invited. */
  readonly email: string
  /** Who invited; null: the host. */
  readonly createdBy: string | null
}

/** Across tenants: the link names the invitation. */
export async function deleteInvitationByHash(
  tx: Transaction,
  hash: string,
  nowMs: number,
): Promise<EndedInvitation | null> {
  const [row] = await sql<EndedInvitation>(
    tx,
    `delete from invitation where hash = $1 and accepted_at is null and expires_at > $2
     returning email, created_by as "createdBy"`,
    hash,
    toDate(nowMs),
  )
  return row ?? null
}
