import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort } from '../../examples/demo/processes.ts'
import { until as untilAnswered } from '../../examples/demo/steps.ts'
import { type PreparedFolder, prepareFolder, startOn } from './support/prepared-folder.ts'
import { endAll, promisedMs, type StoaProcess, startProgram, temporaryFolder } from './support/stoa.ts'
import { addEndpoint, createOrder, payOrder, readDeliveries, type World } from './support/world.ts'

let prepared: PreparedFolder
let world: World
const servers: Server[] = []

beforeAll(async () => {
  prepared = await prepareFolder()
  world = prepared.world
})
afterAll(async () => {
  for (const server of servers) {
    server.close()
    server.closeAllConnections()
  }
  await endAll()
})

/** What the example prints of an event that it has handled. */
interface Printed {
  readonly printed: string
  readonly subject: string
  readonly webhookId: string
  readonly sequence: number
  readonly via: 'webhook' | 'pull' | 'websocket'
}

function printedBy({ stdout }: StoaProcess): readonly Printed[] {
  return stdout.filter((line) => line.startsWith('{"printed"')).map((line) => JSON.parse(line) as Printed)
}

function startPrinter(baseUrl: string, env: Readonly<Record<string, string>>): StoaProcess {
  const { appId, clientSecret } = world
  const settings = { STOA_URL: baseUrl, CLIENT_ID: appId, CLIENT_SECRET: clientSecret }
  return startProgram('examples/order-printer/main.ts', { ...settings, ...env })
}

const isPrinted = (subject: string) => new RegExp(`^\\{"printed":"order\\.paid","subject":"${subject}"`)

async function payNewOrder(baseUrl: string, externalId: string): Promise<string> {
  const orderId = await createOrder(baseUrl, world, externalId)
  await payOrder(baseUrl, world, orderId)
  return orderId
}

/** A hop between the platform and the printer that can swallow what it is given: the platform hears 200. */
async function startHop(printerPort: number) {
  const swallowed: string[] = []
  let swallows = false
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const headers = request.headers as Record<string, string>
      if (swallows) {
        swallowed.push(headers['webhook-id'] ?? '')
        response.writeHead(200).end()
        return
      }
      const passed = Object.entries(headers).filter(([name]) => name.startsWith('webhook-'))
      fetch(`http://127.0.0.1:${printerPort}/webhooks`, {
        method: 'POST',
        headers: { ...Object.fromEntries(passed), 'content-type': 'application/json' },
        body: Buffer.concat(chunks),
      }).then(
        ({ status }) => response.writeHead(status).end(),
        () => response.writeHead(502).end(),
      )
    })
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/webhooks`,
    swallowed,
    swallow(on: boolean) {
      swallows = on
    },
  }
}

/** Asks again and again until it is so. */
function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<unknown> {
  return untilAnswered(what, 30_000, async () => ((await isSo()) ? true : null))
}

/** Between printing and remembering a kill costs a second print: that is what at least once means. */
function hasRemembered(stateFile: string, sequence: number): Promise<unknown> {
  const read = () => JSON.parse(readFileSync(stateFile, 'utf8')) as { readonly doneUpTo: number }
  return until(`${sequence} is remembered`, () => read().doneUpTo === sequence)
}

const allDelivered = async (baseUrl: string) =>
  (await readDeliveries(baseUrl, world, 'backend')).every(({ state }) => state === 'delivered')

test('a receiver heals by pull what was lost on the way and what came while it was down, each event once', async () => {
  const { baseUrl } = await startOn(prepared.copy(), world)
  const port = await freePort()
  const hop = await startHop(port)
  const secret = await addEndpoint(baseUrl, world, hop.url)
  const env = {
    ...{ PORT: String(port), WEBHOOK_SECRET: secret },
    STATE_FILE: path.join(temporaryFolder(), 'state.json'),
  }
  const first = startPrinter(baseUrl, env)
  await first.printed(/listening on/)
  const orders = [await payNewOrder(baseUrl, 'P-1')]
  await first.printed(isPrinted(orders[0] ?? ''))

  // Dropped on the floor: the platform believes that they were delivered.
  hop.swallow(true)
  orders.push(await payNewOrder(baseUrl, 'P-2'), await payNewOrder(baseUrl, 'P-3'))
  await until('both are swallowed', () => hop.swallowed.length === 2)
  hop.swallow(false)
  orders.push(await payNewOrder(baseUrl, 'P-4'))
  for (const orderId of orders) await first.printed(isPrinted(orderId))
  expect(printedBy(first).map(({ via }) => via)).toEqual(['webhook', 'webhook', 'pull', 'pull'])

  // Down: the platform keeps trying, the printer asks when it is back, and nobody sends what was acknowledged.
  await hasRemembered(env.STATE_FILE, 4)
  await first.kill()
  orders.push(await payNewOrder(baseUrl, 'P-5'), await payNewOrder(baseUrl, 'P-6'))
  await until('both attempts have failed', async () => {
    const deliveries = await readDeliveries(baseUrl, world, 'backend', 'waiting')
    return deliveries.length === 2
  })
  const second = startPrinter(baseUrl, env)
  for (const orderId of orders.slice(4)) await second.printed(isPrinted(orderId))
  await until('everything counts as delivered', () => allDelivered(baseUrl))
  // A last one by webhook: whatever else was to come has come before it.
  orders.push(await payNewOrder(baseUrl, 'P-7'))
  await second.printed(isPrinted(orders[6] ?? ''))

  const all = [...printedBy(first), ...printedBy(second)]
  expect(all.map(({ subject }) => subject).toSorted()).toEqual(orders.toSorted())
  expect(all.map(({ sequence }) => sequence).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7])
  expect(printedBy(second).map(({ via }) => via)).toEqual(['pull', 'pull', 'webhook'])
  expect(second.stderr).toEqual([])
})

test('a client without a public address gets the same events by WebSocket, also across a kill of its own', async () => {
  const { stoa, baseUrl } = await startOn(prepared.copy(), world)
  const STATE_FILE = path.join(temporaryFolder(), 'state.json')
  const env = { TRANSPORT: 'websocket', STATE_FILE }
  const first = startPrinter(baseUrl, env)
  await first.printed(/"socket":"open"/)
  const orders = [await payNewOrder(baseUrl, 'W-1'), await payNewOrder(baseUrl, 'W-2')]
  for (const orderId of orders) await first.printed(isPrinted(orderId))
  await hasRemembered(STATE_FILE, 2)
  await first.kill()
  orders.push(await payNewOrder(baseUrl, 'W-3'))
  const second = startPrinter(baseUrl, env)
  await second.printed(isPrinted(orders[2] ?? ''))
  await second.printed(/"socket":"open"/)
  orders.push(await payNewOrder(baseUrl, 'W-4'))
  await second.printed(isPrinted(orders[3] ?? ''))

  const all = [...printedBy(first), ...printedBy(second)]
  const deliveries = await readDeliveries(baseUrl, world, 'backend')
  const expected = deliveries.map(({ eventId, subject, sequence }) => ({ eventId, subject, sequence }))
  const seen = all.map(({ webhookId: eventId, subject, sequence }) => ({ eventId, subject, sequence }))
  expect(seen).toEqual(expected.toSorted((a, b) => a.sequence - b.sequence))
  expect(seen.map(({ subject }) => subject)).toEqual(orders)
  expect(all.map(({ via }) => via)).toEqual(['websocket', 'websocket', 'pull', 'websocket'])
  await until('everything counts as delivered', () => allDelivered(baseUrl))

  // An open socket does not keep the platform from ending in time, and hears why.
  const askedAt = performance.now()
  stoa.signal('SIGTERM')
  expect(await stoa.ended()).toEqual({ code: 0, signal: null })
  expect(performance.now() - askedAt).toBeLessThan(promisedMs)
  await second.printed(/"socket":"closed","why":"1001 the platform stops"/)
})
