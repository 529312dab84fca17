import { type Clock, isWellFormedToken, type Queries, sha256Hex } from '../../kernel/index.ts'
import { endSessionByHash } from './store.ts'

/** Ends the session of a cookie at once (sign-out); nothing happens when there is none. */
export async function endSession(q: Queries, cookieValue: string, clock: Clock): Promise<void> {
  if (!isWellFormedToken('session', cookieValue)) return
  await endSessionByHash(q, sha256Hex(cookieValue), clock.nowMs())
}
