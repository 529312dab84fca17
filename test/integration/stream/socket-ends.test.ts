import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Log, limits, makeLog } from '../../../src/kernel/index.ts'
import { watchStatements } from '../../support/watch-statements.ts'
import { openSocket } from './socket-client.ts'
import { type Installed, openStreamWorld, type StreamWorld, until } from './world.ts'

let world: StreamWorld
// Pings as in life: what is tested here must not be done by them.
const timing = {
  ...{ pingMs: limits.socketPingMs, pongMs: limits.socketPongMs, recheckMs: limits.socketRecheckMs },
  // Far more than the healthy reader’s process may be busy with other things.
  ...{ stuckMs: 4_000, closeMs: 300 },
}

interface Closing {
  readonly reason: string | null
  readonly sent: number
}
const closings: Closing[] = []

/** A log whose lines about closed sockets the test reads. */
function watchedLog(): Log {
  const log = makeLog({ level: 'info' })
  const info = (members: Closing, text: string) => {
    if (text === 'http.socket_closed') closings.push(members)
  }
  return new Proxy(log, {
    get: (target, name) => (name === 'info' ? info : (Reflect.get(target, name) as unknown)),
  })
}

beforeAll(async () => {
  world = await openStreamWorld({ socketTiming: timing, log: watchedLog() })
})
afterAll(() => world.close())

const open = ({ token }: Pick<Installed, 'token'>) => openSocket(world.at.baseUrl, token)

describe('a consumer that does not take what it gets', () => {
  // Characters of four bytes: some 180 KB each.
  const line = { name: '🍵'.repeat(200), quantity: 1, unitPrice: { amount: 1, currency: 'CNY' } }
  const large = { lines: Array.from({ length: 200 }, () => line) }
  const count = 80

  test('is closed; nothing is read for it meanwhile, and others are served', async () => {
    const installed = await world.install()
    // Some 14 MB: more than the buffers of both ends take.
    await world.payAndRelay(installed.merchant, count, large)
    const statements = watchStatements(world.at.db)
    const pages = () => statements.texts.filter((text) => text.includes('sized as')).length
    const [stuck, healthy] = [await open(installed), await open(installed)]
    stuck.ws.pause()
    await healthy.until('all of it', ({ items }) => items.length === count)
    const pagesOfAll = Math.ceil(count / 5)
    await until('the platform has closed it', () => closings.some(({ reason }) => reason === 'stuck'))
    statements.end()
    const { sent } = closings.find(({ reason }) => reason === 'stuck') ?? { sent: count }
    expect(sent).toBeLessThan(count)
    expect(pages()).toBeLessThan(2 * pagesOfAll)
    healthy.send(JSON.stringify({ type: 'ack', sequence: count }))
    await healthy.until('it is served', ({ acked }) => acked.at(-1) === count)
    healthy.ws.close()
    stuck.ws.resume()
    // 1006: it did not take the close frame either, and its connection was cut.
    expect([1006, 4408]).toContain((await stuck.closed).code)
    expect(stuck.items.length).toBeLessThan(count)
  })
})

test('the end of the process closes every socket with 1001, at once', async () => {
  const ending = await openStreamWorld({ socketTiming: timing })
  const installed = await ending.install()
  const sockets = await Promise.all(
    [0, 1, 2].map(() => openSocket(ending.at.baseUrl, installed.token, { autoPong: false })),
  )
  const startedAt = performance.now()
  await ending.close()
  for (const { closed } of sockets) expect((await closed).code).toBe(1001)
  expect(performance.now() - startedAt).toBeLessThan(5_000)
})
