import { afterCommit } from '../../db/index.ts'
import { hmacSha256, type TokenKind } from '../../kernel/index.ts'
import { revokeGrant } from '../grant/store.ts'
import { hashValue, type OAuthKeys } from '../keys.ts'
import type { AccessTokens } from '../token/access-token.ts'
import { revokeToken, revokeTokensOfGrant } from '../token/store.ts'
import type { EndLeaked } from './leak.ts'
import { endLeakedSecret, lockLeakedToken } from './store.ts'

export interface EndLeakedDependencies {
  readonly keys: OAuthKeys
  readonly accessTokens: AccessTokens
}

/** A found secret opens the whole app: it ends, the last one too. */
function endSecret({ keys }: EndLeakedDependencies): EndLeaked {
  return async (tx, value, nowMs) => {
    const hash = hmacSha256(keys.clientSecrets, value).toString('hex')
    const row = await endLeakedSecret(tx, hash, nowMs)
    if (row === null) return null
    const { app_id: appId, app_name: name, publisher_id: publisherId } = row
    return { what: 'client_secret', name, appId, publisherId, merchantId: null, personId: null }
  }
}

/**
 * An access token ends alone: its life is an hour, and the app has the next one. With a refresh token whoever found it
 * could go on for a year, so its whole authorization ends, as when it is revoked (RFC 7009 §2.1). One that is used up
 * is worth nothing to anybody, and an old log must not end what lives.
 */
function endToken({ keys, accessTokens }: EndLeakedDependencies): EndLeaked {
  return async (tx, value, nowMs) => {
    const hash = hashValue(keys, value)
    const row = await lockLeakedToken(tx, hash, nowMs)
    if (row === null) return null
    const { app_id: appId, app_name: name, publisher_id: publisherId, merchant_id: merchantId } = row
    const isRefreshToken = row.kind === 'RefreshToken'
    await revokeToken(tx, hash, nowMs)
    afterCommit(tx, () => accessTokens.forget({ hash }))
    const { grant_id: grantId } = row
    if (isRefreshToken && grantId !== null) {
      await revokeTokensOfGrant(tx, grantId, nowMs)
      await revokeGrant(tx, grantId, { reason: 'revoked', nowMs })
      afterCommit(tx, () => accessTokens.forget({ grantId }))
    }
    const what = isRefreshToken ? 'refresh_token' : 'access_token'
    return { what, name, appId, publisherId, merchantId, personId: null }
  }
}

/** How what this server issues ends when it was found in the open. */
export function makeEndLeaked(deps: EndLeakedDependencies): Readonly<Partial<Record<TokenKind, EndLeaked>>> {
  const token = endToken(deps)
  return { clientSecret: endSecret(deps), accessToken: token, refreshToken: token }
}
