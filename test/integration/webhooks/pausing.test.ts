import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { sql } from '../../../src/db/index.ts'
import { type Events, neverDueMs } from '../../../src/events/index.ts'
import { limits, present, systemRandom } from '../../../src/kernel/index.ts'
import { makeEndpointStore } from '../../../src/webhooks/index.ts'
import { pauseByItself, resumeByItself, stopByItself } from '../../../src/webhooks/state/change-by-itself.ts'
import { quietLog } from '../../support/database.ts'
import { type Behaviour, startReceiver, status, type TestReceiver } from '../../support/test-receiver.ts'
import {
  attemptsOf,
  deliveriesOf,
  type Fixture,
  type Installed,
  openFixture,
  payOrders,
  secretKey,
} from '../events/fixture.ts'
import { endpointRowOf, noticesTo } from './endpoint-rows.ts'

const minute = 60_000
const hour = 60 * minute

let fixture: Fixture
let receiver: TestReceiver
let events: Events

beforeAll(async () => {
  fixture = await openFixture()
})
afterAll(() => fixture.close())
beforeEach(async () => {
  receiver = await startReceiver()
  events = fixture.makeEvents()
})
afterEach(() => receiver.close())

const endpointOf = (installed: Installed) => endpointRowOf(fixture, installed)
const noticesOf = (installed: Installed) => noticesTo(fixture, installed)

function sinkDependencies() {
  const { db, clock, http } = fixture
  const endpoints = makeEndpointStore(db)
  return { endpoints, httpClient: http, secretKey, clock, random: systemRandom, log: quietLog }
}

async function publish(installed: Installed, count: number): Promise<readonly string[]> {
  const ids = await payOrders(fixture, events, installed.merchantId, count)
  await events.relayNow()
  return ids
}

/** An app with an endpoint that behaves so, and events on their way to it. */
async function sendTo(behaviour: Behaviour, count = 1): Promise<Installed> {
  receiver.behave(behaviour)
  const installed = await fixture.install()
  await fixture.addEndpoint(installed, receiver.url)
  await publish(installed, count)
  await events.drainNow()
  return installed
}

async function drainAfter(ms: number): Promise<void> {
  fixture.clock.advance(ms)
  await events.drainNow()
}

/** An endpoint that was paused because it failed for three days; its deliveries wait. */
async function paused(count = 1): Promise<Installed> {
  const installed = await sendTo(status(500), count)
  await drainAfter(73 * hour)
  expect((await endpointOf(installed)).state).toBe('paused')
  return installed
}

describe('an endpoint that fails', () => {
  test('is not paused before 72 hours without a 2xx, and is after', async () => {
    const installed = await sendTo(status(500))
    const before = await endpointOf(installed)
    await drainAfter(71 * hour)
    expect(await endpointOf(installed)).toMatchObject({
      state: 'active',
      failing_since: before.failing_since,
    })
    await drainAfter(5 * hour)
    const after = await endpointOf(installed)
    expect(after).toMatchObject({ state: 'paused', state_reason: 'failing', probe_failures: 0 })
    expect(after.paused_at).not.toBeNull()
    const probeInMs = present(after.probe_at, 'a probe').getTime() - fixture.clock.nowMs()
    expect(probeInMs).toBeGreaterThan(limits.webhookProbeMs - 10_000)
    expect(probeInMs).toBeLessThanOrEqual(limits.webhookProbeMs)
    expect(await noticesOf(installed)).toEqual(['endpoint.paused failing'])
  })

  test('loses nothing while it is paused: deliveries wait, and new ones wait behind them', async () => {
    const installed = await paused(3)
    await publish(installed, 2)
    const seen = receiver.requests.length
    await drainAfter(minute)
    expect(receiver.requests).toHaveLength(seen)
    const deliveries = await deliveriesOf(fixture, installed.streamId)
    expect(deliveries.map(({ state }) => state)).toEqual([
      'waiting',
      'waiting',
      'waiting',
      'pending',
      'pending',
    ])
    expect(deliveries.every(({ due_at }) => due_at.getTime() < neverDueMs)).toBe(true)
  })

  test('is paused by the first delivery that has no attempt left, though others are received', async () => {
    const installed = await fixture.install()
    await fixture.addEndpoint(installed, receiver.url)
    const [poison = ''] = await publish(installed, 1)
    receiver.behave(({ headers }) => status(headers['webhook-id'] === poison ? 500 : 200))
    await events.drainNow()
    for (let attempt = 2; attempt <= limits.deliveryAttemptsMax; attempt += 1) {
      expect((await endpointOf(installed)).state).toBe('active')
      await publish(installed, 1)
      await drainAfter(30 * hour)
    }
    const [first] = await deliveriesOf(fixture, installed.streamId)
    expect(first).toMatchObject({ state: 'exhausted', attempts: limits.deliveryAttemptsMax })
    expect(await endpointOf(installed)).toMatchObject({ state: 'paused', state_reason: 'exhausted' })
    // The next probe finds that it is well.
    await publish(installed, 1)
    await drainAfter(limits.webhookProbeMs + 1_000)
    expect(await endpointOf(installed)).toMatchObject({ state: 'active', state_reason: null })
    expect(await noticesOf(installed)).toEqual(['endpoint.paused exhausted', 'endpoint.resumed probe'])
  })

  test('is paused once, with one notice, when two nodes find it out at the same time', async () => {
    const installed = await sendTo(status(500))
    const deps = sinkDependencies()
    const { id: endpointId } = await endpointOf(installed)
    const tried = { endpointId, streamId: installed.streamId, url: receiver.url }
    await Promise.all([1, 2, 3].map(() => pauseByItself(deps, tried, 'exhausted')))
    await Promise.all([1, 2, 3].map(() => resumeByItself(deps, tried)))
    await Promise.all([1, 2, 3].map(() => stopByItself(deps, tried, 'gone')))
    expect(await noticesOf(installed)).toEqual([
      'endpoint.paused exhausted',
      'endpoint.resumed probe',
      'endpoint.stopped gone',
    ])
  })

  test('is not paused by what an old URL answered', async () => {
    const installed = await sendTo(status(500))
    const deps = sinkDependencies()
    const { id: endpointId } = await endpointOf(installed)
    const old = { endpointId, streamId: installed.streamId, url: 'http://127.0.0.1:9/old' }
    await pauseByItself(deps, old, 'exhausted')
    await stopByItself(deps, old, 'gone')
    expect((await endpointOf(installed)).state).toBe('active')
    expect(await noticesOf(installed)).toEqual([])
  })

  test('a refused address pauses it; one delivery is lost to it at most, the others wait', async () => {
    const installed = await fixture.install()
    await fixture.addEndpoint(installed, receiver.url)
    const guarded = fixture.makeEvents({ backend: fixture.webhooks({ allowLoopback: false }) })
    await payOrders(fixture, guarded, installed.merchantId, 100)
    await guarded.relayNow()
    await guarded.drainNow()
    expect(await endpointOf(installed)).toMatchObject({ state: 'paused', state_reason: 'address_refused' })
    const deliveries = await deliveriesOf(fixture, installed.streamId)
    const lost = deliveries.filter(({ state }) => state === 'exhausted')
    expect(lost.length).toBeGreaterThan(0)
    expect(deliveries.filter(({ state }) => state === 'pending')).toHaveLength(100 - lost.length)
  })
})

describe('a probe', () => {
  test('is one delivery, not before its time; a failed one costs no attempt and doubles the wait', async () => {
    const installed = await paused(5)
    const attemptsBefore = await attemptsOf(fixture, installed.streamId)
    const seen = receiver.requests.length
    await drainAfter(limits.webhookProbeMs - minute)
    expect(receiver.requests).toHaveLength(seen)
    for (const failures of [1, 2, 3]) {
      await drainAfter(limits.webhookProbeMs * 2 ** (failures - 1))
      expect(receiver.requests).toHaveLength(seen + failures)
      const { probe_failures, probe_at, state } = await endpointOf(installed)
      expect({ state, probe_failures }).toEqual({ state: 'paused', probe_failures: failures })
      const waitMs = present(probe_at, 'a probe').getTime() - fixture.clock.nowMs()
      expect(Math.round(waitMs / minute)).toBe((limits.webhookProbeMs * 2 ** failures) / minute)
    }
    expect(await attemptsOf(fixture, installed.streamId)).toEqual(attemptsBefore)
    const deliveries = await deliveriesOf(fixture, installed.streamId)
    expect(deliveries.every(({ state, attempts }) => state === 'waiting' && attempts === 2)).toBe(true)
    expect(await noticesOf(installed)).toEqual(['endpoint.paused failing'])
  })

  test('that is received resumes the endpoint by itself, and everything is sent', async () => {
    const installed = await paused(20)
    receiver.behave(status(200))
    const seen = receiver.requests.length
    // Beyond the longest delay of the retry table, so that all are due.
    await drainAfter(25 * hour)
    expect(receiver.requests).toHaveLength(seen + 20)
    const deliveries = await deliveriesOf(fixture, installed.streamId)
    expect(deliveries.every(({ state }) => state === 'delivered')).toBe(true)
    expect(await endpointOf(installed)).toMatchObject({
      ...{ state: 'active', state_reason: null, paused_at: null, probe_at: null, probe_failures: 0 },
      failing_since: null,
    })
    expect(await noticesOf(installed)).toEqual(['endpoint.paused failing', 'endpoint.resumed probe'])
  })

  test('that is answered 410 stops the endpoint; the rest waits to be pulled', async () => {
    const installed = await paused(3)
    receiver.behave(status(410))
    await drainAfter(25 * hour)
    expect(await endpointOf(installed)).toMatchObject({
      state: 'stopped',
      state_reason: 'gone',
      probe_at: null,
    })
    const left = (await deliveriesOf(fixture, installed.streamId)).filter(({ state }) => state === 'waiting')
    expect(left).toHaveLength(2)
    expect(left.every(({ due_at }) => due_at.getTime() >= neverDueMs)).toBe(true)
    expect(await noticesOf(installed)).toEqual(['endpoint.paused failing', 'endpoint.stopped gone'])
  })

  test('is not made when a person has paused the endpoint', async () => {
    const installed = await paused(1)
    await sql(
      fixture.db.queries,
      `update endpoint set state_reason = 'requested', probe_at = null where stream_id = $1`,
      installed.streamId,
    )
    const seen = receiver.requests.length
    await drainAfter(25 * hour)
    expect(receiver.requests).toHaveLength(seen)
    expect((await endpointOf(installed)).state).toBe('paused')
  })

  test('a person’s pause made while it is under way stays', async () => {
    const installed = await paused(1)
    receiver.behave({ kind: 'hang' })
    const slow = fixture.makeEvents({ backend: fixture.webhooks({ timeoutMs: 20_000 }) })
    const seen = receiver.requests.length
    fixture.clock.advance(25 * hour)
    const draining = slow.drainNow()
    await receiver.received(seen + 1)
    await sql(
      fixture.db.queries,
      `update endpoint set state_reason = 'requested', probe_at = null where stream_id = $1`,
      installed.streamId,
    )
    receiver.release(status(200))
    await draining
    expect(await endpointOf(installed)).toMatchObject({ state: 'paused', state_reason: 'requested' })
    expect(await noticesOf(installed)).toEqual(['endpoint.paused failing'])
    // What was received is received all the same.
    expect((await deliveriesOf(fixture, installed.streamId))[0]?.state).toBe('delivered')
  })
})

describe('the header webhook-delivery of an answer', () => {
  test('disable stops the endpoint like 410; the delivery it came with is not tried again', async () => {
    const installed = await sendTo(status(500, { 'webhook-delivery': 'disable' }), 60)
    expect(await endpointOf(installed)).toMatchObject({ state: 'stopped', state_reason: 'disabled' })
    const deliveries = await deliveriesOf(fixture, installed.streamId)
    const ended = deliveries.filter(({ state }) => state === 'exhausted')
    expect(ended.length).toBeGreaterThan(0)
    expect(receiver.requests).toHaveLength(ended.length)
    expect((await attemptsOf(fixture, installed.streamId))[0]).toMatchObject({
      outcome: 'gone',
      status: 500,
      error: 'webhooks.disabled',
    })
    const left = deliveries.filter(({ state }) => state !== 'exhausted')
    expect(left.length).toBe(60 - ended.length)
    expect(left.every(({ due_at }) => due_at.getTime() >= neverDueMs)).toBe(true)
    expect(await noticesOf(installed)).toEqual(['endpoint.stopped disabled'])
    await publish(installed, 1)
    const seen = receiver.requests.length
    await drainAfter(30 * hour)
    expect(receiver.requests).toHaveLength(seen)
  })

  test('disable with a 2xx: what was received is received, and nothing more is sent', async () => {
    const installed = await sendTo(status(200, { 'webhook-delivery': 'disable' }), 60)
    expect(await endpointOf(installed)).toMatchObject({ state: 'stopped', state_reason: 'disabled' })
    const deliveries = await deliveriesOf(fixture, installed.streamId)
    const received = deliveries.filter(({ state }) => state === 'delivered')
    expect(received).toHaveLength(receiver.requests.length)
    expect(received.length).toBeLessThan(60)
    const left = deliveries.filter(({ state }) => state !== 'delivered')
    expect(left.every(({ due_at }) => due_at.getTime() >= neverDueMs)).toBe(true)
  })

  test('abort-message ends that delivery with a code of its own; the endpoint stays active', async () => {
    const installed = await sendTo(status(422, { 'webhook-delivery': 'abort-message' }, 'never'))
    const [delivery] = await deliveriesOf(fixture, installed.streamId)
    expect(delivery).toMatchObject({ state: 'exhausted', attempts: 1, last_outcome: 'refused' })
    expect((await attemptsOf(fixture, installed.streamId))[0]).toMatchObject({
      ...{ outcome: 'refused', status: 422, error: 'webhooks.message_aborted', response: 'never' },
    })
    expect(await endpointOf(installed)).toMatchObject({ state: 'active', failing_since: null })
    expect(await noticesOf(installed)).toEqual([])
  })

  test('abort-message has no effect on what was received', async () => {
    const installed = await sendTo(status(200, { 'webhook-delivery': 'abort-message' }))
    expect((await deliveriesOf(fixture, installed.streamId))[0]?.state).toBe('delivered')
  })
})
