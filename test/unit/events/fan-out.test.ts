import { describe, expect, test } from 'vitest'
import { defineEventType, type EventType, schema } from '../../../src/capability/index.ts'
import type { StoredEvent } from '../../../src/events/event.ts'
import {
  type EventCatalog,
  fanOut,
  type LiveSubscription,
  numberDeliveries,
  viewOf,
} from '../../../src/events/fan-out.ts'

const paid: EventType = defineEventType({
  type: 'order.paid',
  version: 1,
  summary: { en: 'Paid', 'zh-CN': '已付款' },
  scope: 'order:read',
  subject: 'The order',
  data: schema.object({
    total: schema.integer({ minimum: 0, maximum: 100 }),
    customer: schema.optional(schema.string({ maxLength: 10 })),
  }),
  fieldScopes: { customer: 'customer:read' },
  example: { total: 1 },
})
const goodbye: EventType = defineEventType({
  type: 'app.uninstalled',
  version: 1,
  summary: { en: 'Gone', 'zh-CN': '已卸载' },
  scope: null,
  addressedTo: 'installation',
  subject: 'The installation',
  data: schema.object({}),
  example: {},
})
const catalog: EventCatalog = {
  eventTypes: new Map([paid, goodbye].map((type) => [type.type, type])),
  scopes: new Map([
    ['order:read', { sensitivity: 'protected' as const }],
    ['customer:read', { sensitivity: 'private' as const }],
  ]),
}
const context = { catalog, publicUrl: 'https://open.example' }

const event: StoredEvent = {
  id: 'evt_1',
  source: '/host',
  type: 'order.paid',
  version: 1,
  merchantId: 'mer_1',
  subject: 'ord_1',
  data: '{"total":1,"customer":"Lin"}',
  occurredAtMs: 0,
  createdAtMs: 1_000,
}
const subscription: LiveSubscription = {
  id: 'sub_1',
  merchantId: 'mer_1',
  installationId: 'ins_1',
  appId: 'app_1',
  streamId: 'str_1',
  eventType: 'order.paid',
  eventVersion: 1,
  granted: ['order:read'],
  live: true,
  endedAtMs: null,
}
const dataOf = (text: string | undefined) => (JSON.parse(text ?? '{}') as { data: unknown }).data

describe('fields follow scopes', () => {
  test('a field whose scope is not granted is left out, and the delivery asks only for the rest', () => {
    const { bodies, deliveries } = fanOut([event], [subscription], context)
    expect(dataOf(bodies[0]?.text)).toEqual({ total: 1 })
    expect(bodies[0]?.personal).toBe(false)
    expect(deliveries[0]?.scopes).toEqual(['order:read'])
  })

  test('a granted field is shown; the body counts as personal by its scope', () => {
    const granted = ['customer:read', 'order:read']
    const { bodies, deliveries } = fanOut([event], [{ ...subscription, granted }], context)
    expect(dataOf(bodies[0]?.text)).toEqual({ total: 1, customer: 'Lin' })
    expect(bodies[0]?.personal).toBe(true)
    expect(deliveries[0]?.scopes).toEqual(['customer:read', 'order:read'])
  })

  test('an event without the field needs no more than its own scope, whatever is granted', () => {
    const bare = { ...event, data: '{"total":1}' }
    const both = [subscription, { ...subscription, id: 'sub_2', granted: ['order:read', 'customer:read'] }]
    const { bodies, deliveries } = fanOut([bare], both, context)
    expect(bodies).toHaveLength(1)
    expect(deliveries.map(({ scopes }) => scopes)).toEqual([['order:read'], ['order:read']])
  })

  test('two receivers who may see the same share one body, byte for byte', () => {
    const { bodies, deliveries } = fanOut([event], [subscription, { ...subscription, id: 'sub_2' }], context)
    expect(bodies).toHaveLength(1)
    expect(new Set(deliveries.map(({ bodyHash }) => bodyHash)).size).toBe(1)
  })

  test('without the event’s own scope there is nothing', () => {
    const none = { ...subscription, granted: ['customer:read'] }
    expect(fanOut([event], [none], context)).toEqual({ bodies: [], deliveries: [] })
    expect(viewOf(event, [], context)).toBeNull()
  })
})

describe('who gets an event', () => {
  test.each([
    ['another merchant', { merchantId: 'mer_2' }],
    ['another type', { eventType: 'order.created' }],
    ['another version of the type', { eventVersion: 2 }],
    ['an ended subscription', { live: false }],
  ])('not %s', (_what, change) => {
    expect(fanOut([event], [{ ...subscription, ...change }], context).deliveries).toEqual([])
  })

  test('nobody, when this platform does not declare the type or its version any more', () => {
    expect(
      fanOut([{ ...event, version: 2 }], [{ ...subscription, eventVersion: 2 }], context).deliveries,
    ).toEqual([])
    const gone = { ...event, type: 'order.lost' }
    expect(fanOut([gone], [{ ...subscription, eventType: 'order.lost' }], context).deliveries).toEqual([])
  })

  test('an event for one installation reaches it although the same transaction ended it, and nobody else', () => {
    const bye = { ...event, type: 'app.uninstalled', subject: 'ins_1', data: '{}' }
    const own = { ...subscription, eventType: 'app.uninstalled', live: false, endedAtMs: 1_000 }
    const other = { ...own, id: 'sub_2', installationId: 'ins_2', live: true, endedAtMs: null }
    const { deliveries } = fanOut([bye], [own, other], context)
    expect(deliveries.map(({ subscriptionId }) => subscriptionId)).toEqual(['sub_1'])
    expect(fanOut([bye], [{ ...own, endedAtMs: 999 }], context).deliveries).toEqual([])
  })
})

test('each stream numbers its own deliveries without gaps, in the order of the events', () => {
  const planned = ['a', 'b', 'a', 'a', 'b'].map((streamId, index) => ({ streamId, index }))
  const numbered = numberDeliveries(
    planned,
    new Map([
      ['a', 5n],
      ['b', 1n],
    ]),
  )
  expect(numbered.map(({ sequence }) => sequence)).toEqual([5n, 1n, 6n, 7n, 2n])
})
