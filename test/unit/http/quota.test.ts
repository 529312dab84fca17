import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AppCaller, Caller } from '../../../src/capability/index.ts'
import { clientAddressOf } from '../../../src/http/client-address.ts'
import { quotaFields, refusalFields } from '../../../src/http/quota/header-fields.ts'
import {
  grantOf,
  isUsedUp,
  makeQuotas,
  portionOf,
  type Quota,
  shareAfter,
  standingOf,
  subjectOf,
} from '../../../src/http/quota/quota.ts'
import { limits } from '../../../src/kernel/index.ts'

const quota = (max: number): Quota => ({ name: 'installation', max, windowMs: 60_000 })

describe('portions', () => {
  test('all grants of a window together are the quota, however many ask for whatever portions', () => {
    const asks = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 200 })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_000 }), asks, (max, portions) => {
        let asked = 0
        let granted = 0
        for (const portion of portions) {
          asked += portion
          granted += grantOf(quota(max), portion, { asked, msLeft: 1 })
        }
        expect(granted).toBe(Math.min(max, asked))
      }),
    )
  })

  test('a portion is a twentieth, and at least one request', () => {
    expect([1, 19, 20, 21, 1_200].map((max) => portionOf(quota(max)))).toEqual([1, 1, 1, 2, 60])
  })

  test('a share ends with its window, and what is left of it is worth nothing afterwards', () => {
    const share = shareAfter(quota(40), { asked: 2, msLeft: 500 }, 1_000)
    expect(share).toEqual({ left: 2, untaken: 38, endsAtMs: 1_500 })
    expect(standingOf(quota(40), share, 1_499)).toMatchObject({ remaining: 40, resetMs: 1 })
    expect(standingOf(quota(40), { ...share, left: 0, untaken: 0 }, 1_500)).toMatchObject({
      remaining: 40,
      resetMs: 60_000,
    })
  })

  test('used up is who has nothing left to spend and nothing to take', () => {
    const share = { left: 0, untaken: 0, endsAtMs: 10 }
    expect(isUsedUp(undefined, 0)).toBe(false)
    expect(isUsedUp(share, 9)).toBe(true)
    expect(isUsedUp(share, 10)).toBe(false)
    expect(isUsedUp({ ...share, left: 1 }, 9)).toBe(false)
    expect(isUsedUp({ ...share, untaken: 1 }, 9)).toBe(false)
  })

  test('a factor multiplies every quota, and nobody is left with nothing', () => {
    const maxOf = (factor: number) =>
      Object.fromEntries(makeQuotas(factor).map(({ name, max }) => [name, max]))
    expect(maxOf(1)).toMatchObject({
      installation: limits.quotaInstallationMax,
      person: limits.quotaPersonMax,
    })
    expect(maxOf(2)).toMatchObject({ installation: 2 * limits.quotaInstallationMax })
    expect(maxOf(0.001)).toMatchObject({ person: 1, host: limits.quotaHostMax / 1000 })
  })
})

describe('whose quota', () => {
  const app: AppCaller = {
    ...{ kind: 'app', appId: 'app_1', installation: null, personId: null },
    ...{ scopes: new Set<string>(), bounds: [] },
  }
  const installation = { appId: 'app_1', installationId: 'ins_1', merchantId: 'mer_1', grantEpoch: 1 }

  test('an app pays per merchant, by a token of its own for itself; nobody else pays for anybody', () => {
    const person = { kind: 'person', personId: 'per_1' } as Caller
    const keyOf = (caller: Caller) => {
      const { quota: name, key } = subjectOf(caller, '192.0.2.1')
      return `${name} ${key}`
    }
    expect(keyOf({ ...app, installation })).toBe('installation ins_1')
    expect(keyOf(app)).toBe('app app_1')
    expect(keyOf(person)).toBe('person per_1')
    expect(keyOf({ kind: 'host' })).toBe('host host')
    expect(keyOf({ kind: 'anonymous' })).toBe('address 192.0.2.1')
  })
})

describe('header fields', () => {
  const standing = { quota: quota(1_200), remaining: 1_199, resetMs: 59_001 }

  test('RateLimit and RateLimit-Policy are structured fields: a named item with its parameters', () => {
    expect(quotaFields(standing)).toEqual({
      'ratelimit-policy': '"installation";q=1200;w=60',
      ratelimit: '"installation";r=1199;t=60',
    })
  })

  test('a refusal says that nothing is left and when to come again, at least a second later', () => {
    expect(refusalFields({ ...standing, resetMs: 0 })).toEqual({
      'ratelimit-policy': '"installation";q=1200;w=60',
      ratelimit: '"installation";r=0;t=0',
      'retry-after': '1',
    })
    expect(refusalFields({ ...standing, resetMs: 12_345 })['retry-after']).toBe('13')
  })
})

describe('the address of a request to upgrade', () => {
  const request = (forwarded?: string) =>
    ({
      headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
      socket: { remoteAddress: '10.0.0.1' },
    }) as Parameters<typeof clientAddressOf>[0]
  const nobody = () => false
  const inside = (address: string) => address.startsWith('10.')

  test('without trusted proxies it is the connection’s, whatever X-Forwarded-For says', () => {
    expect(clientAddressOf(request('203.0.113.7'), nobody)).toBe('10.0.0.1')
  })

  test('with them it is what the outermost trusted one has seen, whatever stood there before', () => {
    expect(clientAddressOf(request('198.51.100.1, 203.0.113.7, 10.0.0.2'), inside)).toBe('203.0.113.7')
    expect(clientAddressOf(request('10.0.0.3'), inside)).toBe('10.0.0.3')
    expect(clientAddressOf(request(), inside)).toBe('10.0.0.1')
  })
})
