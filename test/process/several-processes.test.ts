import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../../examples/demo/steps.ts'
import { createServerDatabase, testServerUrl } from '../support/database.ts'
import { startReceiver, status, type TestReceiver } from '../support/test-receiver.ts'
import { endAll, type StoaProcess, startStoa, temporaryFolder } from './support/stoa.ts'
import {
  addEndpoint,
  createOrder,
  makeWorld,
  newKey,
  payOrder,
  readDeliveries,
  verify,
  type World,
  worldSettings,
} from './support/world.ts'

const serverUrl = testServerUrl()
const title = 'several processes on one PostgreSQL'
const reason = serverUrl === undefined ? ' (skipped: DATABASE_URL names no server)' : ''

describe.skipIf(serverUrl === undefined)(`${title}${reason}`, () => {
  let drop: () => Promise<void> = () => Promise.resolve()
  let settings: Readonly<Record<string, string>> = {}
  let world: World
  let secret: string
  let receiver: TestReceiver
  const nodes: StoaProcess[] = []

  function start(roles: string): StoaProcess {
    const node = startStoa(temporaryFolder(), { ...settings, STOA_ROLES: roles })
    nodes.push(node)
    return node
  }

  beforeAll(async () => {
    const database = await createServerDatabase(serverUrl ?? '', { empty: true })
    drop = database.drop
    const hostKey = newKey()
    const redisUrl = process.env['REDIS_URL'] ?? ''
    settings = {
      ...worldSettings(hostKey),
      DATABASE_URL: database.databaseUrl,
      STOA_SECRET_KEY: newKey(),
      STOA_LOG_LEVEL: 'warn',
      ...(redisUrl === '' ? {} : { REDIS_URL: redisUrl }),
    }
    // Two full nodes at once on an empty database: one migrates, the other waits for it.
    const addresses = await Promise.all(
      [start('api,worker,sandbox'), start('api,worker,sandbox')].map((node) => node.listening()),
    )
    receiver = await startReceiver()
    world = await makeWorld(addresses[0] ?? '', hostKey)
    // The other node answers for what the first has written.
    secret = await addEndpoint(addresses[1] ?? '', world, receiver.url)
  })
  afterEach(async () => {
    await Promise.all(nodes.splice(0).map((node) => node.kill()))
  })
  afterAll(async () => {
    await endAll()
    await receiver.close()
    await drop()
  })

  async function createOrders(baseUrl: string, prefix: string, count: number): Promise<readonly string[]> {
    const orders: string[] = []
    for (let i = 0; i < count; i += 1) orders.push(await createOrder(baseUrl, world, `${prefix}-${i}`))
    return orders
  }

  /** Waits until both sinks have delivered an event of every order; the events' ids by order. */
  function deliveredTo(baseUrl: string, sink: 'backend' | 'sandbox', orders: readonly string[]) {
    return until(`delivery of ${orders.length} orders to the ${sink}`, 40_000, async () => {
      const deliveries = await readDeliveries(baseUrl, world, sink)
      const mine = deliveries.filter(({ subject }) => orders.includes(subject))
      const done = new Set(mine.filter(({ state }) => state === 'delivered').map(({ subject }) => subject))
      return done.size === orders.length ? mine : null
    })
  }

  test('two full nodes that start at once on an empty database both come up, and every migration ran once', async () => {
    const client = new pg.Client({ connectionString: settings['DATABASE_URL'] })
    await client.connect()
    const { rows } = await client.query(
      'select migration_name, count(*)::int from _prisma_migrations group by 1 having count(*) > 1',
    )
    await client.end()
    expect(rows).toEqual([])
    for (const node of nodes) {
      expect((await fetch(`${await node.listening()}/readyz`)).status).toBe(200)
      node.signal('SIGTERM')
      expect(await node.ended()).toEqual({ code: 0, signal: null })
    }
  })

  test('a worker killed with -9 with deliveries in flight is replaced: everything arrives within 10 s', async () => {
    const [api, worker] = [start('api'), start('worker,sandbox')]
    const baseUrl = await api.listening()
    await worker.listening()
    const stepsOf = ({ stdout }: StoaProcess) => stdout.map((line) => line.trim().split(' ')[0])
    expect(stepsOf(worker)).toContain('sandbox')
    expect(stepsOf(api)).not.toContain('sandbox')
    receiver.behave({ kind: 'hang' })
    const from = receiver.requests.length
    const orders = await createOrders(baseUrl, 'worker', 20)
    await Promise.all(orders.map((orderId) => payOrder(baseUrl, world, orderId)))
    await receiver.received(from + 4)
    await worker.kill()

    receiver.behave(status(200))
    const restarted = receiver.requests.length
    const probe = await start('worker,sandbox').listening()
    const listeningAt = performance.now()
    const deliveries = await deliveredTo(baseUrl, 'backend', orders)
    await deliveredTo(baseUrl, 'sandbox', orders)
    expect(performance.now() - listeningAt).toBeLessThan(10_000)

    expect(deliveries).toHaveLength(orders.length)
    const events = receiver.requests.slice(restarted).map((request) => verify(request, secret))
    expect(new Set(events.map(({ subject }) => subject))).toEqual(new Set(orders))
    // Those in flight at the kill came again under their own ids.
    const inFlight = receiver.requests.slice(from, restarted).map((request) => verify(request, secret).id)
    expect(events.map(({ id }) => id)).toEqual(expect.arrayContaining(inFlight))

    // A process without the api role answers its probes and nothing else.
    expect((await fetch(`${probe}/readyz`)).status).toBe(200)
    expect((await fetch(`${probe}/openapi.json`)).status).toBe(404)
  })

  test('an api killed with -9 while it publishes loses nothing it has answered and publishes nothing twice', async () => {
    const [api, worker] = [start('api'), start('worker,sandbox')]
    const baseUrl = await api.listening()
    await worker.listening()
    const orders = await createOrders(baseUrl, 'api', 40)
    const answered: string[] = []
    const paying = orders.map(async (orderId) => {
      await payOrder(baseUrl, world, orderId)
      answered.push(orderId)
      if (answered.length === 10) void api.kill()
    })
    await Promise.allSettled(paying)
    await api.ended()
    expect(answered.length).toBeLessThan(orders.length)

    const again = await start('api').listening()
    await deliveredTo(again, 'backend', answered)
    // Whoever got no answer asks again: the order is paid now, or was paid then.
    const unanswered = orders.filter((orderId) => !answered.includes(orderId))
    const outcomes = await Promise.allSettled(unanswered.map((orderId) => payOrder(again, world, orderId)))
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(String(outcome.reason)).toContain('"order.')
    }
    const deliveries = await deliveredTo(again, 'backend', orders)
    expect(new Set(deliveries.map(({ eventId }) => eventId)).size).toBe(orders.length)
    expect(deliveries).toHaveLength(orders.length)
    const handled = await deliveredTo(again, 'sandbox', orders)
    expect(handled).toHaveLength(orders.length)
  })
})
