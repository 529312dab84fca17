import { hmacSha256, limits, type Random } from '../../kernel/index.ts'

// Crockford's, in which nobody reads one character for another.
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
// 80 bits: nobody finds one of ten by trying, not even with the table and the key.
const codeLength = 16

function makeCode(random: Random): string {
  const characters = [...random.bytes(codeLength)].map((byte) => alphabet.charAt(byte & 31))
  return characters.join('').replaceAll(/(.{4})(?=.)/g, '$1-')
}

/** New codes as the person writes them down: `4M7Q-…`. */
export function makeRecoveryCodes(random: Random): readonly string[] {
  return Array.from({ length: limits.recoveryCodes }, () => makeCode(random))
}

/**
 * What is stored of a code, however it is typed: small letters, no hyphens, an O for a 0. Null when it cannot be one.
 * The person is in it, so that one person's code is nothing at another's.
 */
export function hashRecoveryCode(key: Uint8Array, personId: string, typed: string): string | null {
  const code = typed.toUpperCase().replaceAll(/[\s-]/g, '').replaceAll('O', '0').replaceAll(/[IL]/g, '1')
  if (code.length !== codeLength || [...code].some((character) => !alphabet.includes(character))) return null
  return hmacSha256(key, `${personId} ${code}`).toString('base64url')
}
