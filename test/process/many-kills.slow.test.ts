import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../../examples/demo/steps.ts'
import { seededRandom } from '../../src/kernel/index.ts'
import { startReceiver, status, type TestReceiver } from '../support/test-receiver.ts'
import { type PreparedFolder, prepareFolder, type Running, startOn } from './support/prepared-folder.ts'
import { endAll } from './support/stoa.ts'
import {
  addEndpoint,
  createOrder,
  handlerResult,
  payOrder,
  readDeliveries,
  verify,
  type World,
} from './support/world.ts'

let prepared: PreparedFolder
let receiver: TestReceiver

beforeAll(async () => {
  prepared = await prepareFolder()
  receiver = await startReceiver()
})
afterAll(async () => {
  await endAll()
  await receiver.close()
})

const rounds = 10
const signals = ['SIGKILL', 'SIGKILL', 'SIGINT', 'SIGTERM'] as const

/** One order that was created and paid; null when the process went before it had answered both. */
async function payOne(baseUrl: string, world: World, externalId: string): Promise<string | null> {
  try {
    const orderId = await createOrder(baseUrl, world, externalId)
    await payOrder(baseUrl, world, orderId)
    return orderId
  } catch {
    return null
  }
}

/** Pays orders until the process ends: within the one after `ordersBefore`. Answers those that were answered. */
async function payUntilEnd(
  { stoa, baseUrl }: Running,
  world: World,
  { name, ordersBefore, end }: { name: string; ordersBefore: number; end(): void },
): Promise<readonly string[]> {
  const paid: string[] = []
  for (let i = 0; ; i += 1) {
    if (i === ordersBefore) end()
    const orderId = await payOne(baseUrl, world, `${name}-${i}`)
    if (orderId === null) break
    paid.push(orderId)
  }
  expect(paid.length).toBeGreaterThanOrEqual(ordersBefore)
  const { code, signal } = await stoa.ended()
  expect([code, signal]).toEqual(signal === 'SIGKILL' ? [null, 'SIGKILL'] : [0, null])
  return paid
}

async function everyDelivery(baseUrl: string, world: World): Promise<void> {
  // Below, an event that is still in the outbox would have no delivery yet: the last one is behind all others.
  const lastOrder = await createOrder(baseUrl, world, 'last')
  await payOrder(baseUrl, world, lastOrder)
  await handlerResult(baseUrl, world, lastOrder)
  await until('every delivery', 120_000, async () => {
    const open = await Promise.all(
      (['backend', 'sandbox'] as const).flatMap((sink) =>
        (['pending', 'waiting'] as const).map((state) => readDeliveries(baseUrl, world, sink, state)),
      ),
    )
    return open.flat().length === 0 ? true : null
  })
}

test('ten ends at random moments under load, most by kill -9, lose no event and repeat none under a new id', async () => {
  const seed = randomUUID()
  console.log(`seed ${seed}`)
  const random = seededRandom(seed)
  const { world } = prepared
  const dataDir = prepared.copy()
  const paid: string[] = []
  let secret = ''
  // Now and then a receiver that does not answer, so that the end meets requests in flight.
  receiver.behave(() => (random.fraction() < 0.3 ? { kind: 'hang' } : status(200)))

  for (let round = 0; round < rounds; round += 1) {
    const running = await startOn(dataDir, world)
    if (secret === '') secret = await addEndpoint(running.baseUrl, world, receiver.url)
    const name = signals[round % signals.length] ?? 'SIGKILL'
    const end = () => void setTimeout(() => running.stoa.signal(name), random.fraction() * 40)
    const ordersBefore = Math.floor(random.fraction() * 12)
    paid.push(...(await payUntilEnd(running, world, { name: `${round}`, ordersBefore, end })))
  }

  receiver.behave(status(200))
  await everyDelivery((await startOn(dataDir, world)).baseUrl, world)
  const idsByOrder = new Map<string, Set<string>>()
  for (const request of receiver.requests) {
    const { id, subject } = verify(request, secret)
    idsByOrder.set(subject, (idsByOrder.get(subject) ?? new Set()).add(id))
  }
  expect(paid.filter((orderId) => !idsByOrder.has(orderId))).toEqual([])
  expect([...idsByOrder.values()].filter((ids) => ids.size !== 1)).toEqual([])
})
