import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Events } from '../../../src/events/index.ts'
import { makeQueue, type Queue } from '../../../src/queue/index.ts'
import { quietLog } from '../../support/database.ts'
import { startReceiver, status, type TestReceiver } from '../../support/test-receiver.ts'
import { deafQueue, deliveriesOf, type Fixture, openFixture, payOrders } from './fixture.ts'

let fixture: Fixture
let receiver: TestReceiver
let started: Events[] = []
let queues: Queue[] = []

beforeEach(async () => {
  fixture = await openFixture()
  receiver = await startReceiver()
})
afterEach(async () => {
  await Promise.all(started.map((events) => events.stop()))
  await Promise.all(queues.map((queue) => queue.close()))
  started = []
  queues = []
  await receiver.close()
  await fixture.close()
})

function openQueue(): Queue {
  const queue = makeQueue({ db: fixture.db, log: quietLog })
  queues.push(queue)
  return queue
}

/** A process: api alone, or with relay and drains. */
async function startProcess(queue: Queue, roles: { readonly works: boolean }): Promise<Events> {
  const sinks = roles.works ? { backend: fixture.webhooks() } : {}
  const events = fixture.makeEvents(sinks, { queue, relays: roles.works })
  await events.start()
  await queue.ready()
  started.push(events)
  return events
}

/** Timers without any queue: every wake is lost. */
function timersOnly(): Queue {
  const timers: NodeJS.Timeout[] = []
  return {
    ...deafQueue,
    every: (_name, ms, run) => void timers.push(setInterval(() => void run(), ms)),
    close() {
      for (const timer of timers) clearInterval(timer)
      return Promise.resolve()
    },
  }
}

async function withEndpoint() {
  const installed = await fixture.install()
  await fixture.addEndpoint(installed, receiver.url)
  return installed
}

describe('who wakes whom', () => {
  test('a process that relays and drains does so by itself, right after the commit', async () => {
    const installed = await withEndpoint()
    // Without intervals there is no sweep: only a wake of its own can bring the event out.
    vi.useFakeTimers({ toFake: ['setInterval'] })
    try {
      const events = await startProcess(openQueue(), { works: true })
      const [eventId] = await payOrders(fixture, events, installed.merchantId)
      await receiver.received(1)
      expect(receiver.requests[0]?.headers['webhook-id']).toBe(eventId)
    } finally {
      vi.useRealTimers()
    }
  })

  test('one that only publishes wakes another through the queue', async () => {
    const installed = await withEndpoint()
    const queue = openQueue()
    await startProcess(queue, { works: true })
    const api = fixture.makeEvents({}, { queue, relays: false })
    await payOrders(fixture, api, installed.merchantId)
    await receiver.received(1)
  })

  test('when every wake is lost, the sweeps find the event and its delivery', async () => {
    const installed = await withEndpoint()
    const queue = timersOnly()
    queues.push(queue)
    await startProcess(queue, { works: true })
    const api = fixture.makeEvents({}, { queue: deafQueue, relays: false })
    await payOrders(fixture, api, installed.merchantId, 3)
    await receiver.received(3)
  })

  test('a retry comes when it is due', async () => {
    const installed = await withEndpoint()
    receiver.behave((_request, index) => (index === 0 ? status(503, { 'retry-after': '1' }) : status(200)))
    const events = await startProcess(openQueue(), { works: true })
    await payOrders(fixture, events, installed.merchantId)
    await receiver.received(2)
    const [first, second] = receiver.requests
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(950)
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeLessThan(4_000)
  })

  test('more streams than one process drains at once are all drained', async () => {
    const merchantId = await fixture.addMerchant()
    const count = 80
    for (let i = 0; i < count; i += 1) {
      const installed = await fixture.install({ merchantId })
      await fixture.addEndpoint(installed, receiver.url)
    }
    receiver.behave(status(204))
    const events = await startProcess(openQueue(), { works: true })
    await payOrders(fixture, events, merchantId)
    await receiver.received(count)
    expect(new Set(receiver.requests.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
  })

  test('what a stopped process left is taken up by the next start', async () => {
    const installed = await withEndpoint()
    const events = await startProcess(openQueue(), { works: true })
    await events.stop()
    await payOrders(fixture, events, installed.merchantId, 2)
    expect(await deliveriesOf(fixture, installed.streamId)).toEqual([])
    await startProcess(openQueue(), { works: true })
    await receiver.received(2)
  })
})
