import fc from 'fast-check'
import { expect, test } from 'vitest'
import { defineEventType, type EventType, schema } from '../../../src/capability/index.ts'
import type { StoredEvent } from '../../../src/events/event.ts'
import {
  countByStream,
  type EventCatalog,
  fanOut,
  type LiveSubscription,
  numberDeliveries,
} from '../../../src/events/fan-out.ts'

const scopes = ['order:read', 'customer:read', 'note:read'] as const
const text = schema.optional(schema.string({ maxLength: 20 }))

function eventType(type: string, scope: string | null, addressedTo: EventType['addressedTo']): EventType {
  return defineEventType({
    ...{ type, scope, addressedTo, version: 1, subject: 'x' },
    summary: { en: type, 'zh-CN': type },
    data: schema.object({ open: text, customer: text, note: text }),
    fieldScopes: { customer: 'customer:read', note: 'note:read' },
    example: {},
  })
}

const types = [
  eventType('order.paid', 'order:read', 'merchant'),
  eventType('order.noted', null, 'merchant'),
  eventType('app.left', null, 'installation'),
]
const catalog: EventCatalog = {
  eventTypes: new Map(types.map((type) => [type.type, type])),
  scopes: new Map(
    scopes.map((name) => [name, { sensitivity: name === 'customer:read' ? 'private' : 'basic' }]),
  ),
}
const context = { catalog, publicUrl: 'https://open.example' }
const small = fc.integer({ min: 1, max: 3 })
const typeName = fc.constantFrom('order.paid', 'order.noted', 'app.left', 'order.unknown')

const event = fc
  .record({
    merchant: small,
    type: typeName,
    version: fc.constantFrom(1, 1, 1, 2),
    installation: small,
    data: fc.record({ open: fc.string(), customer: fc.string(), note: fc.string() }, { requiredKeys: [] }),
    createdAtMs: fc.integer({ min: 0, max: 10 }),
  })
  .map(({ merchant, type, version, installation, data, createdAtMs }) => ({
    ...{ type, version, createdAtMs, source: '/host', occurredAtMs: 0 },
    merchantId: `mer_${merchant}`,
    subject: `ins_${installation}`,
    data: JSON.stringify(data),
  }))
const events = fc
  .array(event, { maxLength: 20 })
  .map((list): StoredEvent[] => list.map((one, index) => ({ ...one, id: `evt_${index}` })))

const subscription = fc
  .record({
    ...{ merchant: small, installation: small, stream: small, type: typeName },
    version: fc.constantFrom(1, 1, 2),
    granted: fc.subarray([...scopes]),
    endedAtMs: fc.option(fc.integer({ min: 0, max: 10 })),
  })
  .map(({ merchant, installation, stream, type, version, granted, endedAtMs }) => ({
    merchantId: `mer_${merchant}`,
    installationId: `ins_${installation}`,
    appId: `app_${stream}`,
    streamId: `str_${stream}`,
    eventType: type,
    eventVersion: version,
    ...{ granted, endedAtMs, live: endedAtMs === null },
  }))
const subscriptions = fc
  .array(subscription, { maxLength: 15 })
  .map((list): LiveSubscription[] => list.map((one, index) => ({ ...one, id: `sub_${index}` })))

/** Word for word what the design says, pair by pair. */
function mustReach(one: StoredEvent, to: LiveSubscription): boolean {
  const type = catalog.eventTypes.get(one.type)
  if (type === undefined || type.version !== one.version) return false
  if (to.merchantId !== one.merchantId || to.eventType !== one.type || to.eventVersion !== one.version)
    return false
  if (type.scope !== null && !to.granted.includes(type.scope)) return false
  if (type.addressedTo === 'merchant') return to.live
  return to.installationId === one.subject && (to.live || (to.endedAtMs ?? -1) >= one.createdAtMs)
}

test('fan-out neither invents nor loses a delivery', () => {
  fc.assert(
    fc.property(events, subscriptions, (published, subscribed) => {
      const expected = published.flatMap((one) =>
        subscribed.filter((to) => mustReach(one, to)).map((to) => `${one.id} ${to.id}`),
      )
      const { deliveries } = fanOut(published, subscribed, context)
      const made = deliveries.map(({ eventId, subscriptionId }) => `${eventId} ${subscriptionId}`)
      expect([...made].sort()).toEqual([...expected].sort())
      expect(new Set(made).size).toBe(made.length)
    }),
  )
})

test('a body shows exactly the fields whose scopes are granted, and every delivery has its body', () => {
  fc.assert(
    fc.property(events, subscriptions, (published, subscribed) => {
      const { bodies, deliveries } = fanOut(published, subscribed, context)
      const texts = new Map(bodies.map(({ hash, text: body }) => [hash, body]))
      for (const delivery of deliveries) {
        const granted = new Set(subscribed.find(({ id }) => id === delivery.subscriptionId)?.granted)
        const all = JSON.parse(published.find(({ id }) => id === delivery.eventId)?.data ?? '{}') as object
        const allowed = Object.entries(all).filter(
          ([field]) => field === 'open' || granted.has(`${field}:read`),
        )
        const shown = (JSON.parse(texts.get(delivery.bodyHash) ?? '{}') as { data: object }).data
        expect(shown).toEqual(Object.fromEntries(allowed))
        expect(delivery.scopes.every((scope) => granted.has(scope))).toBe(true)
      }
    }),
  )
})

test('the events’ order is the order of every stream, numbered without gaps', () => {
  fc.assert(
    fc.property(events, subscriptions, (published, subscribed) => {
      const { deliveries } = fanOut(published, subscribed, context)
      const counts = countByStream(deliveries)
      const numbered = numberDeliveries(deliveries, new Map([...counts.keys()].map((id) => [id, 7n])))
      const order = new Map(published.map(({ id }, index) => [id, index]))
      for (const [streamId, count] of counts) {
        const own = numbered.filter((delivery) => delivery.streamId === streamId)
        expect(own.map(({ sequence }) => Number(sequence))).toEqual(
          Array.from({ length: count }, (_, i) => 7 + i),
        )
        const positions = own.map(({ eventId }) => order.get(eventId) ?? -1)
        expect(positions).toEqual([...positions].sort((a, b) => a - b))
      }
    }),
  )
})
