import { deriveKey, hmacSha256 } from '../kernel/index.ts'

/** One key per purpose, all from the platform's secret key. */
export interface OAuthKeys {
  /** Pepper of the hashes under which tokens and states are kept. */
  readonly values: Uint8Array
  /** Pepper of client secrets. */
  readonly clientSecrets: Uint8Array
  /** Seals the answer of a rotation; used only together with the old refresh token's own value. */
  readonly replayBoxes: Uint8Array
  readonly signingKeys: Uint8Array
  /** Makes what one app knows a person or installation by unlike what another does. */
  readonly subjects: Uint8Array
  readonly cookies: string
}

export function deriveOAuthKeys(secretKey: string): OAuthKeys {
  return {
    values: deriveKey(secretKey, 'oauth-value'),
    clientSecrets: deriveKey(secretKey, 'client-secret'),
    replayBoxes: deriveKey(secretKey, 'oauth-replay-box'),
    signingKeys: deriveKey(secretKey, 'oauth-signing-key'),
    subjects: deriveKey(secretKey, 'oauth-subject'),
    cookies: deriveKey(secretKey, 'oauth-cookie').toString('base64url'),
  }
}

/** The hash under which a token, code, session or interaction is kept: the database alone opens nothing. */
export function hashValue(keys: OAuthKeys, value: string): string {
  return hmacSha256(keys.values, value).toString('hex')
}

/** How `credential.secret_hash` is made of a client secret. */
export function makeClientSecretHash(secretKey: string): (secret: string) => string {
  const pepper = deriveOAuthKeys(secretKey).clientSecrets
  return (secret) => hmacSha256(pepper, secret).toString('hex')
}
