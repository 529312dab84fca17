import { afterEach, describe, expect, test } from 'vitest'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'
import { startTestPlatform, type TestPlatform } from '../../support/platform.ts'
import { status } from '../../support/test-receiver.ts'
import { type Connected, eventually, openReplayWorld, type Replay, type ReplayWorld } from './world.ts'

// Real workers here: started platforms, real timers. What is asserted is order and completeness, never a duration.

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close()
})

function closedAtEnd<T extends { close(): Promise<void> }>(thing: T): T {
  open.push(thing)
  return thing
}

const everything = { filter: { states: ['delivered', 'exhausted', 'parked', 'cancelled'] } }

async function openWorld(database: TestDatabase): Promise<ReplayWorld> {
  return openReplayWorld({ database })
}

function sequencesOf({ receiver }: ReplayWorld, { id }: Pick<Replay, 'id'>): readonly number[] {
  return receiver.requests
    .filter(({ headers }) => headers['webhook-replay'] === id)
    .map(({ headers }) => Number(headers['webhook-sequence']))
}

async function ended(world: ReplayWorld, connected: Connected, replay: Replay): Promise<Replay> {
  const read = () => world.replayById(connected, replay.id)
  await eventually(async () => (await read()).state).not.toBe('running')
  return read()
}

describe('a replay across a restart', () => {
  async function restartInTheMiddle(world: ReplayWorld, database: TestDatabase): Promise<TestPlatform> {
    await world.receiver.received(world.receiver.requests.length + 15)
    await world.at.platform.stop()
    const next = closedAtEnd(await startTestPlatform({ database, clock: world.at.clock }))
    await next.platform.start()
    return next
  }

  test('sends every delivery at least once and counts each of them once', async () => {
    const database = closedAtEnd(await openTestDatabase())
    const world = closedAtEnd(await openWorld(database))
    const connected = await world.connect()
    await world.payAndSend(connected, 60)
    await world.at.platform.start()
    const replay = await world.replay(connected, { ...everything, ratePerSecond: 40 })
    expect(replay.total).toBe(60)
    await restartInTheMiddle(world, database)
    const before = await world.replayById(connected, replay.id)
    expect(before.done).toBeLessThan(60)
    expect(await ended(world, connected, replay)).toMatchObject({
      ...{ state: 'done', total: 60, done: 60, delivered: 60, failed: 0, skipped: 0 },
    })
    const sent = sequencesOf(world, replay)
    expect(new Set(sent).size).toBe(60)
    const deliveries = await world.deliveries(connected, '?limit=200')
    for (const { attempts } of deliveries)
      expect(attempts.filter(({ replayId }) => replayId === replay.id)).toHaveLength(1)
  }, 60_000)

  test('with requests in flight that never end repeats only those', async () => {
    const database = closedAtEnd(await openTestDatabase())
    const world = closedAtEnd(await openWorld(database))
    const connected = await world.connect()
    await world.payAndSend(connected, 30)
    let hangs = true
    // From the tenth on nothing answers, until the next process is there.
    world.receiver.behave(({ headers }) =>
      hangs && headers['webhook-replay'] !== undefined && Number(headers['webhook-sequence']) > 10
        ? { kind: 'hang' }
        : status(200),
    )
    await world.at.platform.start()
    const replay = await world.replay(connected, { ...everything, ratePerSecond: 500 })
    await eventually(() => sequencesOf(world, replay).length).toBe(14)
    await world.at.platform.stop()
    expect(await world.replayById(connected, replay.id)).toMatchObject({ state: 'running', done: 10 })
    hangs = false
    const next = closedAtEnd(await startTestPlatform({ database, clock: world.at.clock }))
    await next.platform.start()
    expect(await ended(world, connected, replay)).toMatchObject({ state: 'done', delivered: 30 })
    const counts = new Map<number, number>()
    for (const sequence of sequencesOf(world, replay)) counts.set(sequence, (counts.get(sequence) ?? 0) + 1)
    const repeated = [...counts].filter(([, times]) => times > 1).map(([sequence]) => sequence)
    expect(counts.size).toBe(30)
    expect(repeated).toEqual([11, 12, 13, 14])
  }, 60_000)
})

describe('a replay beside live traffic', () => {
  test('whose receiver never answers holds up no live delivery', async () => {
    const world = closedAtEnd(await openReplayWorld())
    const connected = await world.connect()
    await world.payAndSend(connected, 20)
    world.receiver.behave(({ headers }) =>
      headers['webhook-replay'] === undefined ? status(200) : { kind: 'hang' },
    )
    await world.at.platform.start()
    const replay = await world.replay(connected, { ...everything, ratePerSecond: 500 })
    await eventually(() => sequencesOf(world, replay).length).toBe(4)
    const live = await world.pay(connected.merchant, 5)
    const arrived = () =>
      world.receiver.requests.filter(
        ({ headers }) =>
          headers['webhook-replay'] === undefined && live.includes(headers['webhook-id'] ?? ''),
      )
    await eventually(() => arrived().length).toBe(5)
    // The replay has not got on meanwhile: they did not come behind it.
    expect(sequencesOf(world, replay)).toHaveLength(4)
    expect(await world.replayById(connected, replay.id)).toMatchObject({ state: 'running', done: 0 })
  }, 60_000)

  test('is picked up by the sweep when its wake was lost', async () => {
    const database = closedAtEnd(await openTestDatabase())
    const world = closedAtEnd(await openWorld(database))
    const connected = await world.connect()
    await world.payAndSend(connected, 3)
    // Nobody works here when it is made.
    const replay = await world.replay(connected, { ...everything, ratePerSecond: 500 })
    await connected.dev.call('POST', `${connected.endpointPath}:pause`)
    await world.at.platform.start()
    await connected.dev.call('POST', `${connected.endpointPath}:resume`)
    expect(await ended(world, connected, replay)).toMatchObject({ state: 'done', delivered: 3 })
  }, 60_000)
})
