import { WebhookVerificationError } from './webhook-error.ts'

/** A JSON Web Key of `/.well-known/webhooks.json`; other members are not looked at. */
export interface WebhookJwk {
  readonly kty: string
  readonly crv?: string
  readonly x?: string
  readonly [member: string]: unknown
}

/**
 * What verifies: `whsec_…` or the bytes of a secret (v1), `whpk_…` (v1a), a JSON Web Key or a set of them. A set must be that of your endpoint
 * (`?endpoint=end_…`): the signature of another endpoint's key proves nothing to yours.
 */
export type WebhookKey = string | Uint8Array | WebhookJwk | { readonly keys: readonly WebhookJwk[] }

/** A key ready to verify signatures of one version. */
export interface ImportedKey {
  readonly version: 'v1' | 'v1a'
  readonly algorithm: 'HMAC' | 'Ed25519'
  readonly key: CryptoKey
}

type Bytes = Uint8Array<ArrayBuffer>

/** Bytes of base64 or base64url, with or without padding; null for anything else. */
export function decodeBase64(text: string): Bytes | null {
  const plain = text.replaceAll('-', '+').replaceAll('_', '/').replace(/=+$/, '')
  if (!/^[A-Za-z0-9+/]*$/.test(plain) || plain.length % 4 === 1) return null
  return Uint8Array.from(atob(plain), (letter) => letter.charCodeAt(0))
}

const publicKeyBytes = 32

// The specification wants 24 to 64 bytes; how good a secret is, its maker decides. An empty one would accept what
// anybody signs.
async function importSecret(bytes: Bytes | null): Promise<ImportedKey> {
  if (bytes === null || bytes.length === 0)
    throw new WebhookVerificationError('invalid_key', 'a secret is whsec_ and base64')
  const key = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, [
    'verify',
  ])
  return { version: 'v1', algorithm: 'HMAC', key }
}

async function importPublicKey(bytes: Bytes | null): Promise<ImportedKey> {
  if (bytes?.length !== publicKeyBytes)
    throw new WebhookVerificationError('invalid_key', 'a public key is whpk_ and the base64 of 32 bytes')
  const key = await crypto.subtle.importKey('raw', bytes, { name: 'Ed25519' }, false, ['verify'])
  return { version: 'v1a', algorithm: 'Ed25519', key }
}

// RFC 8037 §2: kty OKP, crv Ed25519, x the public key in base64url.
async function importJwk({ kty, crv, x }: WebhookJwk): Promise<ImportedKey> {
  if (kty !== 'OKP' || crv !== 'Ed25519' || typeof x !== 'string')
    throw new WebhookVerificationError('invalid_key', 'a JSON Web Key must be of kty OKP and crv Ed25519')
  return importPublicKey(decodeBase64(x))
}

async function importText(text: string): Promise<ImportedKey> {
  if (text.startsWith('whpk_')) return importPublicKey(decodeBase64(text.slice('whpk_'.length)))
  if (text.startsWith('whsk_'))
    throw new WebhookVerificationError('invalid_key', 'a private key does not verify; use whpk_')
  return importSecret(decodeBase64(text.startsWith('whsec_') ? text.slice('whsec_'.length) : text))
}

function importKey(key: WebhookKey): readonly Promise<ImportedKey>[] {
  if (typeof key === 'string') return [importText(key)]
  if (key instanceof Uint8Array) return [importSecret(Uint8Array.from(key))]
  const jwks = 'keys' in key && Array.isArray(key.keys) ? (key.keys as readonly WebhookJwk[]) : [key]
  return jwks.map((jwk) => importJwk(jwk as WebhookJwk))
}

/** Reads the keys. @throws WebhookVerificationError invalid_key, also when there is none at all */
export async function importKeys(keys: WebhookKey | readonly WebhookKey[]): Promise<readonly ImportedKey[]> {
  const list = Array.isArray(keys) ? (keys as readonly WebhookKey[]) : [keys as WebhookKey]
  const imported = await Promise.all(list.flatMap(importKey))
  if (imported.length > 0) return imported
  throw new WebhookVerificationError('invalid_key', 'there is no key to verify with')
}
