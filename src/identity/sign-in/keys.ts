import { deriveKey } from '../../kernel/index.ts'

/** What signing in seals and hashes with; each use has a key of its own. */
export interface SignInKeys {
  readonly steps: Uint8Array
  readonly totpSecrets: Uint8Array
  readonly recoveryCodes: Uint8Array
}

/** The keys that follow from the platform's secret key. */
export function makeSignInKeys(secretKey: string): SignInKeys {
  return {
    steps: deriveKey(secretKey, 'sign-in-steps'),
    totpSecrets: deriveKey(secretKey, 'totp-secrets'),
    recoveryCodes: deriveKey(secretKey, 'recovery-codes'),
  }
}
