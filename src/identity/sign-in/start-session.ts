import { type IdSource, limits, mintToken, newId, sha256Hex, type Transaction } from '../../kernel/index.ts'
import { insertSession, pruneSessions } from './store.ts'

export interface NewSession {
  readonly personId: string
  /** `User-Agent` of the browser, to tell sessions apart in a list. */
  readonly userAgent: string
}

/** Longest part of a User-Agent that is kept; what follows never helps a person. */
export const userAgentLengthMax = 256

/**
 * Starts a session that lasts `limits.sessionMs`; gives the cookie's value, of which only the hash is stored.
 * When the person has too many, the one unseen longest ends.
 */
export async function startSession(tx: Transaction, session: NewSession, ids: IdSource): Promise<string> {
  const cookieValue = mintToken('session', ids.random)
  const nowMs = ids.clock.nowMs()
  await pruneSessions(tx, session.personId, { keep: limits.sessionsMax - 1, nowMs })
  await insertSession(tx, {
    personId: session.personId,
    sessionId: newId('session', ids),
    hash: sha256Hex(cookieValue),
    userAgent: session.userAgent.replaceAll(/\p{Cc}/gu, ' ').slice(0, userAgentLengthMax),
    startedAtMs: nowMs,
    expiresAtMs: nowMs + limits.sessionMs,
  })
  return cookieValue
}
