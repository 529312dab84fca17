import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { startReceiver, status, type TestReceiver } from '../support/test-receiver.ts'
import { type PreparedFolder, prepareFolder, startOn } from './support/prepared-folder.ts'
import { endAll, promisedMs } from './support/stoa.ts'
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
let world: World
const receivers: TestReceiver[] = []

beforeAll(async () => {
  prepared = await prepareFolder()
  world = prepared.world
})
afterEach(async () => {
  await Promise.all(receivers.splice(0).map((receiver) => receiver.close()))
})
afterAll(endAll)

/** A running copy of the world, with an endpoint at a receiver that does not answer. */
async function startWithHangingReceiver() {
  const dataDir = prepared.copy()
  const receiver = await startReceiver()
  receivers.push(receiver)
  receiver.behave({ kind: 'hang' })
  const { stoa, baseUrl } = await startOn(dataDir, world)
  const secret = await addEndpoint(baseUrl, world, receiver.url)
  return { dataDir, receiver, stoa, baseUrl, secret }
}

async function payNewOrder(baseUrl: string, externalId: string): Promise<string> {
  const orderId = await createOrder(baseUrl, world, externalId)
  await payOrder(baseUrl, world, orderId)
  return orderId
}

test('kill -9 between acceptance and delivery loses neither webhook nor handler run', async () => {
  const { dataDir, receiver, stoa, baseUrl, secret } = await startWithHangingReceiver()
  const inFlight = await payNewOrder(baseUrl, 'A-1')
  await receiver.received(1)
  const [first] = receiver.requests
  const accepted = await payNewOrder(baseUrl, 'A-2')
  await stoa.kill()

  receiver.behave(status(200))
  const before = receiver.requests.length
  const again = await startOn(dataDir, world)
  for (const orderId of [inFlight, accepted]) {
    expect(await handlerResult(again.baseUrl, world, orderId)).toMatchObject({ orderId, state: 'paid' })
  }
  await receiver.received(before + 2)

  const events = receiver.requests.slice(before).map((request) => verify(request, secret))
  expect(events.map(({ subject }) => subject).sort()).toEqual([inFlight, accepted].sort())
  const sentAgain = events.find(({ subject }) => subject === inFlight)
  expect(sentAgain?.id).toBe(first?.headers['webhook-id'])
  const ids = (await readDeliveries(again.baseUrl, world, 'backend')).map(({ eventId }) => eventId)
  expect(new Set(ids)).toEqual(new Set(events.map(({ id }) => id)))
})

test('SIGTERM ends in 5 s with code 0 while a receiver hangs and a handler never ends, and loses nothing', async () => {
  const { dataDir, receiver, stoa, baseUrl, secret } = await startWithHangingReceiver()
  const orders = [await payNewOrder(baseUrl, 'endless-1'), await payNewOrder(baseUrl, 'endless-2')]
  await receiver.received(2)
  const sent = receiver.requests.map((request) => verify(request, secret).id)

  const askedAt = performance.now()
  stoa.signal('SIGTERM')
  expect(await stoa.ended()).toEqual({ code: 0, signal: null })
  expect(performance.now() - askedAt).toBeLessThan(promisedMs)
  expect(stoa.stdout.at(-1)).toBe('SIGTERM: finishing what is in flight')
  expect(stoa.stderr).toEqual([])

  receiver.behave(status(200))
  const before = receiver.requests.length
  const again = await startOn(dataDir, world)
  await receiver.received(before + 2)
  const events = receiver.requests.slice(before).map((request) => verify(request, secret))
  expect(events.map(({ id }) => id).sort()).toEqual(sent.sort())
  for (const orderId of orders) {
    const { runs } = await handlerResult(again.baseUrl, world, orderId)
    expect(runs).toBeGreaterThan(1)
  }
})
