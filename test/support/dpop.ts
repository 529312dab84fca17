import { createHash, randomUUID } from 'node:crypto'
import { exportJWK, SignJWT } from 'jose'

export interface ProofOptions {
  readonly method: string
  readonly url: string
  /** With it the proof holds its hash: what the API asks for. */
  readonly accessToken?: string
  /** Claims that differ from an honest proof's; undefined leaves one out. */
  readonly claims?: Readonly<Record<string, unknown>>
  readonly header?: Readonly<Record<string, unknown>>
  readonly nowMs?: number
}

function without(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}

/** A DPoP proof as RFC 9449 §4.2 describes it, and any that differs from it as a test says. */
export async function makeProof(key: CryptoKeyPair, options: ProofOptions): Promise<string> {
  const { method, url, accessToken, claims = {}, header = {}, nowMs = Date.now() } = options
  const ath =
    accessToken === undefined ? undefined : createHash('sha256').update(accessToken).digest('base64url')
  const honest = {
    ...{ jti: randomUUID(), htm: method, htu: url, ath },
    iat: Math.floor(nowMs / 1000),
  }
  return new SignJWT(without({ ...honest, ...claims }))
    .setProtectedHeader({
      ...{ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(key.publicKey) },
      ...header,
    } as Parameters<SignJWT['setProtectedHeader']>[0])
    .sign(key.privateKey)
}

/** The headers of a request with a bound token. */
export async function dpopHeaders(
  key: CryptoKeyPair,
  request: ProofOptions & { readonly accessToken: string },
): Promise<Record<string, string>> {
  return { authorization: `DPoP ${request.accessToken}`, dpop: await makeProof(key, request) }
}
