import { expect, test } from 'vitest'
import { type EventRule, makeRuleBook } from '../../../src/events/rule-book.ts'

const rule: EventRule = { effect: 'stop', appId: null, publisherId: null, merchantId: null, scope: null }
const subject = { appId: 'app_1', publisherId: 'pub_1', merchantId: 'mer_1' }

test.each([
  ['the app', { appId: 'app_1' }, true],
  ['another app', { appId: 'app_2' }, false],
  ['its publisher', { publisherId: 'pub_1' }, true],
  ['another publisher', { publisherId: 'pub_2' }, false],
  ['the merchant', { merchantId: 'mer_1' }, true],
  ['the app at another merchant', { appId: 'app_1', merchantId: 'mer_2' }, false],
])('a stop of %s', (_what, selector, stops) => {
  expect(makeRuleBook([{ ...rule, ...selector }]).isStopped(subject)).toBe(stops)
})

test('a pause keeps what there is to send, and ends nothing', () => {
  const book = makeRuleBook([{ ...rule, effect: 'pause_events', appId: 'app_1' }])
  expect(book.isHeld(subject)).toBe(true)
  expect(book.isStopped(subject)).toBe(false)
})

test('a pause at one merchant holds only that merchant’s deliveries', () => {
  const book = makeRuleBook([{ ...rule, effect: 'pause_events', appId: 'app_1', merchantId: 'mer_1' }])
  expect(book.isHeld(subject)).toBe(false)
  expect(book.heldMerchantIds(subject)).toEqual(['mer_1'])
  expect(book.heldMerchantIds({ ...subject, appId: 'app_2' })).toEqual([])
})

test('a dropped scope is missing from what is granted', () => {
  const book = makeRuleBook([{ ...rule, effect: 'drop_scope', appId: 'app_1', scope: 'customer:read' }])
  expect(book.keptScopes(['order:read', 'customer:read'], subject)).toEqual(['order:read'])
  expect(book.keptScopes(['customer:read'], { ...subject, appId: 'app_2' })).toEqual(['customer:read'])
})

test.each(['read_only', 'hide', 'block_host'])('%s does not touch events', (effect) => {
  const book = makeRuleBook([{ ...rule, effect }])
  expect([book.isStopped(subject), book.isHeld(subject), book.heldMerchantIds(subject)]).toEqual([
    false,
    false,
    [],
  ])
})
