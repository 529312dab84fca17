import { sha256Hex, type Transaction } from '../../kernel/index.ts'
import { endTokenByHash } from './store.ts'

/** Ends a personal token that was found in the open; null: it lives no more. */
export async function endLeakedToken(
  tx: Transaction,
  value: string,
  nowMs: number,
): Promise<{ readonly personId: string; readonly name: string } | null> {
  const row = await endTokenByHash(tx, sha256Hex(value), nowMs)
  return row === null ? null : { personId: row.person_id, name: row.name }
}
