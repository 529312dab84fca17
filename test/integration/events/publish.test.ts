import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sql } from '../../../src/db/index.ts'
import type { Events } from '../../../src/events/index.ts'
import { limits, StoaError } from '../../../src/kernel/index.ts'
import { type Fixture, openFixture, orderData } from './fixture.ts'

let fixture: Fixture
let events: Events
let merchantId: string

beforeAll(async () => {
  fixture = await openFixture()
  events = fixture.makeEvents()
  merchantId = await fixture.addMerchant()
})
afterAll(() => fixture.close())

const paid = () => ({
  type: 'order.paid',
  merchantId,
  subject: 'ord_1',
  data: orderData('ord_01JD0000000000000000000001'),
})

function publish(event: Parameters<Events['publish']>[1]): Promise<string> {
  return fixture.db.tx((tx) => events.publish(tx, event))
}

async function countOf(merchant: string): Promise<number> {
  const rows = await sql(fixture.db.queries, 'select 1 as one from event where merchant_id = $1', merchant)
  return rows.length
}

async function refusal(event: Parameters<Events['publish']>[1]): Promise<StoaError> {
  try {
    await publish(event)
  } catch (error) {
    if (error instanceof StoaError) return error
    throw error
  }
  throw new Error('was not refused')
}

describe('what is refused leaves no row', () => {
  test.each([
    ['a type nobody declared', { type: 'order.lost' }, 'events.invalid_event', '/type'],
    ['data of another shape', { data: { orderId: 7 } }, 'events.invalid_event', '/data/orderId'],
    ['an empty subject', { subject: '' }, 'events.invalid_event', '/subject'],
    ['a subject with NUL', { subject: 'a\u0000b' }, 'events.invalid_event', '/subject'],
    ['a source that is no URI reference', { source: 'http://[' }, 'events.invalid_event', '/source'],
    ['an external id without end', { externalId: 'x'.repeat(256) }, 'events.invalid_event', '/externalId'],
  ])('%s', async (_what, change, code, pointer) => {
    const before = await countOf(merchantId)
    const error = await refusal({ ...paid(), ...change })
    expect(error.code).toBe(code)
    const pointers = error.options.errors?.map((problem) => problem.pointer) ?? []
    if (pointer !== undefined) expect(pointers).toContain(pointer)
    expect(await countOf(merchantId)).toBe(before)
  })

  test('data beyond the bound', async () => {
    const lines = Array.from({ length: 200 }, () => ({
      name: '茶'.repeat(340),
      quantity: 1,
      unitPrice: { amount: 1, currency: 'CNY' },
    }))
    const data = { ...orderData('ord_01JD0000000000000000000001'), lines }
    expect(Buffer.byteLength(JSON.stringify(data))).toBeGreaterThan(limits.eventDataBytesMax)
    const error = await refusal({ ...paid(), data })
    // The type's own schema may refuse it first; either way it is not stored.
    expect(['events.data_too_large', 'events.invalid_event']).toContain(error.code)
  })
})

describe('the transaction decides', () => {
  test('an event of a transaction that is rolled back never was', async () => {
    const merchant = await fixture.addMerchant()
    const rolledBack = fixture.db.tx(async (tx) => {
      await events.publish(tx, { ...paid(), merchantId: merchant })
      throw new Error('changed my mind')
    })
    await expect(rolledBack).rejects.toThrow('changed my mind')
    expect(await countOf(merchant)).toBe(0)
  })
})

describe('the publisher’s own id', () => {
  test('the same again is the same event', async () => {
    const merchant = await fixture.addMerchant()
    const event = { ...paid(), merchantId: merchant, source: '/pos', externalId: `pos-${merchant}` }
    const first = await publish(event)
    expect(await publish(event)).toBe(first)
    expect(await countOf(merchant)).toBe(1)
    expect(await publish({ ...event, source: '/other' })).not.toBe(first)
  })

  test('at the same time too', async () => {
    const merchant = await fixture.addMerchant()
    const event = { ...paid(), merchantId: merchant, source: '/pos', externalId: `race-${merchant}` }
    const ids = await Promise.all(Array.from({ length: 5 }, () => publish(event)))
    expect(new Set(ids).size).toBe(1)
    expect(await countOf(merchant)).toBe(1)
  })

  test('for another event, or another merchant’s, it is taken, in the same words', async () => {
    const event = { ...paid(), source: '/pos', externalId: 'taken-1' }
    await publish(event)
    const other = await refusal({ ...event, subject: 'ord_2' })
    const foreign = await refusal({ ...event, merchantId: await fixture.addMerchant() })
    expect([other.code, other.message]).toEqual(['events.external_id_taken', foreign.message])
    expect(foreign.code).toBe(other.code)
  })
})
