import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { sql } from '../../../src/db/index.ts'
import { present } from '../../../src/kernel/index.ts'
import { recordReplayed, type SentAgain } from '../../../src/webhooks/replay/record/store.ts'
import { leavingNothing } from '../../support/row-counts.ts'
import { status } from '../../support/test-receiver.ts'
import {
  type Connected,
  type Delivery,
  eventually,
  exhaust,
  openReplayWorld,
  type Replay,
  type ReplayWorld,
} from './world.ts'

let world: ReplayWorld
let connected: Connected

beforeAll(async () => {
  world = await openReplayWorld()
})
afterAll(() => world.close())
beforeEach(async () => {
  connected = await world.connect()
  world.receiver.behave(status(200))
})

const replaysPath = () => `${connected.appPath}/replays`
const runNow = () => present(world.at.platform.replayer, 'the worker role').runNow()
const everything = { states: ['delivered', 'exhausted', 'parked', 'cancelled'] }
const fast = { ratePerSecond: 500 }

/** Sequence numbers in the order in which this replay sent them. */
function sentBy({ id }: Pick<Replay, 'id'>): readonly number[] {
  return world.receiver.requests
    .filter(({ headers }) => headers['webhook-replay'] === id)
    .map(({ headers }) => Number(headers['webhook-sequence']))
}

const sequences = async (query = '') =>
  (await world.deliveries(connected, query)).map(({ sequence }) => sequence).reverse()

const inOrder = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b)

describe('a replay', () => {
  test('sends what never arrived, once each and marked, and what arrives is delivered', async () => {
    await exhaust(world, connected, 7)
    await world.payAndSend(connected, 3)
    const replay = await world.replay(connected, fast)
    expect(replay).toMatchObject({ state: 'running', total: 7, done: 0, etaSeconds: 1 })
    expect(await runNow()).toBe(7)
    expect(inOrder(sentBy(replay))).toEqual([1, 2, 3, 4, 5, 6, 7])
    expect(await world.replayById(connected, replay.id)).toMatchObject({
      ...{ state: 'done', total: 7, done: 7, delivered: 7, failed: 0, skipped: 0, etaSeconds: null },
    })
    const deliveries = await world.deliveries(connected)
    expect(new Set(deliveries.map(({ state }) => state))).toEqual(new Set(['delivered']))
    const replayed = deliveries.filter(({ sequence }) => sequence <= 7)
    for (const { attempts, attemptCount } of replayed) {
      expect(attemptCount).toBe(10)
      expect(attempts.map(({ replayId }) => replayId)).toEqual([...Array(10).fill(null), replay.id])
    }
  })

  test('counts beforehand exactly what it sends, and counting changes nothing', async () => {
    await world.payAndSend(connected, 12)
    const filter = { ...everything, eventTypes: ['order.paid'] }
    const answer = await leavingNothing(world.at, () =>
      connected.dev.call('POST', replaysPath(), { filter, dryRun: true, ...fast }),
    )
    expect(answer).toEqual({ total: 12, replay: null })
    expect(await runNow()).toBe(0)
    const replay = await world.replay(connected, { filter, ...fast })
    await runNow()
    expect(sentBy(replay)).toHaveLength(12)
    expect(inOrder(sentBy(replay))).toEqual(await sequences())
  })

  test('takes of the stream what its filter says', async () => {
    const other = await world.installMore(connected.app)
    await world.payAndSend(connected, 2)
    world.at.clock.advance(60_000)
    const cut = new Date(world.at.clock.nowMs()).toISOString()
    await world.payAndRelay(other, 2)
    await world.payAndSend(connected, 1)
    const cases: readonly (readonly [object, readonly number[]])[] = [
      [{}, []],
      [{ states: ['delivered'], from: cut }, [3, 4, 5]],
      [{ states: ['delivered'], to: cut }, [1, 2]],
      [{ states: ['delivered'], merchantId: other.merchantId }, [3, 4]],
      [{ states: ['delivered'], eventTypes: ['order.shipped'] }, []],
      [{ states: ['parked'] }, []],
    ]
    for (const [filter, expected] of cases) {
      const replay = await world.replay(connected, { filter, ...fast })
      await runNow()
      expect(inOrder(sentBy(replay)), JSON.stringify(filter)).toEqual(expected)
      expect(replay.total, JSON.stringify(filter)).toBe(expected.length)
    }
  })

  test('does not take what was made after it', async () => {
    await world.payAndSend(connected, 2)
    const replay = await world.replay(connected, { filter: everything, ...fast })
    await world.payAndSend(connected, 2)
    await runNow()
    expect(inOrder(sentBy(replay))).toEqual([1, 2])
  })

  test('to an endpoint that wants order sends one after the other', async () => {
    await connected.dev.call('PATCH', connected.endpointPath, { fifo: true })
    await world.payAndSend(connected, 8)
    const replay = await world.replay(connected, { filter: everything, ...fast })
    await runNow()
    expect(sentBy(replay)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  })

  test('counts what fails and does not try it again; its delivery stays what it was', async () => {
    await exhaust(world, connected, 2)
    world.receiver.behave(({ headers }) => status(headers['webhook-sequence'] === '1' ? 500 : 200))
    const replay = await world.replay(connected, fast)
    await runNow()
    expect(await world.replayById(connected, replay.id)).toMatchObject({
      ...{ state: 'done', delivered: 1, failed: 1, skipped: 0 },
    })
    const [second, first] = await world.deliveries(connected)
    expect([first?.state, second?.state]).toEqual(['exhausted', 'delivered'])
    expect(await sequences('?state=exhausted')).toEqual([1])
    const before = world.receiver.requests.length
    world.at.clock.advance(30 * 60 * 60_000)
    await world.at.platform.events.drainNow()
    expect(world.receiver.requests).toHaveLength(before)
  })

  test('skips what the merchant’s permission does not cover any more, and says why', async () => {
    const other = await world.installMore(connected.app)
    await world.payAndSend(connected, 2)
    await world.payAndRelay(other, 1)
    await world.at.platform.events.drainNow()
    const replay = await world.replay(connected, { filter: everything, ...fast })
    await connected.merchant.owner.api.call(
      'DELETE',
      `/merchant/v1/installations/${connected.installationId}`,
    )
    await runNow()
    expect(sentBy(replay)).toEqual([3])
    expect(await world.replayById(connected, replay.id)).toMatchObject({
      ...{ state: 'done', total: 3, delivered: 1, failed: 0, skipped: 2 },
    })
    const first = (await world.deliveries(connected)).find(({ sequence }) => sequence === 1)
    expect(first?.attempts.at(-1)).toMatchObject({
      ...{ outcome: 'cancelled', replayId: replay.id, error: 'events.permission_ended' },
    })
  })

  test('skips the merchants whose deliveries the platform holds back, and waits when it holds all', async () => {
    const other = await world.installMore(connected.app)
    await world.payAndSend(connected, 1)
    await world.payAndRelay(other, 1)
    await world.at.platform.events.drainNow()
    await world.addRule({
      ...{ effect: 'pause_events', appId: connected.app.appId, merchantId: other.merchantId },
    })
    world.at.clock.advance(2_000)
    const replay = await world.replay(connected, { filter: everything, ...fast })
    await runNow()
    expect(sentBy(replay)).toEqual([1])
    expect(await world.replayById(connected, replay.id)).toMatchObject({ state: 'done', skipped: 1 })

    const ruleId = await world.addRule({ effect: 'pause_events', appId: connected.app.appId })
    world.at.clock.advance(2_000)
    const held = await world.replay(connected, { filter: everything, ...fast })
    expect(await runNow()).toBe(0)
    expect(await world.replayById(connected, held.id)).toMatchObject({ state: 'running', done: 0 })
    await sql(
      world.at.db.queries,
      'update rule set lifted_at = created_at where id = $1 returning 1 as one',
      ruleId,
    )
    world.at.clock.advance(2_000)
    expect(await runNow()).toBe(2)
  })

  test('waits while its endpoint is paused and goes on when it is resumed', async () => {
    await world.payAndSend(connected, 2)
    await connected.dev.call('POST', `${connected.endpointPath}:pause`)
    const replay = await world.replay(connected, { filter: everything, ...fast })
    expect(await runNow()).toBe(0)
    expect(await world.replayById(connected, replay.id)).toMatchObject({ state: 'running', done: 0 })
    await connected.dev.call('POST', `${connected.endpointPath}:resume`)
    expect(await runNow()).toBe(2)
  })

  test('ends when its endpoint stops in the middle, and when it was deleted', async () => {
    await world.payAndSend(connected, 30)
    let count = 0
    world.receiver.behave(() => {
      count += 1
      return status(count === 5 ? 410 : 200)
    })
    const stopped = await world.replay(connected, { filter: everything, ratePerSecond: 20 })
    await runNow()
    const after = await world.replayById(connected, stopped.id)
    expect(after).toMatchObject({ state: 'cancelled', failed: 1 })
    expect(after.done).toBeLessThan(30)
    expect(sentBy(stopped)).toHaveLength(after.done)

    await connected.dev.call('DELETE', connected.endpointPath)
    await connected.dev.call('POST', `${connected.appPath}/endpoints`, { url: world.receiver.url })
    const deleted = await world.replay(connected, { filter: everything, ...fast })
    const { data } = await connected.dev.call<{ data: readonly { readonly id: string }[] }>(
      'GET',
      `${connected.appPath}/endpoints`,
    )
    await connected.dev.call('DELETE', `${connected.appPath}/endpoints/${data[0]?.id}`)
    await runNow()
    expect(await world.replayById(connected, deleted.id)).toMatchObject({ state: 'cancelled', done: 0 })
  })
})

describe('cancelling a replay', () => {
  test('ends it within seconds; what was in flight is counted, and nothing more is sent', async () => {
    await world.payAndSend(connected, 20)
    const replay = await world.replay(connected, { filter: everything, ratePerSecond: 1 })
    const before = world.receiver.requests.length
    const running = runNow()
    await world.receiver.received(before + 1)
    const cancelled = await connected.dev.call<Replay>('POST', `${replaysPath()}/${replay.id}:cancel`)
    expect(cancelled).toMatchObject({ state: 'cancelled', etaSeconds: null })
    const done = await running
    expect(done).toBeLessThan(20)
    expect(sentBy(replay)).toHaveLength(done)
    expect(await world.replayById(connected, replay.id)).toMatchObject({ state: 'cancelled', done })
    // Once more changes nothing.
    const again = await connected.dev.call<Replay>('POST', `${replaysPath()}/${replay.id}:cancel`)
    expect(again).toMatchObject({ state: 'cancelled', done })
  })

  test('of one that is done is refused', async () => {
    const replay = await world.replay(connected, fast)
    await runNow()
    const problem = await connected.dev.refused('POST', `${replaysPath()}/${replay.id}:cancel`, 409)
    expect(problem.code).toBe('webhooks.replay_ended')
  })
})

describe('whoever has a replay', () => {
  test('sends and writes nothing more once another process has taken it over', async () => {
    await world.payAndSend(connected, 10)
    const replay = await world.replay(connected, { filter: everything, ratePerSecond: 1 })
    const running = runNow()
    await eventually(async () => (await world.replayById(connected, replay.id)).done).toBe(1)
    await sql(
      world.at.db.queries,
      `update replay set lease_epoch = lease_epoch + 1, lease_owner = 'another',
         lease_until = $2 where id = $1 returning 1 as one`,
      replay.id,
      new Date(world.at.clock.nowMs() + 3_600_000),
    )
    expect(await running).toBe(1)
    expect(sentBy(replay).length).toBeLessThan(4)
    expect(await world.replayById(connected, replay.id)).toMatchObject({ state: 'running', done: 1 })
    await connected.dev.call('POST', `${replaysPath()}/${replay.id}:cancel`)
  })

  test('with an old epoch cannot record: neither progress, nor attempts, nor deliveries', async () => {
    await exhaust(world, connected)
    const [delivery] = await world.deliveries(connected)
    const replay = await world.replay(connected)
    const { merchantId } = connected.merchant
    const nowMs = world.at.clock.nowMs()
    const attempt: SentAgain['attempt'] = {
      ...{ id: 'att_01JD0000000000000000000009', number: 11, startedAtMs: nowMs, durationMs: 1 },
      ...{ outcome: 'delivered', status: 200, error: null, response: null, log: null },
    }
    const sent = {
      deliveryId: delivery?.id ?? '',
      merchantId,
      sequence: 1n,
      result: 'delivered',
      attempt,
    } as const
    const [row] = await sql<{ stream_id: string; lease_epoch: bigint }>(
      world.at.db.queries,
      'select stream_id, lease_epoch from replay where id = $1',
      replay.id,
    )
    const { stream_id: streamId, lease_epoch: epoch } = present(row, 'the replay')
    const batch = { replayId: replay.id, appId: connected.app.appId, cursor: 1n, untilMs: nowMs, nowMs }
    const record = (by: bigint) =>
      recordReplayed(world.at.db.queries, streamId, { ...batch, epoch: by }, [sent])
    const stored = async () => [
      await world.replayById(connected, replay.id),
      await world.deliveries(connected),
    ]
    const before = await stored()
    expect(await record(epoch - 1n)).toBeNull()
    expect(await stored()).toEqual(before)
    // The same call with the epoch of today does all three.
    expect(await record(epoch)).toBe('running')
    const [after, [arrived]] = (await stored()) as [Replay, readonly Delivery[]]
    expect(after).toMatchObject({ done: 1, delivered: 1 })
    expect(arrived).toMatchObject({ state: 'delivered' })
    expect(arrived?.attempts).toHaveLength(11)
  })

  test('keeps it for six seconds after its death, and then the next one goes on at the cursor', async () => {
    await world.payAndSend(connected, 6)
    const replay = await world.replay(connected, { filter: everything, ...fast })
    const nowMs = world.at.clock.nowMs()
    await sql(
      world.at.db.queries,
      `update replay set lease_owner = 'dead', lease_until = $2, lease_epoch = 1, cursor = 4, delivered = 4
       where id = $1 returning 1 as one`,
      replay.id,
      new Date(nowMs + 6_000),
    )
    expect(await runNow()).toBe(0)
    world.at.clock.advance(6_001)
    expect(await runNow()).toBe(2)
    expect(inOrder(sentBy(replay))).toEqual([5, 6])
    expect(await world.replayById(connected, replay.id)).toMatchObject({ state: 'done', delivered: 6 })
  })
})
