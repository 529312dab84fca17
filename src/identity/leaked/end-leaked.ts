import { sha256Hex, type Transaction } from '../../kernel/index.ts'
import { endSessionByHash } from '../sign-in/store.ts'
import { deleteInvitationByHash, type EndedInvitation, endTokenByHash } from './store.ts'

/** Ends a personal token that was found in the open; null: it lives no more. */
export async function endLeakedToken(
  tx: Transaction,
  value: string,
  nowMs: number,
): Promise<{ readonly personId: string; readonly name: string } | null> {
  const row = await endTokenByHash(tx, sha256Hex(value), nowMs)
  return row === null ? null : { personId: row.person_id, name: row.name }
}

/** Ends a session whose cookie was found in the open; gives whose it was, or null: it lives no more. */
export function endLeakedSession(tx: Transaction, value: string, nowMs: number): Promise<string | null> {
  return endSessionByHash(tx, sha256Hex(value), nowMs)
}

/** Takes an open invitation back whose link was found in the open; null: nobody can accept it any more. */
export function endLeakedInvitation(
  tx: Transaction,
  value: string,
  nowMs: number,
): Promise<EndedInvitation | null> {
  return deleteInvitationByHash(tx, sha256Hex(value), nowMs)
}
