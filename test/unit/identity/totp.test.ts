import { describe, expect, test } from 'vitest'
import { hashRecoveryCode, makeRecoveryCodes } from '../../../src/identity/totp/recovery-code.ts'
import { newTotpSecret, timeStepOf, totpUri } from '../../../src/identity/totp/totp.ts'
import { seededRandom } from '../../../src/kernel/index.ts'
import { totpCode } from '../../support/authenticator-app.ts'

// RFC 6238 appendix B: the SHA-1 secret "12345678901234567890"; of its eight digits an app shows the last six.
const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
const vectors: readonly (readonly [seconds: number, code: string])[] = [
  [59, '287082'],
  [1_111_111_109, '081804'],
  [1_111_111_111, '050471'],
  [1_234_567_890, '005924'],
  [2_000_000_000, '279037'],
  [20_000_000_000, '353130'],
]

describe('a code', () => {
  test.each(vectors)('of RFC 6238 appendix B at %i s is %s', (seconds, code) => {
    expect(timeStepOf(secret, code, seconds * 1000)).toBe(Math.floor(seconds / 30))
    expect(totpCode(secret, seconds * 1000)).toBe(code)
  })

  test('counts for its own step and one on either side, and says which it is', () => {
    const nowMs = 1_000_000 * 30_000
    for (const away of [-1, 0, 1])
      expect(timeStepOf(secret, totpCode(secret, nowMs + away * 30_000), nowMs)).toBe(1_000_000 + away)
    for (const away of [-2, 2])
      expect(timeStepOf(secret, totpCode(secret, nowMs + away * 30_000), nowMs)).toBeNull()
  })

  test.each(['', '28708', '2870822', '28708a', '２８７０８２', ' 287082'])('is never %j', (code) => {
    expect(timeStepOf(secret, code, 59_000)).toBeNull()
  })
})

test('a secret has 160 bits and another value each time', () => {
  const random = seededRandom('totp')
  const [one, two] = [newTotpSecret(random), newTotpSecret(random)]
  expect(one).toMatch(/^[A-Z2-7]{32}$/)
  expect(two).not.toBe(one)
})

test('the address for the app names the platform and the account', () => {
  const uri = new URL(totpUri({ secret, issuer: 'open.example', account: 'ada@dev.example' }))
  expect([uri.protocol, uri.host, decodeURIComponent(uri.pathname)]).toEqual([
    'otpauth:',
    'totp',
    '/open.example:ada@dev.example',
  ])
  expect(Object.fromEntries(uri.searchParams)).toMatchObject({
    secret,
    issuer: 'open.example',
    digits: '6',
    period: '30',
  })
})

describe('a recovery code', () => {
  const key = Buffer.alloc(32, 7)
  const [code = ''] = makeRecoveryCodes(seededRandom('codes'))

  test('has 80 bits in groups of four, and there are ten', () => {
    const codes = makeRecoveryCodes(seededRandom('codes'))
    expect(new Set(codes).size).toBe(10)
    for (const one of codes) expect(one).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$/)
  })

  test('is the same however it is typed', () => {
    const hash = hashRecoveryCode(key, 'per_1', code)
    expect(hash).not.toBeNull()
    const typings = [
      code.toLowerCase(),
      code.replaceAll('-', ''),
      ` ${code.replaceAll('-', ' ')}`,
      code.replaceAll('0', 'o').replaceAll('1', 'l'),
    ]
    for (const typed of typings) expect(hashRecoveryCode(key, 'per_1', typed)).toBe(hash)
  })

  test('is another one at another person, and under another key', () => {
    const hash = hashRecoveryCode(key, 'per_1', code)
    expect(hashRecoveryCode(key, 'per_2', code)).not.toBe(hash)
    expect(hashRecoveryCode(Buffer.alloc(32, 8), 'per_1', code)).not.toBe(hash)
  })

  test.each(['', '123456', 'AAAA-BBBB-CCCC', 'UUUU-UUUU-UUUU-UUUU', 'Ａ'.repeat(16)])(
    'is never %j',
    (typed) => expect(hashRecoveryCode(key, 'per_1', typed)).toBeNull(),
  )
})
