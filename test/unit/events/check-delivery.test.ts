import { expect, test } from 'vitest'
import type { EventType } from '../../../src/capability/index.ts'
import { checkDelivery } from '../../../src/events/drain/check-delivery.ts'
import type { DueDelivery } from '../../../src/events/drain/store.ts'

const delivery = {
  scopes: ['customer:read', 'order:read'],
  granted: ['order:read', 'customer:read'],
  live: true,
  body: '{}',
} as unknown as DueDelivery
const type = { scope: 'order:read', addressedTo: 'merchant' } as unknown as EventType

test('what is still granted is sent as it was stored', () => {
  expect(checkDelivery(delivery, type)).toEqual({ kind: 'send', body: '{}' })
})

test('a withdrawn field makes the body anew, a withdrawn event cancels', () => {
  expect(checkDelivery({ ...delivery, granted: ['order:read'] }, type)).toEqual({ kind: 'reshape' })
  expect(checkDelivery({ ...delivery, granted: ['customer:read'] }, type)).toMatchObject({ kind: 'cancel' })
  expect(checkDelivery({ ...delivery, granted: ['order:read'] }, undefined)).toMatchObject({ kind: 'cancel' })
})

test('a text that is not kept any more is made anew', () => {
  expect(checkDelivery({ ...delivery, body: null }, type)).toEqual({ kind: 'reshape' })
})

test('an ended permission cancels, except for the goodbye to that very installation', () => {
  const ended = { ...delivery, live: false, scopes: [] }
  expect(checkDelivery(ended, type)).toEqual({ kind: 'cancel', reason: 'events.permission_ended' })
  expect(checkDelivery(ended, { ...type, scope: null, addressedTo: 'installation' })).toMatchObject({
    kind: 'send',
  })
})
