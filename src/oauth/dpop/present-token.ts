import type { AppCaller } from '../../capability/index.ts'
import { type Clock, safeEqual } from '../../kernel/index.ts'
import { OAuthErrors } from '../errors.ts'
import type { AccessTokens } from '../token/access-token.ts'
import type { UseOnce } from '../use-once/use-once.ts'
import { type ProvenRequest, readProof } from './proof.ts'

export interface PresentTokenDependencies {
  readonly accessTokens: AccessTokens
  readonly useOnce: UseOnce
  readonly clock: Clock
}

/** How an access token came, when not as a bearer token. */
export type Presented = Omit<ProvenRequest, 'accessToken'>

/**
 * Who presents the access token: as a bearer token, or with a DPoP proof. A token without a key is a bearer token and
 * nothing else, and a token with one is never. Null: it is not one of ours or allows nothing any more.
 * @throws oauth.token_bound, oauth.token_not_bound, oauth.dpop_key_differs, oauth.dpop_proof_refused
 */
export async function presentToken(
  { accessTokens, useOnce, clock }: PresentTokenDependencies,
  token: string,
  presented: Presented | null,
): Promise<AppCaller | null> {
  const holder = await accessTokens.holderOf(token)
  if (holder === null) return null
  const { caller, jkt } = holder
  if (presented === null) {
    // RFC 9449 §7.2: "such a protected resource MUST reject a DPoP-bound access token received as a bearer token".
    if (jkt !== null) throw OAuthErrors.token_bound()
    return caller
  }
  if (jkt === null) throw OAuthErrors.token_not_bound()
  const proof = await readProof({ ...presented, accessToken: token }, clock)
  // RFC 9449 §4.3 item 12: "confirm that the public key to which the access token is bound matches the public key from
  // the DPoP proof." That it does not is said of the token, as in figure 16.
  if (!safeEqual(proof.jkt, jkt)) throw OAuthErrors.dpop_key_differs()
  // RFC 9449 §11.1: "HTTP requests to the same URI for which the jti value has been seen before would be declined."
  if (!(await useOnce(`dpop.${proof.jkt}.${proof.jti}`, proof.expiresAtMs)))
    throw OAuthErrors.dpop_proof_refused('the DPoP proof was used before (jti)')
  return caller
}
