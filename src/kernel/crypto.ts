import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  hkdfSync,
  randomBytes,
  scrypt,
  sign,
  timingSafeEqual,
} from 'node:crypto'
import { assert } from './assert.ts'

/** SHA-256, lower-case hex. */
export function sha256Hex(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

/** HMAC-SHA256 in base64: as `hmacSha256`, without the buffer in between. */
export function hmacSha256Base64(key: string | Uint8Array, data: string | Uint8Array): string {
  return createHmac('sha256', key).update(data).digest('base64')
}

/** HMAC-SHA256, 32 bytes. */
export function hmacSha256(key: string | Uint8Array, data: string | Uint8Array): Buffer {
  return createHmac('sha256', key).update(data).digest()
}

// RFC 8410 §7: the DER form of an Ed25519 private key is this and its 32 bytes.
const ed25519Der = Buffer.from('302e020100300506032b657004220420', 'hex')

/** An Ed25519 key (RFC 8032) from its 32-byte seed: its public key and what it signs with, 64 bytes each time. */
export function ed25519KeyOf(seed: Uint8Array): {
  readonly publicKey: Uint8Array
  sign(data: string | Uint8Array): Buffer
} {
  assert(seed.length === 32, 'an Ed25519 seed has 32 bytes')
  const key = createPrivateKey({ key: Buffer.concat([ed25519Der, seed]), format: 'der', type: 'pkcs8' })
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' })
  return {
    publicKey: Buffer.from(x, 'base64url'),
    sign: (data) => sign(null, Buffer.from(data), key),
  }
}

/** Compares in constant time; texts of different length are unequal. */
export function safeEqual(a: string | Uint8Array, b: string | Uint8Array): boolean {
  const left = createHash('sha256').update(a).digest()
  const right = createHash('sha256').update(b).digest()
  return timingSafeEqual(left, right)
}

/** A 32-byte key for one purpose from the platform's secret key (HKDF-SHA256, RFC 5869). */
export function deriveKey(secret: string | Uint8Array, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, 'stoa', purpose, 32))
}

/**
 * Seals a text with AES-256-GCM under a 32-byte key: `v1.` + base64url(nonce ‖ tag ‖ ciphertext).
 * `context` is authenticated, so that a sealed value moved to another row does not open.
 */
export function seal(key: Uint8Array, plain: string, context = ''): string {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context))
  const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
  return `v1.${Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url')}`
}

/** Opens what `seal` made; throws when the key, the context or a bit differs. */
export function unseal(key: Uint8Array, sealed: string, context = ''): string {
  assert(sealed.startsWith('v1.'), 'a sealed value starts with v1.')
  const bytes = Buffer.from(sealed.slice(3), 'base64url')
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 })
    .setAAD(Buffer.from(context))
    .setAuthTag(bytes.subarray(12, 28))
  return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8')
}

// OWASP's scrypt row with 16 MiB of memory: N = 2^14, r = 8, p = 5; about 150 ms here.
const scryptCost = { N: 2 ** 14, r: 8, p: 5 } as const

function scryptHash(password: string, salt: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFKC'), salt, 32, scryptCost, (error, hash) => {
      if (error === null) resolve(hash)
      else reject(error)
    })
  })
}

/** Hash of a password chosen by a human: `scrypt$salt$hash`, base64url. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16)
  const hash = await scryptHash(password, salt)
  return `scrypt$${salt.toString('base64url')}$${hash.toString('base64url')}`
}

/** Whether the password matches. Without a hash (unknown account) it takes the same time and is false. */
export async function verifyPassword(password: string, stored: string | null): Promise<boolean> {
  const [, salt = '', hash = ''] = (stored ?? `scrypt$${Buffer.alloc(16).toString('base64url')}$-`).split('$')
  const actual = await scryptHash(password, Buffer.from(salt, 'base64url'))
  return stored !== null && safeEqual(actual.toString('base64url'), hash)
}
