import { expect, test } from 'vitest'
import type { StoredEvent } from '../../../src/events/event.ts'
import { cutBatch } from '../../../src/events/relay/cut-batch.ts'

const event = (id: string, merchantId: string, type = 'order.paid'): StoredEvent => ({
  ...{ id, merchantId, type, source: '/test', version: 1, subject: 's', data: '{}' },
  ...{ occurredAtMs: 0, createdAtMs: 0 },
})
const subscriptions = (merchantId: string, count: number, eventType = 'order.paid') =>
  Array.from({ length: count }, () => ({ merchantId, eventType }))
const ids = (events: readonly StoredEvent[]) => events.map(({ id }) => id)

test('a batch ends before the event whose deliveries would be too many', () => {
  const events = [event('1', 'a'), event('2', 'b'), event('3', 'a'), event('4', 'a')]
  const reached = [...subscriptions('a', 40), ...subscriptions('b', 10)]
  expect(ids(cutBatch(events, reached, 90))).toEqual(['1', '2', '3'])
  expect(ids(cutBatch(events, reached, 89))).toEqual(['1', '2'])
  expect(ids(cutBatch(events, reached, 1_000))).toEqual(['1', '2', '3', '4'])
})

test('one event is always taken, however many it reaches', () => {
  expect(ids(cutBatch([event('1', 'a'), event('2', 'a')], subscriptions('a', 500), 100))).toEqual(['1'])
})

test('only subscriptions of the event’s own merchant and type count', () => {
  const events = [event('1', 'a'), event('2', 'a')]
  const others = [...subscriptions('b', 500), ...subscriptions('a', 500, 'order.shipped')]
  expect(ids(cutBatch(events, others, 1))).toEqual(['1', '2'])
})
