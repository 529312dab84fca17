import { request } from 'node:http'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { makeEvents } from '../../../src/events/index.ts'
import { limits, systemTimers } from '../../../src/kernel/index.ts'
import { quietLog } from '../../support/database.ts'
import { type StatementWatch, watchStatements } from '../../support/watch-statements.ts'
import { deafQueue } from '../events/fixture.ts'
import { type Installed, openStreamWorld, type Part, type StreamWorld, until } from './world.ts'

let world: StreamWorld
let installed: Installed
let statements: StatementWatch

beforeAll(async () => {
  world = await openStreamWorld()
  installed = await world.install()
})
beforeEach(() => {
  statements = watchStatements(world.at.db)
})
afterEach(() => statements.end())
afterAll(() => world.close())

const looks = () => statements.texts.filter((text) => text.includes('as last_sequence from stream'))
const reads = () => statements.texts.filter((text) => text.includes('s.next_sequence, s.cursor from stream'))

/** A read that waits; resolves to the answer and the milliseconds it took. */
async function waitingRead(who: Installed, query = 'waitSeconds=30') {
  const { lastSequence } = await world.read(who)
  const before = reads().length
  const startedAt = performance.now()
  const answered = world
    .read(who, `?after=${lastSequence}&${query}`)
    .then((part: Part) => ({ part, ms: performance.now() - startedAt }))
  await until('the read has looked once', () => reads().length > before)
  return { answered }
}

/** A relay of another process, which cannot tell this one anything. */
function otherRelay() {
  const { db, clock, random, platform, baseUrl } = world.at
  const { catalog } = platform
  const parts = {
    db,
    catalog,
    clock,
    timers: systemTimers,
    random,
    queue: deafQueue,
    log: quietLog,
    publicUrl: baseUrl,
  }
  return makeEvents({ ...parts, relays: true, sinks: () => ({}) })
}

describe('a read that waits', () => {
  test('is answered as soon as this process has relayed, without asking the database whether', async () => {
    const { answered } = await waitingRead(installed)
    const looksBefore = looks().length
    const [eventId] = await world.payAndRelay(installed.merchant)
    const { part } = await answered
    expect(part.data).toMatchObject([{ eventId }])
    expect(looks().length - looksBefore).toBeLessThanOrEqual(1)
  })

  test('is answered within a second when another process has relayed', async () => {
    const { answered } = await waitingRead(installed)
    const [eventId] = await world.pay(installed.merchant)
    const startedAt = performance.now()
    await otherRelay().relayNow()
    const { part } = await answered
    expect(part.data).toMatchObject([{ eventId }])
    expect(performance.now() - startedAt).toBeLessThan(1_500)
  })

  test('is answered at once when there is something already', async () => {
    await world.payAndRelay(installed.merchant)
    const startedAt = performance.now()
    await world.read(installed, '?after=0&waitSeconds=30')
    expect(performance.now() - startedAt).toBeLessThan(2_000)
  })

  test('is answered empty when the time is over', async () => {
    const { answered } = await waitingRead(installed, 'waitSeconds=1')
    const { part, ms } = await answered
    expect(part).toMatchObject({ data: [], hasMore: false })
    expect(ms).toBeGreaterThanOrEqual(950)
    expect(ms).toBeLessThan(5_000)
  })

  test('of a partition sleeps on while only others get something, and tells how far it came', async () => {
    const { answered } = await waitingRead(installed, 'waitSeconds=2&partition=0/50')
    const { answered: rest } = await waitingRead(installed, 'waitSeconds=2&partition=1/50')
    await world.payAndRelay(installed.merchant)
    const parts = [(await answered).part, (await rest).part]
    const { lastSequence } = await world.read(installed)
    expect(parts.filter(({ data }) => data.length > 0).length).toBeLessThanOrEqual(1)
    expect(parts.map(({ nextAfter }) => nextAfter)).toEqual([lastSequence, lastSequence])
  })
})

describe('waiting', () => {
  test('costs one statement per half second, however many wait, and none when nobody does', async () => {
    const others = [installed, await world.install(), await world.install()]
    const before = reads().length
    const startedAt = performance.now()
    const answers = others.flatMap((who) =>
      Array.from({ length: limits.pullWaitsPerAppMax }, async () => {
        const { lastSequence } = await world.read(who)
        return world.read(who, `?after=${lastSequence}&waitSeconds=3`)
      }),
    )
    await until('all wait', () => reads().length - before >= 2 * answers.length)
    const [looksBefore, readsBefore] = [looks().length, reads().length]
    await Promise.all(answers)
    const halfSeconds = (performance.now() - startedAt) / limits.streamWatchMs
    expect(answers).toHaveLength(60)
    expect(looks().length - looksBefore).toBeGreaterThanOrEqual(2)
    expect(looks().length - looksBefore).toBeLessThanOrEqual(Math.ceil(halfSeconds) + 1)
    expect(reads().length - readsBefore).toBe(0)

    const quiet = looks().length
    const { answered } = await waitingRead(installed, 'waitSeconds=1')
    await answered
    // The one that was on its way when the last waiter left, and those of this second.
    expect(looks().length - quiet).toBeLessThanOrEqual(4)
  })

  test('one more than the app may have is told to come back', async () => {
    const one = await world.install()
    const answers = Array.from({ length: limits.pullWaitsPerAppMax }, () => world.read(one, '?waitSeconds=2'))
    await until('all wait', () => reads().length >= answers.length)
    const { status, headers, body } = await one.api.request<{ code: string }>(
      'GET',
      '/v1/deliveries?waitSeconds=2',
    )
    expect([status, body.code, headers['retry-after']]).toEqual([429, 'stream.too_many_waiting', '1'])
    // What does not wait needs no place.
    await world.read(one)
    await Promise.all(answers)
    await world.read(one, '?waitSeconds=1')
  })

  test('a reader that hangs up gives its place back', async () => {
    const one = await world.install()
    const url = `${world.at.baseUrl}/v1/deliveries?waitSeconds=30`
    const hangUp = async () => {
      const before = reads().length
      const asked = request(url, { headers: { authorization: `Bearer ${one.token}` } })
      asked.on('error', () => undefined)
      asked.end()
      await until('it waits', () => reads().length > before)
      asked.destroy()
    }
    for (let i = 0; i < limits.pullWaitsPerAppMax; i += 1) await hangUp()
    await world.read(one, '?waitSeconds=1')
  })
})

test('the end of the process sends everybody home at once', async () => {
  const ending = await openStreamWorld()
  const one = await ending.install()
  const answered = ending.read(one, '?waitSeconds=30')
  const { stream } = ending.at.platform.events
  // A second one that waits shows that the first does too.
  await stream.watch.wait(one.app.appId, 0n, { timeoutMs: 200 })
  const startedAt = performance.now()
  await ending.at.platform.events.stop()
  expect((await answered).data).toEqual([])
  expect(performance.now() - startedAt).toBeLessThan(3_000)
  await ending.close()
})
