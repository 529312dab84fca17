import { describe, expect, test } from 'vitest'
import {
  attemptsKey,
  networkOf,
  secondFactorWindow,
  waitMsOf,
} from '../../../src/identity/sign-in/throttle.ts'
import { limits } from '../../../src/kernel/index.ts'

describe('the network of an address', () => {
  test.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:DB8:1:2::9', '2001:db8:1:2'],
    ['2001:db8::9', '2001:db8:0:0'],
    ['2001:0db8:0001:0000:0000:0000:0000:0001', '2001:db8:1:0'],
    ['::1', '0:0:0:0'],
    ['1::', '1:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['local', 'local'],
  ])('of %s is %s', (address, network) => expect(networkOf(address)).toBe(network))
})

describe('the key of attempts', () => {
  const base = { purpose: 'sign-in', account: 'a@shop.example', address: '192.0.2.7' } as const

  test('differs by account, by address and by purpose', () => {
    const keys = [
      base,
      { ...base, account: 'b@shop.example' },
      { ...base, address: '192.0.2.8' },
      { ...base, purpose: 'register' } as const,
    ].map(attemptsKey)
    expect(new Set(keys).size).toBe(4)
  })

  test('holds neither in readable form', () => {
    expect(attemptsKey(base)).toMatch(/^[0-9a-f]{64}$/)
  })
})

describe('waiting', () => {
  const endsAtMs = 1_000_000

  test('is asked of nobody below the limit', () => {
    expect(waitMsOf(null, endsAtMs - 1)).toBe(0)
    expect(waitMsOf({ failures: limits.signInFailuresMax - 1, endsAtMs }, endsAtMs - 1)).toBe(0)
  })

  test('lasts until the window ends, however many attempts come', () => {
    const attempts = { failures: limits.signInFailuresMax, endsAtMs }
    expect(waitMsOf(attempts, endsAtMs - 1000)).toBe(1000)
    expect(waitMsOf(attempts, endsAtMs)).toBe(0)
  })

  test('begins where the window says', () => {
    const attempts = { failures: limits.secondFactorFailuresMax, endsAtMs }
    expect(waitMsOf(attempts, endsAtMs - 1000)).toBe(0)
    expect(waitMsOf(attempts, endsAtMs - 1000, secondFactorWindow)).toBe(1000)
  })
})
