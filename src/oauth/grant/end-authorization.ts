import type { Db } from '../../db/index.ts'
import type { Clock, Log, Transaction } from '../../kernel/index.ts'
import type { AccessTokens } from '../token/access-token.ts'
import { revokeTokensOfGrant } from '../token/store.ts'
import { findReuse, type Reuse, revokeGrant } from './store.ts'

export interface EndDependencies {
  readonly db: Pick<Db, 'tx'>
  readonly accessTokens: AccessTokens
  readonly clock: Clock
  readonly log: Log
  /** Tells developer and merchant, in the transaction that ends the authorization. */
  onRefreshTokenReused(tx: Transaction, reuse: Reuse): Promise<void>
}

/**
 * Ends an authorization whose code or refresh token came a second time; the merchant's installation goes on.
 *
 * RFC 6749 §4.1.2: "If an authorization code is used more than once, the authorization server MUST deny the request and
 * SHOULD revoke (when possible) all tokens previously issued based on that authorization code." RFC 9700 §4.14.2: "If a
 * refresh token is compromised and subsequently used by both the attacker and the legitimate client, one of them will
 * present an invalidated refresh token … the authorization server … will revoke the active refresh token".
 */
export async function endReused(
  deps: EndDependencies,
  grantId: string,
  what: 'code' | 'refresh_token',
): Promise<void> {
  const nowMs = deps.clock.nowMs()
  const reuse = await deps.db.tx(async (tx) => {
    // Whoever comes with it a third time finds it over, and nobody is told again.
    if (!(await revokeGrant(tx, grantId, { reason: 'reused', nowMs }))) return null
    await revokeTokensOfGrant(tx, grantId, nowMs)
    const found = await findReuse(tx, grantId)
    if (found !== null && what === 'refresh_token') await deps.onRefreshTokenReused(tx, found)
    return found
  })
  deps.accessTokens.forget({ grantId })
  if (reuse !== null) deps.log.warn({ appId: reuse.appId, grantId, what }, 'oauth.reused')
}
