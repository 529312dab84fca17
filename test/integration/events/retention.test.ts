import { Webhook } from 'standardwebhooks'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { execute, removeOldRows, sql } from '../../../src/db/index.ts'
import type { Events } from '../../../src/events/index.ts'
import { type Removed, removeOld } from '../../../src/events/retention/remove-old.ts'
import { limits, monthStartMs, newId, systemRandom, toDate, toIso } from '../../../src/kernel/index.ts'
import { quietLog } from '../../support/database.ts'
import { startReceiver, status, type TestReceiver } from '../../support/test-receiver.ts'
import { catalog, deliveriesOf, type Fixture, type Installed, openFixture, payOrders } from './fixture.ts'

const dayMs = 24 * 60 * 60 * 1000

let fixture: Fixture
let receiver: TestReceiver
let events: Events

beforeAll(async () => {
  receiver = await startReceiver()
})
afterAll(() => receiver.close())
// A history of its own for each test: what is old is looked for in all of it.
beforeEach(async () => {
  fixture = await openFixture()
  // Tests begin in the past and end in the present, where a verifier's own clock is.
  fixture.clock.advance(-40 * dayMs)
  events = fixture.makeEvents()
  receiver.behave(status(200))
})
afterEach(() => fixture.close())

const round = (isStopping = () => false): Promise<Removed> =>
  removeOld({ db: fixture.db, catalog, clock: fixture.clock, log: quietLog, isStopping })

const nothing: Removed = { thinned: 0, personalBodies: 0, expired: 0, deliveries: 0, bodies: 0, events: 0 }

const everything = ['order:read', 'customer:read']

interface Waiting extends Installed {
  readonly secret: string
  readonly eventId: string
}

/** An installation with an endpoint and one order, with its customer, that waits to be sent. */
async function waiting(granted: readonly string[] = everything): Promise<Waiting> {
  const installed = await fixture.install({ granted })
  const secret = await fixture.addEndpoint(installed, `${receiver.url}/${installed.installationId}`)
  const [eventId = ''] = await payOrders(fixture, events, installed.merchantId, 1, true)
  await events.relayNow()
  return { ...installed, secret, eventId }
}

const requestsOf = ({ installationId }: Installed) =>
  receiver.requests.filter(({ path }) => path.endsWith(installationId))

async function eventOf({ eventId }: Pick<Waiting, 'eventId'>) {
  const [row] = await sql<{ data: string | null; subject: string }>(
    fixture.db.queries,
    'select data, subject from event where id = $1',
    eventId,
  )
  return row
}

async function countOf(
  table: 'event' | 'body' | 'delivery' | 'attempt' | 'attempt_default',
): Promise<number> {
  const [row] = await sql<{ count: bigint }>(fixture.db.queries, `select count(*) as count from ${table}`)
  return Number(row?.count)
}

async function grant({ installationId }: Installed, granted: readonly string[]): Promise<void> {
  await execute(
    fixture.db.queries,
    'update "grant" set granted = $2::text[], epoch = epoch + 1 where installation_id = $1',
    installationId,
    granted,
  )
}

/** Goes on to the present, with `days` gone by since the tests' beginning, which has to be 40 days ago then. */
async function afterDays(days: number): Promise<void> {
  fixture.clock.advance(days * dayMs)
}

describe('personal data', () => {
  test('is kept for 7 days, and gone from events and bodies after', async () => {
    const delivery = await waiting()
    await afterDays(6.99)
    expect(await round()).toEqual(nothing)
    await afterDays(0.02)
    expect(await round()).toEqual({ ...nothing, thinned: 1, personalBodies: 1 })
    expect((await eventOf(delivery))?.data).toBeNull()
    expect(await countOf('body')).toBe(0)
    expect(await round()).toEqual(nothing)
  })

  test('that is gone leaves a thin delivery: signed anew, the same event, no data, and where to read it', async () => {
    await afterDays(32)
    const delivery = await waiting()
    await afterDays(8)
    await round()
    await events.drainNow()
    const [request] = requestsOf(delivery)
    expect(request?.headers['webhook-thin']).toBe('true')
    expect(request?.headers['webhook-id']).toBe(delivery.eventId)
    const body: unknown = new Webhook(delivery.secret).verify(request?.body ?? '', request?.headers ?? {})
    const subject = (await eventOf(delivery))?.subject ?? ''
    expect(body).toEqual({
      specversion: '1.0',
      id: delivery.eventId,
      source: 'https://platform.example/host',
      type: 'order.paid',
      subject,
      time: expect.any(String) as unknown,
      datacontenttype: 'application/json',
      dataschema: 'https://platform.example/schemas/events/order.paid/1',
      merchantid: delivery.merchantId,
      dataref: `https://platform.example/v1/orders/${subject}`,
    })
    expect((await deliveriesOf(fixture, delivery.streamId))[0]).toMatchObject({
      state: 'delivered',
      text: null,
    })
    expect(await countOf('body')).toBe(0)
  })

  test('that a body never held does not thin it: it goes out whole', async () => {
    const delivery = await waiting(['order:read'])
    await afterDays(8)
    expect(await round()).toEqual({ ...nothing, thinned: 1 })
    await events.drainNow()
    const [request] = requestsOf(delivery)
    expect(request?.headers['webhook-thin']).toBeUndefined()
    expect(JSON.parse(request?.body ?? '')).toHaveProperty('data.orderId')
  })

  test('of an event whose grant became narrower is not needed to send a thin one', async () => {
    const delivery = await waiting()
    await afterDays(8)
    await round()
    await grant(delivery, ['order:read'])
    await events.drainNow()
    expect(requestsOf(delivery).map(({ headers }) => headers['webhook-thin'])).toEqual(['true'])
  })

  test('or not, without the event’s scope nothing goes out', async () => {
    const delivery = await waiting()
    await afterDays(8)
    await round()
    await grant(delivery, ['customer:read'])
    await events.drainNow()
    expect(requestsOf(delivery)).toEqual([])
    expect((await deliveriesOf(fixture, delivery.streamId))[0]).toMatchObject({ state: 'cancelled' })
  })

  test('counts from when the event was published, not from when a narrower body was made of it', async () => {
    const delivery = await waiting()
    receiver.behave(status(500))
    await afterDays(6)
    await grant(delivery, [...everything, 'order:write'])
    await execute(
      fixture.db.queries,
      `update delivery set body_hash = null where stream_id = $1`,
      delivery.streamId,
    )
    await execute(fixture.db.queries, 'delete from body')
    await events.drainNow()
    expect(await countOf('body')).toBe(1)
    await afterDays(1.1)
    expect(await round()).toEqual({ ...nothing, thinned: 1, personalBodies: 1 })
  })

  test('that still waits in the outbox is taken away after it was relayed, however late', async () => {
    const installed = await fixture.install({ granted: everything })
    const [early = ''] = await payOrders(fixture, events, installed.merchantId, 1, true)
    await afterDays(9)
    expect(await round()).toEqual(nothing)
    expect((await eventOf({ eventId: early }))?.data).toContain('Lin Yue')
    await events.relayNow()
    expect(await round()).toEqual({ ...nothing, thinned: 1, personalBodies: 1 })
  })
})

describe('after 30 days', () => {
  test('a delivery that nobody took ends, with or without an endpoint, and says why', async () => {
    const sent = await waiting()
    const pulled = await fixture.install({ granted: everything })
    await payOrders(fixture, events, pulled.merchantId)
    await events.relayNow()
    await afterDays(29.9)
    expect(await round()).toMatchObject({ expired: 0, deliveries: 0, bodies: 0, events: 0 })
    await afterDays(0.2)
    expect(await round()).toMatchObject({ expired: 2, deliveries: 0, bodies: 1, events: 2 })
    for (const { streamId } of [sent, pulled]) {
      expect((await deliveriesOf(fixture, streamId))[0]).toMatchObject({
        state: 'exhausted',
        last_outcome: 'expired',
      })
    }
    expect(await events.drainNow()).toBe(0)
    expect(requestsOf(sent)).toEqual([])
  })

  test('and a day to see it, nothing is left of an event', async () => {
    await waiting()
    const delivered = await waiting(['order:read'])
    await events.drainNow()
    expect(requestsOf(delivered)).toHaveLength(1)
    await afterDays(31.1)
    await round()
    expect(await round()).toEqual(nothing)
    expect([await countOf('event'), await countOf('body'), await countOf('delivery')]).toEqual([0, 0, 0])
  })

  test('what is younger stays', async () => {
    await waiting()
    await afterDays(20)
    const young = await waiting(['order:read'])
    await afterDays(12)
    await round()
    expect(await round()).toEqual(nothing)
    expect((await deliveriesOf(fixture, young.streamId))[0]).toMatchObject({ state: 'pending' })
    expect([await countOf('event'), await countOf('body'), await countOf('delivery')]).toEqual([1, 1, 1])
  })
})

/** `count` delivered deliveries with their events and personal bodies, published one second after the other. */
async function addHistory(installed: Installed, count: number): Promise<void> {
  const values = [installed.merchantId, toDate(fixture.clock.nowMs()), count] as const
  await execute(
    fixture.db.queries,
    `insert into event (id, source, type, version, merchant_id, subject, data, occurred_at, created_at, relayed_at)
     select 'evt_' || n, '/test', 'order.paid', 1, $1, 'ord_1', '{}', $2::timestamptz, $2::timestamptz, $2::timestamptz
     from generate_series(1, $3::int) n`,
    ...values,
  )
  await execute(
    fixture.db.queries,
    `insert into body (hash, merchant_id, event_id, text, personal, created_at)
     select 'hash_' || n, $1, 'evt_' || n, '{}', true, $2::timestamptz from generate_series(1, $3::int) n`,
    ...values,
  )
  await execute(
    fixture.db.queries,
    `insert into delivery (id, merchant_id, installation_id, app_id, stream_id, sequence, subscription_id, event_id,
       event_type, subject, scopes, body_hash, state, due_at, created_at, finished_at)
     select 'dlv_' || n, $1, $4, $5, $6, n, 'sub_1', 'evt_' || n, 'order.paid', 'ord_1', '{}', 'hash_' || n, 'delivered',
       $2::timestamptz, $2::timestamptz, $2::timestamptz
     from generate_series(1, $3::int) n`,
    ...values,
    installed.installationId,
    installed.appId,
    installed.streamId,
  )
}

describe('a round', () => {
  test('takes small transactions, and as many as it needs', async () => {
    await addHistory(await fixture.install(), 2_300)
    await afterDays(8)
    let largest = 0
    const { tx } = fixture.db
    const db = {
      ...fixture.db,
      tx: async (fn: Parameters<typeof tx>[0]) => {
        const result = await tx(fn)
        const { changed } = result as { readonly changed: number }
        largest = Math.max(largest, changed)
        return result
      },
    } as typeof fixture.db
    const removed = await removeOld({
      db,
      catalog,
      clock: fixture.clock,
      log: quietLog,
      isStopping: () => false,
    })
    expect(removed).toEqual({ ...nothing, thinned: 2_300, personalBodies: 2_300 })
    expect(largest).toBeLessThanOrEqual(limits.retentionBatchMax)
    expect(largest).toBeGreaterThan(0)
  })

  test('that is stopped between two transactions is finished by the next', async () => {
    await addHistory(await fixture.install(), 500)
    await afterDays(32)
    let asked = 0
    const first = await round(() => {
      asked += 1
      return asked > 2
    })
    expect(first.thinned).toBeGreaterThan(0)
    expect(first.thinned).toBeLessThan(500)
    const second = await round()
    expect(first.thinned + second.thinned).toBe(500)
    expect(second).toMatchObject({ personalBodies: 500, deliveries: 500, events: 500 })
    expect(await round()).toEqual(nothing)
  })

  test('in two processes at once does the work once and breaks neither', async () => {
    await addHistory(await fixture.install(), 1_500)
    await afterDays(32)
    const both = await Promise.all([round(), round()])
    const total = await round()
    const sum = (step: keyof Removed) => [...both, total].reduce((rows, removed) => rows + removed[step], 0)
    // The one may be at the personal bodies while the other is at all bodies of that age.
    const bodies = sum('personalBodies') + sum('bodies')
    expect([bodies, sum('deliveries'), sum('events')]).toEqual([1_500, 1_500, 1_500])
    expect([await countOf('event'), await countOf('body'), await countOf('delivery')]).toEqual([0, 0, 0])
  })
})

describe('partitions', () => {
  const partitionOf = (ms: number) => `attempt_${toIso(ms).slice(0, 7).replace('-', '_')}`

  async function partitionNames(): Promise<readonly string[]> {
    const rows = await sql<{ name: string }>(
      fixture.db.queries,
      `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
       where i.inhparent = 'attempt'::regclass order by 1`,
    )
    return rows.map(({ name }) => name)
  }

  async function addPartition(startMs: number): Promise<string> {
    const name = partitionOf(startMs)
    await execute(
      fixture.db.queries,
      `create table if not exists "${name}" partition of attempt
       for values from ('${toIso(startMs)}') to ('${toIso(monthStartMs(startMs, 1))}')`,
    )
    return name
  }

  async function addAttempt(startedAtMs: number): Promise<void> {
    await execute(
      fixture.db.queries,
      `insert into attempt (id, merchant_id, app_id, stream_id, delivery_id, number, started_at, duration_ms, outcome)
       values ($1, 'mer_1', 'app_1', 'str_1', 'dlv_1', 1, $2, 1, 'delivered')`,
      newId('attempt', { clock: fixture.clock, random: systemRandom }),
      toDate(startedAtMs),
    )
  }

  test('of months that are wholly older are dropped, the month that is partly younger stays', async () => {
    const keptMs = monthStartMs(fixture.clock.nowMs(), -3) + 5 * dayMs
    const [old, half, young] = [-4, -3, -2].map((offset) => monthStartMs(fixture.clock.nowMs(), offset))
    const names = [
      await addPartition(old ?? 0),
      await addPartition(half ?? 0),
      await addPartition(young ?? 0),
    ]
    await addAttempt((old ?? 0) + dayMs)
    await addAttempt((half ?? 0) + dayMs)
    const before = await partitionNames()
    const { partitions } = await removeOldRows(fixture.db, 'attempt', keptMs)
    expect(partitions).toEqual([names[0]])
    expect(await partitionNames()).toEqual(before.filter((name) => name !== names[0]))
    expect(await countOf('attempt')).toBe(1)
    expect(await removeOldRows(fixture.db, 'attempt', keptMs)).toEqual({ partitions: [], rows: 0 })
  })

  test('the default partition loses its older rows alone', async () => {
    const longAgoMs = monthStartMs(fixture.clock.nowMs(), -30)
    for (let i = 0; i < 5; i += 1) await addAttempt(longAgoMs + i * dayMs)
    expect(await countOf('attempt_default')).toBe(5)
    expect(await removeOldRows(fixture.db, 'attempt', longAgoMs + 3 * dayMs)).toMatchObject({ rows: 3 })
    expect(await countOf('attempt_default')).toBe(2)
  })
})
