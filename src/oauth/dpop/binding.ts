import type { KoaContextWithOIDC } from 'oidc-provider'
import { errors, grantHelpers } from '../library.ts'

interface Bindable {
  readonly scope?: string | undefined
  readonly jkt?: string | undefined
}

/**
 * Scopes of the private tier show customers' personal data: whoever finds such a token must not be able to use it. So it
 * is issued for a key or not at all, by whatever grant. Nothing was written by then: the code or refresh token is as good
 * as before, and the app asks again with a proof.
 */
export function requireKeyForPrivateScopes(token: Bindable, privateScopes: readonly string[]): void {
  if (token.jkt !== undefined) return
  const shown = (token.scope ?? '').split(' ').filter((scope) => privateScopes.includes(scope))
  if (shown.length === 0) return
  throw new errors.InvalidDpopProof(
    `${shown.join(' ')}: a token for this is bound to a key; send a DPoP proof (RFC 9449) or ask for less`,
  )
}

/**
 * RFC 9449 §5.2: with dpop_bound_access_tokens "the authorization server MUST reject token requests from the client that
 * do not contain the DPoP header". The library does; here the developer is told why.
 */
export function requireProof(ctx: KoaContextWithOIDC): void {
  if (ctx.oidc.client?.dpopBoundAccessTokens !== true || ctx.get('DPoP') !== '') return
  throw new errors.InvalidDpopProof('every token of this app is bound to a key; send a DPoP proof (RFC 9449)')
}

/** Thumbprint of the key that this token request proves to have, its proof not used before; null: it sends none. */
export async function provenKey(ctx: KoaContextWithOIDC): Promise<string | null> {
  if (ctx.get('DPoP') === '') return null
  const { provider, client } = ctx.oidc
  const proof = await grantHelpers.validateDpop(provider, ctx)
  await grantHelpers.checkDpopReplay(provider, ctx, proof, client?.clientId ?? '')
  return proof?.thumbprint ?? null
}
