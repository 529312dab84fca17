import { crc32 } from 'node:zlib'
import type { Random } from './random.ts'

/** Every secret a caller may hold, with the prefix that lets scanners and people recognise it. */
export const tokenPrefixes = {
  accessToken: 'stoa_at_',
  authorizationCode: 'stoa_ac_',
  clientSecret: 'stoa_cs_',
  deviceCode: 'stoa_dc_',
  hostKey: 'stoa_hk_',
  invitation: 'stoa_iv_',
  personalToken: 'stoa_pt_',
  refreshToken: 'stoa_rt_',
  session: 'stoa_se_',
  sessionToken: 'stoa_st_',
} as const

export type TokenKind = keyof typeof tokenPrefixes

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const randomLength = 43
const checksumLength = 6

function base62(value: number, length: number): string {
  let text = ''
  let rest = value
  for (let i = 0; i < length; i += 1) {
    text = alphabet.charAt(rest % 62) + text
    rest = Math.floor(rest / 62)
  }
  return text
}

function checksum(text: string): string {
  return base62(crc32(text), checksumLength)
}

// Bytes of 248 and more are thrown away, or the first eight letters would come up more often than the others.
function randomBase62(random: Random, length: number): string {
  let text = ''
  while (text.length < length) {
    for (const byte of random.bytes(length)) {
      if (byte < 248 && text.length < length) text += alphabet.charAt(byte % 62)
    }
  }
  return text
}

/** prefix + 43 base62 characters (256 bit) + 6 base62 characters of CRC-32 over all before. */
export function mintToken(kind: TokenKind, random: Random): string {
  const body = tokenPrefixes[kind] + randomBase62(random, randomLength)
  return body + checksum(body)
}

/** Whether the text has the form and checksum of such a token: lets a door refuse garbage before any query. */
export function isWellFormedToken(kind: TokenKind, text: string): boolean {
  const prefix = tokenPrefixes[kind]
  if (text.length !== prefix.length + randomLength + checksumLength || !text.startsWith(prefix)) return false
  return checksum(text.slice(0, -checksumLength)) === text.slice(-checksumLength)
}
