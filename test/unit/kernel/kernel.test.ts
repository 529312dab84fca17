import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  deriveKey,
  hashPassword,
  idPattern,
  idPrefixes,
  idTimeMs,
  isPublicAddress,
  isWellFormedToken,
  limitTable,
  mintToken,
  monthStartMs,
  newId,
  StoaError,
  safeEqual,
  seal,
  seededRandom,
  systemClock,
  systemRandom,
  toIso,
  tokenPrefixes,
  toProblem,
  unseal,
  verifyPassword,
} from '../../../src/kernel/index.ts'

const ids = { clock: systemClock, random: systemRandom }

describe('ids', () => {
  test.each(Object.keys(idPrefixes) as (keyof typeof idPrefixes)[])(
    '%s has its prefix and pattern',
    (kind) => {
      expect(newId(kind, ids)).toMatch(new RegExp(idPattern(kind)))
    },
  )

  test('a later millisecond sorts later', () => {
    const at = (nowMs: number) => newId('app', { clock: { nowMs: () => nowMs }, random: systemRandom })
    expect(at(1_700_000_000_000) < at(1_700_000_000_001)).toBe(true)
  })

  test('tell when they were made, to the millisecond', () => {
    const made = newId('event', { clock: { nowMs: () => 1_795_339_800_123 }, random: systemRandom })
    expect(idTimeMs(made)).toBe(1_795_339_800_123)
  })
})

describe('tokens', () => {
  test.each(Object.keys(tokenPrefixes) as (keyof typeof tokenPrefixes)[])(
    '%s is well formed as minted',
    (kind) => {
      const token = mintToken(kind, systemRandom)
      expect(token).toHaveLength(tokenPrefixes[kind].length + 49)
      expect(isWellFormedToken(kind, token)).toBe(true)
    },
  )

  test('any changed character breaks the checksum', () => {
    const token = mintToken('accessToken', seededRandom('checksum'))
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.constantFrom(...'09azAZ_-'), (at, letter) => {
        fc.pre(token[at] !== letter)
        const changed = token.slice(0, at) + letter + token.slice(at + 1)
        expect(isWellFormedToken('accessToken', changed)).toBe(false)
      }),
    )
  })

  test('one kind is not another', () => {
    expect(isWellFormedToken('refreshToken', mintToken('accessToken', systemRandom))).toBe(false)
  })
})

describe('sealing', () => {
  const key = deriveKey('a secret key of at least 32 characters', 'test')

  test('opens under the same key and context alone', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (plain) => {
        const wellFormed = plain.toWellFormed()
        expect(unseal(key, seal(key, wellFormed, 'row'), 'row')).toBe(wellFormed)
      }),
    )
    expect(() => unseal(key, seal(key, 'x', 'row'), 'other row')).toThrow()
    expect(() => unseal(deriveKey('another secret key', 'test'), seal(key, 'x'))).toThrow()
  })

  test('a purpose has a key of its own', () => {
    expect(deriveKey('same', 'one').equals(deriveKey('same', 'two'))).toBe(false)
  })
})

describe('passwords', () => {
  test('the right one verifies, a wrong one and a missing account do not', async () => {
    const stored = await hashPassword('correct horse battery')
    expect(await verifyPassword('correct horse battery', stored)).toBe(true)
    expect(await verifyPassword('correct horse batterz', stored)).toBe(false)
    expect(await verifyPassword('correct horse battery', null)).toBe(false)
  })

  test('the same password has another hash each time', async () => {
    expect(await hashPassword('correct horse battery')).not.toBe(await hashPassword('correct horse battery'))
  })
})

describe('addresses', () => {
  test.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.1',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b:1::1',
    'fc00::1',
    'fe80::1',
    'ff02::1',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::',
    '100::1',
    'not an address',
    '',
  ])('%s is not public', (address) => {
    expect(isPublicAddress(address)).toBe(false)
  })

  test.each(['8.8.8.8', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '2a00:1450::1'])(
    '%s is public',
    (address) => {
      expect(isPublicAddress(address)).toBe(true)
    },
  )
})

describe('errors', () => {
  // Not by defineErrors: its tables are the platform's list of codes, and this is none of them.
  const refused = (detail: string, options: ConstructorParameters<typeof StoaError>[3] = {}) =>
    new StoaError(
      'kernel_test.refused',
      { status: 409, title: 'Refused', fix: 'Do otherwise' },
      detail,
      options,
    )
  const broken = (detail: string, options: ConstructorParameters<typeof StoaError>[3] = {}) =>
    new StoaError('kernel_test.broken', { status: 500, title: 'Broken', fix: 'Wait' }, detail, options)

  test('a 4xx tells the caller what and where', () => {
    const errors = [{ pointer: '/a', code: 'type', message: 'must be string' }]
    expect(toProblem(refused('because of a', { errors }), 'req_1')).toEqual({
      type: '/docs/errors#kernel_test.refused',
      title: 'Refused',
      status: 409,
      detail: 'because of a',
      code: 'kernel_test.refused',
      requestId: 'req_1',
      errors,
    })
  })

  test('a 5xx and a surprise tell nothing of the inside', () => {
    const secret = 'connect ECONNREFUSED 10.0.3.7:5432'
    for (const error of [broken(secret, { cause: new Error(secret) }), new Error(secret), secret, null]) {
      expect(JSON.stringify(toProblem(error))).not.toContain('10.0.3.7')
    }
    expect(toProblem(new Error(secret)).code).toBe('kernel.unexpected')
  })
})

test('every limit has a positive value, a unit and a reason', () => {
  for (const [name, { value, unit, reason }] of Object.entries(limitTable)) {
    expect(value, name).toBeGreaterThan(0)
    expect(unit, name).not.toBe('')
    expect(reason.length, name).toBeGreaterThan(10)
  }
})

test('seeded chance repeats itself and stays in [0, 1)', () => {
  const run = () => {
    const random = seededRandom('42')
    return Array.from({ length: 200 }, () => random.fraction())
  }
  expect(run()).toEqual(run())
  expect(run().every((value) => value >= 0 && value < 1)).toBe(true)
})

test('months begin at UTC midnight, over year ends too', () => {
  const december = Date.UTC(2026, 11, 31, 23, 59)
  expect(toIso(monthStartMs(december))).toBe('2026-12-01T00:00:00.000Z')
  expect(toIso(monthStartMs(december, 1))).toBe('2027-01-01T00:00:00.000Z')
})

test('comparison is equality', () => {
  expect(safeEqual('abc', 'abc')).toBe(true)
  expect(safeEqual('abc', 'abd')).toBe(false)
  expect(safeEqual('abc', 'abcd')).toBe(false)
})
