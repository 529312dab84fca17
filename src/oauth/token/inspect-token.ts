import type { AccessToken, Client, ClientCredentials, KoaContextWithOIDC, RefreshToken } from 'oidc-provider'
import type { AccessTokens } from './access-token.ts'

type Inspected = AccessToken | ClientCredentials | RefreshToken

/** An app sees and ends its own tokens alone; of any other it learns nothing, not even that there is one. */
export function ownToken(_ctx: KoaContextWithOIDC, client: Client, token: Inspected): boolean {
  return token.clientId === client.clientId
}

/**
 * RFC 7662 §2.2: active means "that a given token has been issued by this authorization server, has not been revoked by
 * the resource owner, and is within its given time window of validity". The API asks more: no rule of the platform
 * against app or merchant, and the merchant's grant of now. Both must give one answer, so an access token is looked up as
 * the API does, and what it says to allow is what it allows.
 */
export function introspectionPolicy(accessTokens: AccessTokens) {
  return async (ctx: KoaContextWithOIDC, client: Client, token: Inspected): Promise<boolean> => {
    if (!ownToken(ctx, client, token)) return false
    if (token.kind === 'RefreshToken') return true
    return (await accessTokens.holderOf(token.jti)) !== null
  }
}

/**
 * Whether this is the revocation of an access token. RFC 7009 §2.1: "If the token passed to the request is an access
 * token, the server MAY revoke the respective refresh token as well." Here it does not: whoever gives back one access
 * token goes on with the next. A refresh token ends the whole authorization: the server then "SHOULD also invalidate all
 * access tokens based on the same authorization grant".
 */
export function endsOneToken(ctx: KoaContextWithOIDC | undefined): boolean {
  return ctx?.oidc.route === 'revocation' && ctx.oidc.entities.RefreshToken === undefined
}
