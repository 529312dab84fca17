import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { sql } from '../../../src/db/index.ts'
import { newId, toDate } from '../../../src/kernel/index.ts'
import { findStats } from '../../../src/webhooks/stats/store.ts'
import { status } from '../../support/test-receiver.ts'
import { watchStatements } from '../../support/watch-statements.ts'
import { addViewer, type Connected, openReplayWorld, type ReplayWorld } from './world.ts'

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

const stats = (of = connected) => of.dev.call('GET', `${of.endpointPath}/stats`)

async function addAttempts(
  durationsMs: readonly number[],
  row: { readonly outcome: string; readonly agoMs?: number; readonly replayId?: string },
): Promise<void> {
  const { db, clock, random } = world.at
  const { appId } = connected.app
  for (const durationMs of durationsMs) {
    await sql(
      db.queries,
      `insert into attempt (id, merchant_id, app_id, stream_id, delivery_id, number, started_at, duration_ms, outcome,
         replay_id)
       select $1, 'mer_1', $2, e.stream_id, 'dlv_1', 1, $3, $4::int, $5, $6 from endpoint e where e.app_id = $2
       returning 1 as one`,
      ...[newId('attempt', { clock, random }), appId],
      toDate(clock.nowMs() - (row.agoMs ?? 60_000)),
      ...[durationMs, row.outcome, row.replayId ?? null],
    )
  }
}

describe('the statistics of an endpoint', () => {
  test('of one that nothing was sent to are empty, not zero', async () => {
    expect(await stats()).toEqual({
      ...{ state: 'active', since: null, successPermille: null, p50Ms: null, p95Ms: null },
      attempts: { delivered: 0, failed: 0, gone: 0, refused: 0, cancelled: 0 },
      ...{ backlog: 0, oldestDueAt: null, nextProbeAt: null },
    })
  })

  test('count a day of live traffic by outcome, with the durations of what was sent', async () => {
    // 1 to 100 ms: the 50th and the 95th of a hundred.
    const durations = Array.from({ length: 100 }, (_, i) => i + 1)
    await addAttempts(durations.slice(0, 90), { outcome: 'delivered', agoMs: 3_600_000 })
    await addAttempts(durations.slice(90), { outcome: 'failed' })
    await addAttempts([9_999], { outcome: 'cancelled' })
    await addAttempts([9_999], { outcome: 'delivered', agoMs: 24 * 3_600_000 + 5_000 })
    await addAttempts([9_999], { outcome: 'failed', replayId: 'rpl_1' })
    const shown = await stats()
    expect(shown).toMatchObject({
      attempts: { delivered: 90, failed: 10, gone: 0, refused: 0, cancelled: 1 },
      ...{ successPermille: 900, p50Ms: 50, p95Ms: 95 },
    })
  })

  test('tell what waits, since when, and when a paused endpoint is tried', async () => {
    world.receiver.behave(status(500))
    await world.payAndSend(connected, 2)
    await world.payAndRelay(connected.merchant, 1)
    const dueAts = (await world.deliveries(connected)).map(({ dueAt }) => dueAt ?? '').sort()
    expect(await stats()).toMatchObject({ backlog: 3, oldestDueAt: dueAts[0], nextProbeAt: null })
    const probeAt = new Date(world.at.clock.nowMs() + 300_000)
    await sql(
      world.at.db.queries,
      `update endpoint set state = 'paused', probe_at = $2 where app_id = $1 returning 1 as one`,
      connected.app.appId,
      probeAt,
    )
    expect(await stats()).toMatchObject({ state: 'paused', nextProbeAt: probeAt.toISOString() })
  })

  test('do not count what came before the endpoint and waits to be pulled', async () => {
    await connected.dev.call('DELETE', connected.endpointPath)
    await world.payAndRelay(connected.merchant, 2)
    const { id } = await connected.dev.call<{ id: string }>('POST', `${connected.appPath}/endpoints`, {
      url: world.receiver.url,
    })
    const endpointPath = `${connected.appPath}/endpoints/${id}`
    expect(await stats({ ...connected, endpointPath })).toMatchObject({ backlog: 0, oldestDueAt: null })
  })

  test('take one statement, however many attempts there are', async () => {
    await addAttempts([1, 2, 3], { outcome: 'delivered' })
    const { db, clock } = world.at
    const search = {
      appId: connected.app.appId,
      endpointId: connected.endpointPath.split('/').at(-1) ?? '',
      nowMs: clock.nowMs(),
    }
    const watch = watchStatements(db)
    const found = await findStats(db.queries, [connected.app.publisher.publisherId], search)
    watch.end()
    expect(found?.attempts).toEqual({ delivered: 3 })
    expect(watch.texts).toHaveLength(1)
    // Each of its two spans is cut off: no table is read to its end.
    expect(watch.texts[0]?.match(/limit \$[56]::int/g)).toHaveLength(2)
  })

  test('of another publisher’s endpoint are as if it were not there; a viewer sees one’s own', async () => {
    const stranger = (await world.story.publisher()).owner.api
    const missing =
      '/developer/v1/apps/app_01JD0000000000000000000009/endpoints/end_01JD0000000000000000000009'
    const { requestId: _a, ...foreign } = await stranger.refused(
      'GET',
      `${connected.endpointPath}/stats`,
      404,
    )
    const { requestId: _b, ...absent } = await stranger.refused('GET', `${missing}/stats`, 404)
    expect(foreign).toEqual(absent)
    const viewer = await addViewer(world, connected)
    expect(await stats({ ...connected, dev: viewer })).toMatchObject({ state: 'active' })
  })
})
