import { Secret, TOTP } from 'otpauth'
import type { Random } from '../../kernel/index.ts'

const periodS = 30
// What every authenticator app understands; several ignore any other value in the address.
const parameters = { algorithm: 'SHA1', digits: 6, period: periodS } as const
// RFC 4226 §4, R6: "The length of the shared secret MUST be at least 128 bits. This document RECOMMENDs a shared secret
// length of 160 bits."
const secretBytes = 20

/** A new shared secret, base32. */
export function newTotpSecret(random: Random): string {
  const bytes = Uint8Array.from(random.bytes(secretBytes))
  return new Secret({ buffer: bytes.buffer }).base32
}

/** The otpauth: address from which an authenticator app takes the secret. */
export function totpUri(of: {
  readonly secret: string
  /** What the app calls the platform, and the account there. */
  readonly issuer: string
  readonly account: string
}): string {
  const { issuer, account } = of
  return new TOTP({ ...parameters, issuer, label: account, secret: Secret.fromBase32(of.secret) }).toString()
}

/**
 * The time step (RFC 6238 §4.2) whose code this is, or null. One step before and after now counts: §5.2 recommends "that
 * at most one time step is allowed as the network delay".
 */
export function timeStepOf(secret: string, code: string, nowMs: number): number | null {
  if (!/^\d{6}$/.test(code)) return null
  const totp = new TOTP({ ...parameters, secret: Secret.fromBase32(secret) })
  const delta = totp.validate({ token: code, timestamp: nowMs, window: 1 })
  return delta === null ? null : Math.floor(nowMs / 1000 / periodS) + delta
}
