import { type Random, seal, unseal } from '../kernel/index.ts'

/** Standard Webhooks: a symmetric secret is 24 to 64 random bytes, written as `whsec_` and base64. */
const secretBytes = 32
const prefix = 'whsec_'

/** A new signing secret in the form that every Standard Webhooks library takes. */
export function mintSecret(random: Random): string {
  return prefix + Buffer.from(random.bytes(secretBytes)).toString('base64')
}

/** The bytes that sign. */
export function signingKeyOf(secret: string): Buffer {
  return Buffer.from(secret.slice(prefix.length), 'base64')
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
