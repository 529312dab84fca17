import type { AdapterPayload, Client, KoaContextWithOIDC } from 'oidc-provider'
import { limits } from '../../kernel/index.ts'
import { errors, Provider } from '../library.ts'
import type { ClientPayload } from './client.ts'
import type { ClientRow } from './store.ts'

/** How a request lets a client prove itself: by a signed assertion, or in any other way. */
export type Mechanism = 'assertion' | 'other'

/** What the request at hand uses; outside of one it does not matter. */
export function currentMechanism(): Mechanism {
  return Provider.ctx?.oidc.params?.['client_assertion'] === undefined ? 'other' : 'assertion'
}

/**
 * The library knows one method per client, an app may have secrets and keys alive at once (a change-over from the one
 * to the other is exactly that). So the client is told to the library as what this request takes it for: with an
 * assertion a client with keys, else one with secrets. What the app does not have, or has told us to refuse, is no
 * method of it.
 */
export function authenticationOf(
  { keys, require_private_key_jwt: keysAlone }: ClientRow,
  { mechanism, placeholderSecret }: { readonly mechanism: Mechanism; readonly placeholderSecret: string },
): Pick<AdapterPayload, 'token_endpoint_auth_method' | 'client_secret' | 'jwks'> {
  if (keysAlone || (mechanism === 'assertion' && keys.length > 0)) {
    const jwks = { keys: keys.map(([_credentialId, jwk]) => jwk) }
    return { token_endpoint_auth_method: 'private_key_jwt', jwks }
  }
  // The placeholder fills the member that the library insists on; nothing is ever compared or signed with it.
  return { token_endpoint_auth_method: 'client_secret_basic', client_secret: placeholderSecret }
}

/**
 * What we ask of an assertion besides what the library has checked: signature, issuer, subject, audience, exp and jti.
 * RFC 7523 §3: "The authorization server may reject JWTs with an "exp" claim value that is unreasonably far in the
 * future." A jti is remembered until then.
 */
export function checkAssertion({ exp }: { readonly exp?: unknown }, nowMs: number): void {
  if (typeof exp !== 'number' || exp * 1000 - nowMs > limits.clientAssertionMs)
    throw new errors.InvalidClientAuth('the client assertion lives too long')
}

/** Credentials whose key the assertion may have been signed with; without kid all of its algorithm. */
export function keysOf(
  client: Client,
  { kid, alg }: { readonly kid?: unknown; readonly alg?: unknown },
): readonly string[] {
  const { stoa_keys: keys } = client as unknown as ClientPayload
  const fits = ([_id, keyId, keyAlg]: ClientPayload['stoa_keys'][number]) =>
    kid === undefined ? keyAlg === null || keyAlg === alg : keyId === kid
  return keys.filter(fits).map(([id]) => id)
}

/** RFC 9700 §2.5 calls a client confidential when it "can authenticate"; a public one only names itself. */
export function isAuthenticated({ oidc: { client } }: KoaContextWithOIDC): boolean {
  return client !== undefined && client.clientAuthMethod !== 'none'
}
