import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { sql } from '../../../src/db/index.ts'
import { type Events, neverDueMs } from '../../../src/events/index.ts'
import { limits } from '../../../src/kernel/index.ts'
import { type Behaviour, startReceiver, status, type TestReceiver } from '../../support/test-receiver.ts'
import {
  attemptsOf,
  deliveriesOf,
  type Fixture,
  type Installed,
  openFixture,
  payOrders,
} from '../events/fixture.ts'

let fixture: Fixture
let receiver: TestReceiver
let events: Events

beforeAll(async () => {
  fixture = await openFixture()
})
afterAll(() => fixture.close())
beforeEach(async () => {
  receiver = await startReceiver()
  events = fixture.makeEvents({ backend: fixture.webhooks({ timeoutMs: 400 }) })
})
afterEach(() => receiver.close())

async function publishTo(behaviour: Behaviour, count = 1): Promise<Installed> {
  receiver.behave(behaviour)
  const installed = await fixture.install()
  await fixture.addEndpoint(installed, receiver.url)
  await payOrders(fixture, events, installed.merchantId, count)
  await events.relayNow()
  await events.drainNow()
  return installed
}

async function only(installed: Installed) {
  const [delivery] = await deliveriesOf(fixture, installed.streamId)
  const attempts = await attemptsOf(fixture, installed.streamId)
  if (delivery === undefined) throw new Error('no delivery')
  return { delivery, attempts, dueInMs: delivery.due_at.getTime() - fixture.clock.nowMs() }
}

async function endpointOf({ streamId }: Installed) {
  const [row] = await sql<{
    state: string
    state_reason: string | null
    failing_since: Date | null
    last_success_at: Date | null
  }>(
    fixture.db.queries,
    'select state, state_reason, failing_since, last_success_at from endpoint where stream_id = $1',
    streamId,
  )
  return row
}

describe('only a 2xx is a success', () => {
  test.each([200, 201, 204, 299])('%i', async (code) => {
    expect((await only(await publishTo(status(code)))).delivery.state).toBe('delivered')
  })

  test.each([
    [302, 'webhooks.redirect'],
    [400, 'webhooks.status_not_2xx'],
    [404, 'webhooks.status_not_2xx'],
    [500, 'webhooks.status_not_2xx'],
    [503, 'webhooks.status_not_2xx'],
  ])('%i is tried again', async (code, error) => {
    const installed = await publishTo(status(code, { location: `${receiver.url}/elsewhere` }, 'no'))
    const { delivery, attempts, dueInMs } = await only(installed)
    expect(delivery).toMatchObject({ state: 'waiting', attempts: 1 })
    expect(attempts[0]).toMatchObject({ outcome: 'failed', status: code, error, response: 'no' })
    expect(dueInMs).toBeGreaterThan(3_000)
    expect(dueInMs).toBeLessThanOrEqual(6_000)
    // A redirect is not followed.
    expect(receiver.requests).toHaveLength(1)
  })
})

describe('a receiver that does not answer', () => {
  test.each([
    ['hangs', { kind: 'hang' }, 'webhooks.timeout'],
    [
      'answers 200 and then drips without end',
      { kind: 'drip', status: 200, everyMs: 50 },
      'webhooks.timeout',
    ],
    ['resets the connection', { kind: 'reset' }, 'webhooks.reset'],
  ] as const)('%s: the attempt ends in time and counts as failed', async (_what, behaviour, error) => {
    const startedAtMs = Date.now()
    const { delivery, attempts } = await only(await publishTo(behaviour))
    expect(Date.now() - startedAtMs).toBeLessThan(5_000)
    expect(delivery.state).toBe('waiting')
    expect(attempts[0]).toMatchObject({ outcome: 'failed', status: null })
    expect(attempts[0]?.error).toContain(error)
  })

  test('is not there at all', async () => {
    const installed = await fixture.install()
    await fixture.addEndpoint(installed, 'http://127.0.0.1:1/')
    await payOrders(fixture, events, installed.merchantId)
    await events.relayNow()
    await events.drainNow()
    expect((await only(installed)).attempts[0]?.error).toContain('webhooks.connect')
  })
})

describe('the guard against requests into our own network', () => {
  test('a refused address is final: trying again cannot help', async () => {
    const guarded = fixture.makeEvents({ backend: fixture.webhooks({ allowLoopback: false }) })
    const installed = await fixture.install()
    await fixture.addEndpoint(installed, receiver.url)
    await payOrders(fixture, guarded, installed.merchantId)
    await guarded.relayNow()
    await guarded.drainNow()
    const { delivery, attempts } = await only(installed)
    expect(delivery).toMatchObject({ state: 'exhausted', last_outcome: 'refused' })
    expect(attempts[0]?.error).toContain('webhooks.address_refused')
    expect(receiver.requests).toHaveLength(0)
  })

  test('a name that leads to one is tried again: it may lead elsewhere by then', async () => {
    const guarded = fixture.makeEvents({ backend: fixture.webhooks({ allowLoopback: false }) })
    const installed = await fixture.install()
    await fixture.addEndpoint(installed, receiver.url.replace('127.0.0.1', 'localhost'))
    await payOrders(fixture, guarded, installed.merchantId)
    await guarded.relayNow()
    await guarded.drainNow()
    const { delivery, attempts, dueInMs } = await only(installed)
    expect(delivery).toMatchObject({ state: 'waiting', attempts: 1, last_outcome: 'failed' })
    expect(attempts[0]?.error).toContain('webhooks.name_refused')
    expect(dueInMs).toBeLessThanOrEqual(6_000)
    expect(receiver.requests).toHaveLength(0)
  })
})

describe('retries', () => {
  test('carry the same id and the same bytes, a new timestamp and the next attempt’s number', async () => {
    const installed = await publishTo(status(500))
    receiver.behave(status(200))
    fixture.clock.advance(6_100)
    await events.drainNow()
    const [first, second] = receiver.requests
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id'])
    expect(second?.headers['webhook-sequence']).toBe(first?.headers['webhook-sequence'])
    expect(second?.body).toBe(first?.body)
    expect([first, second].map((request) => request?.headers['webhook-attempt'])).toEqual(['1', '2'])
    expect(Number(second?.headers['webhook-timestamp'])).toBeGreaterThan(
      Number(first?.headers['webhook-timestamp']),
    )
    expect((await only(installed)).delivery).toMatchObject({ state: 'delivered', attempts: 2 })
  })

  test('end after ten attempts', async () => {
    const installed = await publishTo(status(500))
    const poison = receiver.requests[0]?.headers['webhook-id']
    const tries = () => receiver.requests.filter(({ headers }) => headers['webhook-id'] === poison)
    // What else is published arrives: an endpoint that takes nothing for 72 hours would be paused.
    receiver.behave(({ headers }) => status(headers['webhook-id'] === poison ? 500 : 200))
    for (let i = 1; i < limits.deliveryAttemptsMax; i += 1) {
      await payOrders(fixture, events, installed.merchantId)
      await events.relayNow()
      fixture.clock.advance(30 * 60 * 60 * 1000)
      await events.drainNow()
    }
    const { delivery, attempts } = await only(installed)
    expect(delivery).toMatchObject({ state: 'exhausted', attempts: 10, last_outcome: 'failed' })
    const own = attempts.filter(({ delivery_id }) => delivery_id === delivery.id)
    expect(own.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    fixture.clock.advance(30 * 60 * 60 * 1000)
    await events.drainNow()
    expect(tries()).toHaveLength(10)
  })

  test.each([429, 503])('%i with Retry-After is obeyed exactly, not a moment earlier', async (code) => {
    const installed = await publishTo(status(code, { 'retry-after': '120' }))
    const { dueInMs } = await only(installed)
    expect(dueInMs).toBeLessThanOrEqual(120_000)
    expect(dueInMs).toBeGreaterThan(115_000)
    fixture.clock.advance(dueInMs - 2_000)
    await events.drainNow()
    expect(receiver.requests).toHaveLength(1)
    fixture.clock.advance(2_100)
    await events.drainNow()
    expect(receiver.requests).toHaveLength(2)
  })
})

describe('410', () => {
  test('stops the endpoint at once; what is left waits to be pulled', async () => {
    // With the platform's own timeout: on a busy machine some of these answers take half a second.
    events = fixture.makeEvents({ backend: fixture.webhooks() })
    receiver.behave(status(410))
    const installed = await fixture.install()
    await fixture.addEndpoint(installed, receiver.url)
    await payOrders(fixture, events, installed.merchantId, 60)
    await events.relayNow()
    await events.drainNow()
    expect(receiver.requests.length).toBeLessThanOrEqual(limits.drainConcurrency)
    expect(await endpointOf(installed)).toMatchObject({ state: 'stopped', state_reason: 'gone' })
    const deliveries = await deliveriesOf(fixture, installed.streamId)
    const gone = deliveries.filter(({ state }) => state === 'exhausted')
    expect(gone.every(({ last_outcome }) => last_outcome === 'gone')).toBe(true)
    const left = deliveries.filter(({ state }) => state === 'pending')
    expect(gone.length + left.length).toBe(60)
    expect(left.every(({ due_at }) => due_at.getTime() === neverDueMs)).toBe(true)
    await payOrders(fixture, events, installed.merchantId)
    await events.relayNow()
    fixture.clock.advance(100_000)
    expect(await events.drainNow()).toBe(0)
  })
})

describe('the endpoint’s health', () => {
  test('notes the first failure since a success, and the success that ends it', async () => {
    const installed = await publishTo(status(500))
    const failing = await endpointOf(installed)
    expect(failing?.failing_since).not.toBeNull()
    expect(failing?.last_success_at).toBeNull()
    receiver.behave(status(200))
    fixture.clock.advance(7_000)
    await events.drainNow()
    const healthy = await endpointOf(installed)
    expect(healthy?.failing_since).toBeNull()
    expect(healthy?.last_success_at).not.toBeNull()
  })
})
