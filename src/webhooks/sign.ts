import { ed25519KeyOf, hmacSha256Base64 } from '../kernel/index.ts'
import { schemeOf, signingKeyOf } from './secret.ts'

export interface Signable {
  /** The event's id: the same over all attempts. */
  readonly eventId: string
  /** Seconds since 1970 of this attempt. */
  readonly sentAtS: number
  /** The exact text of the request's body. */
  readonly body: string
}

/** Signs a text with one secret: `v1,…` or `v1a,…`. */
export type Signer = (content: string) => string

/** Reads a secret (`whsec_…`, `whsk_…`) once; what it gives signs many times. */
export function signerOf(secret: string): Signer {
  const key = signingKeyOf(secret)
  if (schemeOf(secret) === 'v1') return (content) => `v1,${hmacSha256Base64(key, content)}`
  const pair = ed25519KeyOf(key)
  return (content) => `v1a,${pair.sign(content).toString('base64')}`
}

/**
 * The value of `webhook-signature`: one signature per live secret, separated by spaces, so that a receiver that knows
 * either secret of a rotation accepts it. Standard Webhooks 1.0.0: over `{id}.{timestamp}.{body}`, HMAC-SHA256 (v1) or
 * Ed25519 (v1a).
 */
export function sign({ eventId, sentAtS, body }: Signable, signers: readonly Signer[]): string {
  const content = `${eventId}.${sentAtS}.${body}`
  return signers.map((signWith) => signWith(content)).join(' ')
}
