import { createHash } from 'node:crypto'
import { calculateJwkThumbprint, EmbeddedJWK, type JWTPayload, errors as joseErrors, jwtVerify } from 'jose'
import { type Clock, limits, safeEqual, toDate } from '../../kernel/index.ts'
import { OAuthErrors } from '../errors.ts'
import { signatureAlgorithms } from './algorithms.ts'

/** A request for the API with an access token under the scheme DPoP (RFC 9449 §7.1). */
export interface ProvenRequest {
  readonly accessToken: string
  /** The header DPoP as it came; undefined: none. */
  readonly proof: string | undefined
  readonly method: string
  /** The address as the world sees it, without query. */
  readonly url: string
}

/** What a proof that fits says: who holds the key, and the mark of this one request. */
export interface Proof {
  /** RFC 7638 thumbprint of its key. */
  readonly jkt: string
  readonly jti: string
  /** From then on it is refused for its age. */
  readonly expiresAtMs: number
}

interface Verified {
  readonly payload: JWTPayload
  readonly jkt: string
}

function refused(why: string, cause?: unknown): Error {
  return OAuthErrors.dpop_proof_refused(`the DPoP proof ${why}`, { ...(cause !== undefined && { cause }) })
}

// RFC 9449 §4.3 items 2 to 6: one header with one JWT, typ dpop+jwt, an asymmetric algorithm, the signature by the key
// in its own header, and no private part in that key.
async function verify(proof: string | undefined, clock: Clock): Promise<Verified> {
  if (proof === undefined || proof === '') throw refused('is missing')
  if (proof.length > limits.dpopProofLengthMax) throw refused('is too long')
  try {
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      algorithms: [...signatureAlgorithms],
      typ: 'dpop+jwt',
      currentDate: toDate(clock.nowMs()),
    })
    return { payload, jkt: await calculateJwkThumbprint(protectedHeader.jwk ?? {}) }
  } catch (error) {
    if (error instanceof joseErrors.JOSEError || error instanceof TypeError)
      throw refused('is no valid dpop+jwt', error)
    throw error
  }
}

// RFC 9449 §4.3 item 9: "The htu claim matches the HTTP URI value for the HTTP request in which the JWT was received,
// ignoring any query and fragment parts", after the normalization of RFC 3986 §6.2.2 and §6.2.3.
function normalized(uri: unknown): string | null {
  if (typeof uri !== 'string' || !URL.canParse(uri)) return null
  const url = new URL(uri)
  url.search = ''
  url.hash = ''
  return url.href
}

function checkRequest({ htm, htu, ath }: JWTPayload, request: ProvenRequest): void {
  if (htm !== request.method) throw refused('was made for another method (htm)')
  const wanted = normalized(request.url)
  if (wanted === null || normalized(htu) !== wanted) throw refused('was made for another address (htu)')
  // RFC 9449 §4.3 item 12: "The value of the ath claim equals the hash of that access token".
  const hash = createHash('sha256').update(request.accessToken).digest('base64url')
  if (typeof ath !== 'string' || !safeEqual(ath, hash)) throw refused('was made for another token (ath)')
}

function checkAge({ iat }: JWTPayload, clock: Clock): number {
  if (typeof iat !== 'number' || !Number.isFinite(iat)) throw refused('has no time (iat)')
  const ageMs = clock.nowMs() - iat * 1000
  // A proof made in the current second may carry a time up to one second ahead.
  if (ageMs > limits.dpopProofMs || ageMs < -limits.dpopProofMs)
    throw refused(`is ${Math.round(ageMs / 1000)} s old by the platform’s clock (iat)`)
  // Longer than it is good for: the clocks of the nodes, one of which sweeps the marks, may differ.
  return iat * 1000 + 2 * limits.dpopProofMs
}

/**
 * Checks everything that the proof itself can tell; whether it was used before is the caller's question.
 * @throws oauth.dpop_proof_refused
 */
export async function readProof(request: ProvenRequest, clock: Clock): Promise<Proof> {
  const { payload, jkt } = await verify(request.proof, clock)
  checkRequest(payload, request)
  const expiresAtMs = checkAge(payload, clock)
  const { jti } = payload
  if (typeof jti !== 'string' || jti === '' || jti.length > limits.dpopJtiLengthMax)
    throw refused('has no usable jti')
  return { jkt, jti, expiresAtMs }
}
