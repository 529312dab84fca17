import type { OAuthKeys } from '../keys.ts'
import { hashValue } from '../keys.ts'

// RFC 8628 §6.1: a set "that is easy to enter … case-insensitive A-Z … without vowels"; 20^8 codes, 34.5 bits.
const alphabet = 'BCDFGHJKLMNPQRSTVWXZ'
const userCodeForm = new RegExp(`^[${alphabet}]{8}$`)

/** For the library: which characters a user code has, and where the hyphen stands. */
export const userCodeSettings = { charset: 'base-20', mask: '****-****' } as const

/**
 * A user code as it was typed: RFC 8628 §6.1 asks to "strip dashes and other punctuation" and to accept lower case. Null:
 * it can be none.
 */
export function normalUserCode(typed: string): string | null {
  const code = typed.toUpperCase().replaceAll(/[^A-Z0-9]/g, '')
  return userCodeForm.test(code) ? code : null
}

export function hashUserCode(keys: OAuthKeys, code: string): string {
  return hashValue(keys, `user-code.${code}`)
}
