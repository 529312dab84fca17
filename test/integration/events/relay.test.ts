import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Db, detached, openDb, sql } from '../../../src/db/index.ts'
import { listDueStreams } from '../../../src/events/drain/store.ts'
import { neverDueMs } from '../../../src/events/index.ts'
import { limits, newId, systemRandom, toDate } from '../../../src/kernel/index.ts'
import { quietLog } from '../../support/database.ts'
import { deliveriesOf, type Fixture, openFixture, orderData, payOrders } from './fixture.ts'

let fixture: Fixture

beforeAll(async () => {
  fixture = await openFixture()
})
afterAll(() => fixture.close())

async function addRule(
  effect: string,
  selector: { appId?: string; merchantId?: string; scope?: string },
): Promise<string> {
  const id = newId('rule', { clock: fixture.clock, random: systemRandom })
  await sql(
    fixture.db.queries,
    `insert into rule (id, effect, app_id, merchant_id, scope, reason_code, message, created_by, created_at)
     values ($1, $2, $3, $4, $5, 'test', '{}', 'per_1', $6)`,
    id,
    effect,
    selector.appId ?? null,
    selector.merchantId ?? null,
    selector.scope ?? null,
    toDate(fixture.clock.nowMs()),
  )
  // Longer than any drain may believe what it has read.
  fixture.clock.advance(2_000)
  return id
}

/** Another process on the same PostgreSQL. */
function openOther({ database, clock }: Fixture): Promise<Db> {
  return openDb({ databaseUrl: database.databaseUrl, dataDir: null, clock, log: quietLog })
}

async function dueStreams(): Promise<readonly string[]> {
  const due = await listDueStreams(fixture.db.queries, {
    sinks: ['backend', 'sandbox'],
    nowMs: fixture.clock.nowMs(),
    streamsMax: 1_000,
  })
  return due.map(({ id }) => id)
}

describe('each event is relayed once', () => {
  test('by two relays at once, in order and without gaps', async () => {
    const installed = await fixture.install()
    const [one, two] = [fixture.makeEvents({}), fixture.makeEvents({})]
    const eventIds: string[] = []
    for (let round = 0; round < 4; round += 1) {
      eventIds.push(...(await payOrders(fixture, one, installed.merchantId, 5)))
      await Promise.all([one.relayNow(), two.relayNow(), one.relayNow(), two.relayNow()])
    }
    await one.relayNow()
    const deliveries = await deliveriesOf(fixture, installed.streamId)
    expect(deliveries.map(({ event_id }) => event_id)).toEqual(eventIds)
    expect(deliveries.map(({ sequence }) => Number(sequence))).toEqual(eventIds.map((_, index) => index + 1))
  })

  test('in more than one batch, when there are more than fit', async () => {
    const installed = await fixture.install()
    const events = fixture.makeEvents({})
    const count = limits.relayBatchMax + 20
    await fixture.db.tx(async (tx) => {
      for (let i = 0; i < count; i += 1) {
        const data = orderData('ord_01JD0000000000000000000001')
        await events.publish(tx, {
          type: 'order.paid',
          merchantId: installed.merchantId,
          subject: `o${i}`,
          data,
        })
      }
    })
    expect(await events.relayNow()).toBe(count)
    const deliveries = await deliveriesOf(fixture, installed.streamId)
    expect(Number(deliveries.at(-1)?.sequence)).toBe(count)
  })

  test('with another relay at work nothing moves, and nothing is lost', async () => {
    if (fixture.db.kind === 'pglite') return // one connection: there is no other relay
    const installed = await fixture.install()
    const events = fixture.makeEvents({})
    await payOrders(fixture, events, installed.merchantId)
    const other = await openOther(fixture)
    await other.tx(async (tx) => {
      await sql(tx, 'select pg_advisory_xact_lock($1::int, 0)', 0x53544f41)
      let moved = -1
      await detached(async () => {
        moved = await events.relayNow()
      })
      expect(moved).toBe(0)
    })
    await other.close()
    await events.relayNow()
    expect(await deliveriesOf(fixture, installed.streamId)).toHaveLength(1)
  })

  test('an event that becomes visible after later ones have been relayed is still found', async () => {
    if (fixture.db.kind === 'pglite') return // one connection: transactions cannot overlap
    const installed = await fixture.install()
    const events = fixture.makeEvents({})
    const other = await openOther(fixture)
    const data = orderData('ord_01JD0000000000000000000001')
    const late = { type: 'order.paid', merchantId: installed.merchantId, subject: 'late', data }
    await other.tx(async (tx) => {
      await events.publish(tx, late)
      await detached(async () => {
        await payOrders(fixture, events, installed.merchantId)
        expect(await events.relayNow()).toBe(1)
      })
    })
    await other.close()
    expect(await events.relayNow()).toBe(1)
    const deliveries = await deliveriesOf(fixture, installed.streamId)
    expect(deliveries.map(({ sequence }) => Number(sequence))).toEqual([1, 2])
  })
})

describe('a stream without an endpoint is a log to be pulled', () => {
  test('its deliveries are pending, never due, and no sweep wakes for them', async () => {
    const installed = await fixture.install()
    const events = fixture.makeEvents()
    await payOrders(fixture, events, installed.merchantId, 2)
    await events.relayNow()
    const deliveries = await deliveriesOf(fixture, installed.streamId)
    expect(deliveries.map(({ state, due_at }) => [state, due_at.getTime()])).toEqual([
      ['pending', neverDueMs],
      ['pending', neverDueMs],
    ])
    fixture.clock.advance(1_000)
    expect(await dueStreams()).not.toContain(installed.streamId)
    expect(await events.drainNow()).toBe(0)
  })

  test('an endpoint made later gets what comes from then on', async () => {
    const installed = await fixture.install()
    const events = fixture.makeEvents({})
    await payOrders(fixture, events, installed.merchantId, 2)
    await events.relayNow()
    await fixture.addEndpoint(installed, 'http://127.0.0.1:9/')
    await payOrders(fixture, events, installed.merchantId, 1)
    await events.relayNow()
    const deliveries = await deliveriesOf(fixture, installed.streamId)
    expect(deliveries.map(({ due_at }) => due_at.getTime() === neverDueMs)).toEqual([true, true, false])
    expect(await dueStreams()).toContain(installed.streamId)
  })

  test('while the endpoint is paused deliveries wait, due, and nobody is woken for them', async () => {
    const installed = await fixture.install()
    await fixture.addEndpoint(installed, 'http://127.0.0.1:9/')
    await sql(
      fixture.db.queries,
      `update endpoint set state = 'paused' where stream_id = $1`,
      installed.streamId,
    )
    const events = fixture.makeEvents({})
    await payOrders(fixture, events, installed.merchantId)
    await events.relayNow()
    const [delivery] = await deliveriesOf(fixture, installed.streamId)
    expect(delivery?.due_at.getTime()).toBeLessThan(neverDueMs)
    expect(await dueStreams()).not.toContain(installed.streamId)
  })
})

describe('one event, several receivers', () => {
  test('each installation’s body shows what its grant allows; equal views share one text', async () => {
    const merchantId = await fixture.addMerchant()
    const plain = await fixture.install({ merchantId })
    const same = await fixture.install({ merchantId })
    const wide = await fixture.install({ merchantId, granted: ['order:read', 'customer:read'] })
    const none = await fixture.install({ merchantId, granted: ['customer:read'] })
    const events = fixture.makeEvents({})
    await payOrders(fixture, events, merchantId, 1, true)
    await events.relayNow()
    const [a, b, c, d] = await Promise.all(
      [plain, same, wide, none].map(({ streamId }) => deliveriesOf(fixture, streamId)),
    )
    expect(a?.[0]?.text).not.toContain('Lin Yue')
    expect(b?.[0]?.text).toBe(a?.[0]?.text)
    expect(c?.[0]?.text).toContain('Lin Yue')
    expect(c?.[0]?.scopes).toEqual(['customer:read', 'order:read'])
    expect(d).toEqual([])
  })

  test('an event stays with its merchant', async () => {
    const [mine, other] = [await fixture.install(), await fixture.install()]
    const events = fixture.makeEvents({})
    await payOrders(fixture, events, mine.merchantId)
    await events.relayNow()
    expect(await deliveriesOf(fixture, other.streamId)).toEqual([])
  })

  test('an uninstalled app gets nothing new', async () => {
    const installed = await fixture.install()
    await sql(
      fixture.db.queries,
      `update installation set state = 'uninstalled' where id = $1`,
      installed.installationId,
    )
    const events = fixture.makeEvents({})
    await payOrders(fixture, events, installed.merchantId)
    await events.relayNow()
    expect(await deliveriesOf(fixture, installed.streamId)).toEqual([])
  })
})

describe('platform rules at the relay', () => {
  test('a stopped app gets no deliveries, others do', async () => {
    const merchantId = await fixture.addMerchant()
    const [stopped, free] = [await fixture.install({ merchantId }), await fixture.install({ merchantId })]
    await addRule('stop', { appId: stopped.appId })
    const events = fixture.makeEvents({})
    await payOrders(fixture, events, merchantId)
    await events.relayNow()
    expect(await deliveriesOf(fixture, stopped.streamId)).toEqual([])
    expect(await deliveriesOf(fixture, free.streamId)).toHaveLength(1)
  })

  test('a dropped scope takes its fields along', async () => {
    const installed = await fixture.install({ granted: ['order:read', 'customer:read'] })
    await addRule('drop_scope', { appId: installed.appId, scope: 'customer:read' })
    const events = fixture.makeEvents({})
    await payOrders(fixture, events, installed.merchantId, 1, true)
    await events.relayNow()
    const [delivery] = await deliveriesOf(fixture, installed.streamId)
    expect(delivery?.scopes).toEqual(['order:read'])
    expect(delivery?.text).not.toContain('Lin Yue')
  })
})
