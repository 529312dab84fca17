import type { PublicKey } from './public-key.ts'

export const credentialKinds = ['secret', 'key'] as const

/** What an app proves itself with: a client secret, of which only the hash is kept, or the public half of a key. */
export interface CredentialView {
  readonly id: string
  readonly kind: (typeof credentialKinds)[number]
  /** The last four characters of the secret or of the key's thumbprint, to tell two apart. */
  readonly hint: string
  readonly createdAtMs: number
  /** Null: until it is revoked. */
  readonly expiresAtMs: number | null
  /** To the minute; null: never. */
  readonly lastUsedAtMs: number | null
  readonly publicKey: PublicKey | null
}
