import type { PersonCaller } from '../../capability/index.ts'
import { type Clock, isWellFormedToken, limits, type Queries, sha256Hex } from '../../kernel/index.ts'
import { allAudiences, toCaller } from '../person/person.ts'
import { findSessionRow, touchSession } from './store.ts'

export interface LiveSession {
  readonly sessionId: string
  readonly caller: PersonCaller
}

/** Who a session cookie stands for; null when it is none of ours, ended, or its person is disabled. */
export async function findSession(
  queries: Queries,
  cookieValue: string,
  clock: Clock,
): Promise<LiveSession | null> {
  if (!isWellFormedToken('session', cookieValue)) return null
  const nowMs = clock.nowMs()
  const row = await findSessionRow(queries, sha256Hex(cookieValue), nowMs)
  if (row === null) return null
  if (nowMs - row.seen_at.getTime() > limits.credentialSeenMs) {
    await touchSession(queries, row.person_id, row.session_id, nowMs)
  }
  const credential = { kind: 'session', id: row.session_id } as const
  return { sessionId: row.session_id, caller: toCaller(row, allAudiences, credential) }
}
