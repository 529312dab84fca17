import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { sql } from '../../../src/db/index.ts'
import { present } from '../../../src/kernel/index.ts'
import { status } from '../../support/test-receiver.ts'
import { addViewer, type Connected, openReplayWorld, type Replay, type ReplayWorld } from './world.ts'

let world: ReplayWorld
let connected: Connected

beforeAll(async () => {
  world = await openReplayWorld()
  world.receiver.behave(status(200))
  connected = await world.connect()
})
afterAll(() => world.close())

const replaysPath = () => `${connected.appPath}/replays`
const runNow = () => present(world.at.platform.replayer, 'the worker role').runNow()

describe('a wrong request', () => {
  test.each([
    [{ ratePerSecond: 0 }, '/ratePerSecond'],
    [{ ratePerSecond: 501 }, '/ratePerSecond'],
    [{ ratePerSecond: 1.5 }, '/ratePerSecond'],
    [{ filter: { states: ['pending'] } }, '/filter/states/0'],
    [{ filter: { states: [] } }, '/filter/states'],
    [{ filter: { eventTypes: [''] } }, '/filter/eventTypes/0'],
    [{ filter: { merchantId: 'shop' } }, '/filter/merchantId'],
    [{ filter: { from: '2026-02-01T00:00:00Z', to: '2026-01-01T00:00:00Z' } }, '/filter/to'],
    [{ filter: { from: 'yesterday' } }, '/filter/from'],
    [{ filter: { deliveryId: 'dlv_1' } }, '/filter/deliveryId'],
    [{ dryRun: 'yes' }, '/dryRun'],
  ])('%j is refused with a pointer', async (json, pointer) => {
    const problem = await connected.dev.refused('POST', replaysPath(), 400, { json })
    expect(problem.code).toBe('capability.invalid_input')
    expect(problem.errors?.[0]?.pointer).toBe(pointer)
  })
})

describe('asking for a replay', () => {
  beforeEach(async () => {
    connected = await world.connect()
  })

  test('while one runs is refused; of five at once one begins', async () => {
    await world.payAndSend(connected, 1)
    const tries = Array.from({ length: 5 }, () => connected.dev.request('POST', replaysPath(), { json: {} }))
    const answers = (await Promise.all(tries)).map(({ status: code }) => code).sort()
    expect(answers).toEqual([200, 409, 409, 409, 409])
    const problem = await connected.dev.refused('POST', replaysPath(), 409, { json: {} })
    expect(problem.code).toBe('webhooks.replay_running')
    // Counting is free.
    expect(await connected.dev.call('POST', replaysPath(), { dryRun: true })).toMatchObject({ replay: null })
    await runNow()
    expect(await world.replay(connected)).toMatchObject({ state: 'running' })
    await runNow()
  })

  test('with nowhere to send to is refused', async () => {
    const refusal = async () => (await connected.dev.refused('POST', replaysPath(), 409, { json: {} })).code
    const set = (state: string) =>
      sql(
        world.at.db.queries,
        'update endpoint set state = $2 where app_id = $1 returning 1 as one',
        connected.app.appId,
        state,
      )
    await set('unverified')
    expect(await refusal()).toBe('webhooks.endpoint_not_verified')
    await set('stopped')
    expect(await refusal()).toBe('webhooks.endpoint_stopped')
    await connected.dev.call('DELETE', connected.endpointPath)
    expect(await refusal()).toBe('webhooks.no_endpoint')
  })

  test('is for owners and developers; reading is for viewers too', async () => {
    const replay = await world.replay(connected)
    const viewer = await addViewer(world, connected)
    for (const path of [replaysPath(), `${replaysPath()}/${replay.id}:cancel`]) {
      const problem = await viewer.refused('POST', path, 403, { json: {} })
      expect(problem.code).toBe('capability.role_required')
    }
    expect(await viewer.call('GET', `${replaysPath()}/${replay.id}`)).toMatchObject({ id: replay.id })
    expect(await viewer.call('GET', replaysPath())).toMatchObject({ hasMore: false })
  })

  test('another publisher’s are as if they were not there, word for word', async () => {
    const replay = await world.replay(connected)
    const stranger = (await world.story.publisher()).owner.api
    const other = await world.connect()
    const problemOf = async (method: string, path: string) => {
      const { requestId: _id, ...words } = await stranger.refused(method, path, 404, { json: {} })
      return words
    }
    const missing = 'rpl_01JD0000000000000000000009'
    const missingApp = '/developer/v1/apps/app_01JD0000000000000000000009/replays'
    for (const [method, tail] of [
      ['GET', ''],
      ['POST', ':cancel'],
    ] as const) {
      const foreign = await problemOf(method, `${replaysPath()}/${replay.id}${tail}`)
      expect(foreign).toEqual(await problemOf(method, `${missingApp}/${missing}${tail}`))
      // Nor does an app of one’s own open another app’s replay.
      const own = await other.dev.refused(method, `${other.appPath}/replays/${replay.id}${tail}`, 404)
      expect(own.code).toBe('webhooks.replay_not_found')
    }
    for (const method of ['GET', 'POST'])
      expect(await problemOf(method, replaysPath())).toEqual(await problemOf(method, missingApp))
    expect(await world.replayById(connected, replay.id)).toMatchObject({ state: 'running' })
  })

  test('is listed newest first, page by page', async () => {
    const made: string[] = []
    for (let i = 0; i < 3; i += 1) {
      made.unshift((await world.replay(connected)).id)
      await runNow()
      world.at.clock.advance(1_000)
    }
    const page = (query: string) =>
      connected.dev.call<{ data: readonly Replay[]; nextCursor: string | null }>(
        'GET',
        `${replaysPath()}?${query}`,
      )
    const first = await page('limit=2')
    const second = await page(`limit=2&after=${first.nextCursor}`)
    expect([...first.data, ...second.data].map(({ id }) => id)).toEqual(made)
    expect(second.nextCursor).toBeNull()
  })
})
