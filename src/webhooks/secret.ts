import { ed25519KeyOf, type Random, seal, unseal } from '../kernel/index.ts'
import type { SignatureScheme } from './endpoint.ts'

/** Standard Webhooks: a symmetric secret is 24 to 64 random bytes, written as `whsec_` and base64. */
const secretBytes = 32
const seedBytes = 32
/** "whsk_ for the private key", whose bytes are an Ed25519 seed and its public key. */
const prefixes = { v1: 'whsec_', v1a: 'whsk_' } as const
const publicPrefix = 'whpk_'

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')

/** A new signing secret in the form that every Standard Webhooks library takes. */
export function mintSecret(random: Random, scheme: SignatureScheme = 'v1'): string {
  if (scheme === 'v1') return prefixes.v1 + base64(random.bytes(secretBytes))
  const seed = random.bytes(seedBytes)
  return prefixes.v1a + base64(Buffer.concat([seed, ed25519KeyOf(seed).publicKey]))
}

/** What a secret signs with: its form says which scheme it is of. */
export function schemeOf(secret: string): SignatureScheme {
  return secret.startsWith(prefixes.v1a) ? 'v1a' : 'v1'
}

/** The bytes that sign: an HMAC key, or an Ed25519 seed. */
export function signingKeyOf(secret: string): Buffer {
  const scheme = schemeOf(secret)
  const bytes = Buffer.from(secret.slice(prefixes[scheme].length), 'base64')
  return scheme === 'v1' ? bytes : bytes.subarray(0, seedBytes)
}

/** RFC 8037 §2: the public key of an Ed25519 key pair as a JSON Web Key. */
export interface PublicJwk {
  readonly kty: 'OKP'
  readonly crv: 'Ed25519'
  /** The key's 32 bytes, base64url. */
  readonly x: string
}

/** The public half of a v1a secret; null for v1, which has none. */
export function publicJwkOf(secret: string): PublicJwk | null {
  if (schemeOf(secret) === 'v1') return null
  const { publicKey } = ed25519KeyOf(signingKeyOf(secret))
  return { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey).toString('base64url') }
}

/** The same key as Standard Webhooks writes it: `whpk_` and base64. */
export function publicKeyTextOf({ x }: PublicJwk): string {
  return publicPrefix + base64(Buffer.from(x, 'base64url'))
}

// Bound to its row: a sealed secret that was copied to another endpoint does not open.
function contextOf(secretId: string): string {
  return `endpoint_secret:${secretId}`
}

/** The form in which a secret is stored. `key`: 32 bytes. */
export function sealSecret(key: Uint8Array, secretId: string, secret: string): string {
  return seal(key, secret, contextOf(secretId))
}

/** Opens what `sealSecret` made; throws when key or row differ. */
export function openSecret(key: Uint8Array, secretId: string, sealed: string): string {
  return unseal(key, sealed, contextOf(secretId))
}
