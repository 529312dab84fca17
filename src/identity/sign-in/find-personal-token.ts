import type { PersonCaller } from '../../capability/index.ts'
import { type Clock, isWellFormedToken, limits, type Queries, sha256Hex } from '../../kernel/index.ts'
import { toCaller } from '../person/person.ts'
import { findTokenRow, touchToken } from './store.ts'

/** Who a personal token stands for; null when it is none of ours, ended, or its person is disabled. */
export async function findPersonalToken(
  queries: Queries,
  token: string,
  clock: Clock,
): Promise<PersonCaller | null> {
  if (!isWellFormedToken('personalToken', token)) return null
  const nowMs = clock.nowMs()
  const row = await findTokenRow(queries, sha256Hex(token), nowMs)
  if (row === null) return null
  const usedAtMs = row.last_used_at?.getTime() ?? Number.NEGATIVE_INFINITY
  if (nowMs - usedAtMs > limits.credentialSeenMs) {
    await touchToken(queries, row.person_id, row.token_id, nowMs)
  }
  return toCaller(row, row.audiences, { kind: 'token', id: row.token_id })
}
