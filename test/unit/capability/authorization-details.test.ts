import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hostCapabilities } from '../../../src/capabilities/index.ts'
import {
  type AuthorizationDetail,
  askWithin,
  makeBoundTypes,
  meetDetails,
} from '../../../src/capability/index.ts'

const types = makeBoundTypes(hostCapabilities)
const refund = (members: object = {}): AuthorizationDetail => ({
  type: 'refund',
  currency: 'CNY',
  ...members,
})
const shops = (...ids: string[]): AuthorizationDetail => ({ type: 'shops', ids })

describe('what is asked for against what is allowed', () => {
  test.each<[string, AuthorizationDetail[], AuthorizationDetail[], AuthorizationDetail[]]>([
    [
      'nothing leaves every limit in force',
      [refund({ max_amount_per_day: 9 })],
      [],
      [refund({ max_amount_per_day: 9 })],
    ],
    ['nothing opens no reach', [{ type: 'shops' }], [], []],
    [
      'a lower limit is granted, the others of its currency stay, another currency is not asked for',
      [refund({ max_amount_per_order: 5, max_amount_per_day: 9 }), refund({ currency: 'USD' })],
      [refund({ max_amount_per_order: 2 })],
      [refund({ max_amount_per_order: 2, max_amount_per_day: 9 })],
    ],
    [
      'any shops where the manifest only announces',
      [{ type: 'shops' }],
      [shops('a', 'b')],
      [shops('a', 'b')],
    ],
    ['some of the shops', [shops('a', 'b')], [shops('b')], [shops('b')]],
  ])('%s', (_what, allowed, asked, details) => {
    expect(askWithin(types, allowed, asked)).toEqual({ ok: true, details })
  })

  test.each<[string, AuthorizationDetail[], AuthorizationDetail]>([
    ['a higher limit', [refund({ max_amount_per_day: 9 })], refund({ max_amount_per_day: 10 })],
    ['another currency', [refund()], refund({ currency: 'USD' })],
    ['a type that is not allowed', [refund()], shops('a')],
    ['a type that does not exist', [refund()], { type: 'everything' }],
    ['one more shop', [shops('a')], shops('a', 'b')],
    ['shops without saying which', [{ type: 'shops' }], { type: 'shops' }],
  ])('%s is refused', (_what, allowed, asked) => {
    expect(askWithin(types, allowed, [asked])).toEqual({ ok: false, outside: asked })
  })
})

describe('a token under a grant that has changed', () => {
  test.each<[string, AuthorizationDetail[], AuthorizationDetail[], AuthorizationDetail[]]>([
    [
      'a limit that came later binds',
      [refund({ max_amount_per_day: 9 })],
      [],
      [refund({ max_amount_per_day: 9 })],
    ],
    [
      'a limit of the token alone binds',
      [],
      [refund({ max_amount_per_day: 9 })],
      [refund({ max_amount_per_day: 9 })],
    ],
    [
      'of two limits the lower one',
      [refund({ max_amount_per_day: 9 })],
      [refund({ max_amount_per_day: 4 })],
      [refund({ max_amount_per_day: 4 })],
    ],
    [
      'a currency that the grant no longer names is over',
      [refund({ currency: 'USD' }), refund({ max_amount_per_day: 9 })],
      [refund()],
      [refund({ max_amount_per_day: 9 })],
    ],
    [
      'of two that have no currency in common nothing is left, which is not the same as no limit',
      [refund({ currency: 'USD' })],
      [refund()],
      [refund({ currency: 'USD', max_amount_per_order: 0, max_amount_per_day: 0 })],
    ],
    ['shops of the grant alone are not the token’s', [shops('a')], [], []],
    ['shops of the token alone are over', [], [shops('a')], []],
    ['of shops what both have', [shops('a', 'b')], [shops('b', 'c')], [shops('b')]],
  ])('%s', (_what, grant, token, details) => {
    expect(meetDetails(types, grant, token)).toEqual(details)
  })

  const amount = fc.option(fc.integer({ min: 1, max: 50 }), { nil: undefined })
  const detail = fc.oneof(
    fc.record({
      type: fc.constant('refund'),
      currency: fc.constantFrom('CNY', 'USD'),
      max_amount_per_order: amount,
      max_amount_per_day: amount,
    }),
    fc.record({
      type: fc.constant('shops'),
      ids: fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 1 }),
    }),
  )
  const details = fc.array(detail, { maxLength: 5 }) as fc.Arbitrary<AuthorizationDetail[]>

  function reach(list: readonly AuthorizationDetail[]): ReadonlySet<unknown> {
    return new Set(list.flatMap((one) => (one.type === 'shops' ? (one['ids'] as string[]) : [])))
  }
  /** Whether the list lets anything be refunded in this currency. */
  function refunds(list: readonly AuthorizationDetail[], currency: string): boolean {
    const use = { orderId: 'ord_1', amount: 1, currency }
    const verdict = types.get('refund')?.check(
      list.filter(({ type }) => type === 'refund'),
      use,
      0,
    )
    return verdict?.kind === 'within' && verdict.charges.every(({ amount, limit: most }) => amount <= most)
  }

  function limit(list: readonly AuthorizationDetail[], currency: string, member: string): number {
    if (!refunds(list, currency)) return 0
    const limits = list.filter((one) => one.type === 'refund' && one['currency'] === currency)
    return Math.min(...limits.map((one) => (one[member] as number | undefined) ?? Number.POSITIVE_INFINITY))
  }

  function expectWithin(both: readonly AuthorizationDetail[], one: readonly AuthorizationDetail[]): void {
    expect([...reach(both)].filter((id) => !reach(one).has(id))).toEqual([])
    const members = ['max_amount_per_order', 'max_amount_per_day']
    const places = ['CNY', 'USD'].flatMap((currency) => members.map((member) => [currency, member] as const))
    for (const place of places) expect(limit(both, ...place)).toBeLessThanOrEqual(limit(one, ...place))
  }

  test('is never wider than either, whatever they hold', () => {
    fc.assert(
      fc.property(details, details, (grant, token) => {
        const both = meetDetails(types, grant, token)
        expectWithin(both, grant)
        expectWithin(both, token)
      }),
    )
  })
})

describe('in words', () => {
  const sentence = (one: AuthorizationDetail) => types.get(one.type)?.sentence(one, (id) => `Shop ${id}`)
  test.each([
    [
      refund({ max_amount_per_order: 5_000, max_amount_per_day: 100_000 }),
      'Refund at most CN¥50.00 per order and CN¥1,000.00 per day (UTC).',
      '每笔订单最多退款 ¥50.00，每天（UTC）最多退款 ¥1,000.00。',
    ],
    [
      refund({ currency: 'JPY', max_amount_per_day: 500 }),
      'Refund at most ¥500 per day (UTC).',
      '每天（UTC）最多退款 JP¥500。',
    ],
    [refund(), 'Refund in CNY only.', '仅可退款 CNY。'],
    [
      shops('a', 'b'),
      'Use all of this for these shops of yours, too: Shop a, Shop b.',
      '以上权限同时适用于您的以下店铺：Shop a、Shop b。',
    ],
  ])('%j', (one, en, zh) => {
    expect(sentence(one)).toEqual({ en, 'zh-CN': zh })
  })
})
