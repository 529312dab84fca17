import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { sql } from '../../../src/db/index.ts'
import { startTestPlatform, type TestPlatform } from '../../support/platform.ts'
import { startReceiver, status, type TestReceiver } from '../../support/test-receiver.ts'
import { type EndpointWorld, makeEndpointWorld } from './endpoint-world.ts'

const hour = 60 * 60_000
const elsewhere = 'https://hooks.example.com/stoa'

let at: TestPlatform
let receiver: TestReceiver
let world: EndpointWorld

beforeAll(async () => {
  at = await startTestPlatform()
})
afterAll(() => at.close())
beforeEach(async () => {
  receiver = await startReceiver()
  world = await makeEndpointWorld(at)
})
afterEach(() => receiver.close())

describe('pausing an endpoint by hand', () => {
  test('lets its deliveries wait without a probe, and resuming sends them all', async () => {
    const endpoint = await world.create(receiver.url)
    const paused = await world.post(endpoint, 'pause')
    expect(paused).toMatchObject({ state: 'paused', stateReason: 'requested', probeAt: null })
    expect(paused.pausedAt).not.toBeNull()
    await world.pay(3)
    at.clock.advance(25 * hour)
    await at.platform.events.drainNow()
    expect(receiver.requests).toHaveLength(0)
    expect(await world.post(endpoint, 'resume')).toMatchObject({
      ...{ state: 'active', stateReason: null, pausedAt: null, probeAt: null },
    })
    await at.platform.events.drainNow()
    expect(receiver.requests).toHaveLength(3)
  })

  test('twice is like once, and so is resuming', async () => {
    const endpoint = await world.create(receiver.url)
    const first = await world.post(endpoint, 'pause')
    at.clock.advance(1_000)
    expect(await world.post(endpoint, 'pause')).toEqual(first)
    const resumed = await world.post(endpoint, 'resume')
    expect(await world.post(endpoint, 'resume')).toEqual(resumed)
  })

  test('tells nobody: whoever did it knows', async () => {
    const endpoint = await world.create(receiver.url)
    await world.post(endpoint, 'pause')
    await world.post(endpoint, 'resume')
    expect(await world.api.call('GET', '/developer/v1/notices')).toMatchObject({ data: [] })
  })
})

describe('an endpoint that was paused by itself', () => {
  test('is resumed by one call; its 72 hours begin anew', async () => {
    const endpoint = await world.create(receiver.url)
    receiver.behave(status(500))
    await world.pay()
    await at.platform.events.drainNow()
    at.clock.advance(73 * hour)
    await at.platform.events.drainNow()
    const paused = await world.get(endpoint)
    expect(paused).toMatchObject({ state: 'paused', stateReason: 'failing', probeFailures: 0 })
    expect(paused.probeAt).not.toBeNull()
    await world.post(endpoint, 'resume')
    at.clock.advance(1 * hour)
    await at.platform.events.drainNow()
    expect(receiver.requests).toHaveLength(3)
    expect(await world.get(endpoint)).toMatchObject({ state: 'active' })
  })

  test('is not probed any more once a person pauses it', async () => {
    const endpoint = await world.create(receiver.url)
    await sql(
      at.db.queries,
      `update endpoint set state = 'paused', state_reason = 'failing', paused_at = now(), probe_at = now()
       where id = $1`,
      endpoint.id,
    )
    expect(await world.post(endpoint, 'pause')).toMatchObject({ stateReason: 'requested', probeAt: null })
  })
})

describe('an endpoint that cannot take the step says so', () => {
  test('unverified: neither paused nor resumed', async () => {
    const endpoint = await world.create(elsewhere)
    for (const verb of ['pause', 'resume']) {
      const problem = await world.api.refused('POST', `${world.pathOf(endpoint)}:${verb}`, 409)
      expect(problem.code).toBe('webhooks.endpoint_not_verified')
    }
  })

  test('stopped: nothing but being deleted', async () => {
    const endpoint = await world.create(receiver.url)
    receiver.behave(status(410))
    await world.pay()
    await at.platform.events.drainNow()
    expect(await world.get(endpoint)).toMatchObject({ state: 'stopped', stateReason: 'gone' })
    for (const verb of ['pause', 'resume', 'verify']) {
      const problem = await world.api.refused('POST', `${world.pathOf(endpoint)}:${verb}`, 409)
      expect(problem.code).toBe('webhooks.endpoint_stopped')
    }
    const change = { json: { url: receiver.url } }
    const problem = await world.api.refused('PATCH', world.pathOf(endpoint), 409, change)
    expect(problem.code).toBe('webhooks.endpoint_stopped')
    expect((await world.api.request('DELETE', world.pathOf(endpoint))).status).toBe(204)
    expect(await world.create(receiver.url)).toMatchObject({ state: 'active' })
  })
})

describe('changing an endpoint', () => {
  const patch = (endpoint: { readonly id: string }, json: object) =>
    world.api.call('PATCH', `${world.path}/${endpoint.id}`, json)

  test('what is not given stays as it is', async () => {
    const endpoint = await world.create(receiver.url)
    const { secret: _shownOnce, ...before } = endpoint
    expect(await patch(endpoint, {})).toEqual(before)
    expect(await patch(endpoint, { fifo: true })).toEqual({ ...before, fifo: true })
    expect(await patch(endpoint, { ratePerSecond: 5 })).toEqual({ ...before, fifo: true, ratePerSecond: 5 })
    expect(await patch(endpoint, { ratePerSecond: null, fifo: false })).toEqual(before)
    expect(await world.get(endpoint)).toEqual(before)
  })

  test('another URL is proven anew, and nothing is sent to it before; what waits is kept', async () => {
    const endpoint = await world.create(receiver.url)
    await world.pay()
    expect(await patch(endpoint, { url: elsewhere })).toMatchObject({ url: elsewhere, state: 'unverified' })
    await at.platform.events.drainNow()
    expect(receiver.requests).toHaveLength(0)
    expect(await patch(endpoint, { url: receiver.url })).toMatchObject({ state: 'active' })
    await at.platform.events.drainNow()
    expect(receiver.requests).toHaveLength(1)
  })

  test('the same URL is no other one', async () => {
    const endpoint = await world.create(receiver.url)
    await world.post(endpoint, 'pause')
    expect(await patch(endpoint, { url: receiver.url })).toMatchObject({ state: 'paused' })
  })

  test('a URL that cannot be one is refused with a pointer', async () => {
    const endpoint = await world.create(receiver.url)
    for (const url of ['https://10.0.0.1/', 'http://hooks.example.com/', 'nonsense']) {
      const problem = await world.api.refused('PATCH', world.pathOf(endpoint), 422, { json: { url } })
      expect(problem).toMatchObject({ code: 'webhooks.url_refused', errors: [{ pointer: '/url' }] })
    }
    for (const json of [{ ratePerSecond: 0 }, { ratePerSecond: 1_001 }, { state: 'active' }])
      await world.api.refused('PATCH', world.pathOf(endpoint), 400, { json })
    expect(await world.get(endpoint)).toMatchObject({ url: receiver.url, ratePerSecond: null })
  })
})
