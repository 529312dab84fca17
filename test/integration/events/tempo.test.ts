import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { sql } from '../../../src/db/index.ts'
import { findNextDue, listDueStreams } from '../../../src/events/drain/store.ts'
import { limits } from '../../../src/kernel/index.ts'
import { deliveriesOf, type Fixture, type Installed, openFixture } from './fixture.ts'
import {
  cancelOpen,
  delivered,
  failed,
  installedWith,
  later,
  payInOrder,
  scripted,
  setEndpoint,
  until,
} from './scripted-sink.ts'

let fixture: Fixture

beforeAll(async () => {
  fixture = await openFixture()
})
afterAll(() => fixture.close())
afterEach(() => cancelOpen(fixture))

const subjects = (count: number) => Array.from({ length: count }, (_, i) => `s${i}`)

async function withDeliveries(
  count: number,
  endpoint: Parameters<typeof installedWith>[1] = {},
): Promise<Installed> {
  const installed = await installedWith(fixture, endpoint)
  await payInOrder(fixture, fixture.makeEvents({}), installed.merchantId, subjects(count))
  return installed
}

async function isDue({ streamId }: Installed): Promise<boolean> {
  const search = { sinks: ['backend'] as const, nowMs: fixture.clock.nowMs(), streamsMax: 1_000 }
  return (await listDueStreams(fixture.db.queries, search)).some(({ id }) => id === streamId)
}

const stateCounts = async (installed: Installed) => {
  const counts: Record<string, number> = {}
  for (const { state } of await deliveriesOf(fixture, installed.streamId))
    counts[state] = (counts[state] ?? 0) + 1
  return counts
}

const adaptive = { adaptive: true, concurrencyMax: 32 } as const

describe('the pace of an adaptive receiver', () => {
  test('begins moderately, grows while it answers, and is remembered from one drain to the next', async () => {
    await withDeliveries(600)
    let inFlight = 0
    let most = 0
    let mostOfFirst = 0
    const worker = scripted(async () => {
      inFlight += 1
      most = Math.max(most, inFlight)
      if (worker.sent.length <= limits.drainConcurrency) mostOfFirst = most
      await later(2)
      inFlight -= 1
      return delivered
    }, adaptive)
    const events = fixture.makeEvents({ backend: worker.sink })
    await events.drainNow()
    expect(mostOfFirst).toBe(limits.drainConcurrency)
    expect(most).toBeGreaterThan(24)
    expect(most).toBeLessThanOrEqual(limits.drainConcurrencyMax)
    expect(worker.sent).toHaveLength(600)
  })

  test('falls to one at a time when nothing but trouble comes', async () => {
    const installed = await withDeliveries(60)
    const inFlights: number[] = []
    let inFlight = 0
    const worker = scripted(async () => {
      inFlight += 1
      inFlights.push(inFlight)
      await later(3)
      inFlight -= 1
      return failed(504)
    }, adaptive)
    const events = fixture.makeEvents({ backend: worker.sink })
    await events.drainNow()
    expect(Math.max(...inFlights.slice(-20))).toBe(1)
    // Kept for the next drain.
    inFlights.length = 0
    fixture.clock.advance(6_100)
    await events.drainNow()
    expect(Math.max(...inFlights)).toBe(1)
    expect(await stateCounts(installed)).toEqual({ waiting: 60 })
  })

  test('a receiver that is not adaptive has what it says, whatever it answers', async () => {
    await withDeliveries(40)
    let inFlight = 0
    let most = 0
    const worker = scripted(
      async () => {
        inFlight += 1
        most = Math.max(most, inFlight)
        await later(2)
        inFlight -= 1
        return failed(429)
      },
      { concurrencyMax: 20 },
    )
    await fixture.makeEvents({ backend: worker.sink }).drainNow()
    expect(most).toBe(20)
  })

  test('an answer of 500 is no reason to slow down, nor to grow', async () => {
    await withDeliveries(100)
    let inFlight = 0
    const inFlights: number[] = []
    const worker = scripted(async () => {
      inFlight += 1
      inFlights.push(inFlight)
      await later(2)
      inFlight -= 1
      return failed(500)
    }, adaptive)
    await fixture.makeEvents({ backend: worker.sink }).drainNow()
    expect(Math.max(...inFlights)).toBe(limits.drainConcurrency)
    expect(Math.max(...inFlights.slice(-10))).toBeGreaterThan(limits.drainConcurrency / 2)
  })
})

describe('Retry-After', () => {
  test.each([429, 502, 503, 504])('of a %i holds the whole endpoint back until then', async (status) => {
    const installed = await withDeliveries(40)
    let up = false
    const worker = scripted(() => (up ? delivered : failed(status, 30_000)), { concurrencyMax: 4 })
    const events = fixture.makeEvents({ backend: worker.sink })
    await events.drainNow()
    expect(worker.sent).toHaveLength(4)
    expect(await isDue(installed)).toBe(false)
    up = true
    fixture.clock.advance(28_000)
    await events.drainNow()
    // Nor does another process that never heard that answer.
    await fixture.makeEvents({ backend: worker.sink }).drainNow()
    expect(worker.sent).toHaveLength(4)
    fixture.clock.advance(2_100)
    await events.drainNow()
    expect(await stateCounts(installed)).toEqual({ delivered: 40 })
  })

  test('holds the endpoint for a minute at most, its delivery as long as asked', async () => {
    const installed = await withDeliveries(3)
    const worker = scripted(({ sequence }) => (sequence === 1n ? failed(429, 3_600_000) : delivered), {
      concurrencyMax: 1,
    })
    const events = fixture.makeEvents({ backend: worker.sink })
    await events.drainNow()
    expect(worker.sent).toHaveLength(1)
    fixture.clock.advance(limits.drainHoldMsMax + 100)
    await events.drainNow()
    expect(await stateCounts(installed)).toEqual({ waiting: 1, delivered: 2 })
    fixture.clock.advance(3_600_000 - limits.drainHoldMsMax - 2_000)
    await events.drainNow()
    expect(await stateCounts(installed)).toEqual({ waiting: 1, delivered: 2 })
  })

  test('of another answer concerns its delivery alone', async () => {
    const installed = await withDeliveries(5)
    const worker = scripted(({ sequence }) => (sequence === 1n ? failed(500, 30_000) : delivered), {
      concurrencyMax: 1,
    })
    await fixture.makeEvents({ backend: worker.sink }).drainNow()
    expect(await stateCounts(installed)).toEqual({ waiting: 1, delivered: 4 })
  })
})

describe('the rate of an endpoint', () => {
  test('is kept: no second sees more than that and a tenth', async () => {
    const installed = await withDeliveries(100)
    const times: number[] = []
    const worker = scripted(
      () => {
        times.push(fixture.clock.nowMs())
        return delivered
      },
      { ratePerSecond: 50, concurrencyMax: 32 },
    )
    await fixture.makeEvents({ backend: worker.sink }).drainNow()
    expect(await stateCounts(installed)).toEqual({ delivered: 100 })
    const tookMs = (times.at(-1) ?? 0) - (times[0] ?? 0)
    expect(tookMs).toBeGreaterThanOrEqual((100 - 5 - 1) * 20)
    for (const atMs of times) {
      expect(times.filter((other) => other >= atMs && other < atMs + 1_000).length).toBeLessThanOrEqual(55)
    }
  })

  test('does not cost others their place: streams that wait for their rate give way', async () => {
    const slow: Installed[] = []
    while (slow.length < limits.drainStreamsMax) slow.push(await withDeliveries(2))
    const fast = await withDeliveries(1)
    const sent: string[] = []
    const receiverOf = (streamId: string) => ({
      ...{ concurrencyMax: 4, adaptive: false, fifo: false, probing: false, startSequence: 0n },
      ratePerSecond: streamId === fast.streamId ? null : 1,
      deliver() {
        sent.push(streamId)
        return Promise.resolve(delivered)
      },
    })
    const sink = {
      open: ({ streamId }: { readonly streamId: string }) => Promise.resolve(receiverOf(streamId)),
    }
    // Time stands still, so the second attempt of a slow stream never comes: it would keep its place for ever.
    const nowMs = fixture.clock.nowMs()
    const events = fixture.makeEvents({ backend: sink }, { clock: { nowMs: () => nowMs } })
    const draining = events.drainNow()
    await until(() => sent.includes(fast.streamId))
    await events.stop()
    await draining
    for (const { streamId } of slow)
      expect(sent.filter((id) => id === streamId).length).toBeLessThanOrEqual(1)
  })
})

describe('a probe', () => {
  const paused = (probeInMs: number) => ({
    state: 'paused',
    probe_at: new Date(fixture.clock.nowMs() + probeInMs).toISOString(),
  })

  test('is one delivery; the others wait for what comes of it', async () => {
    const installed = await withDeliveries(30, paused(-1_000))
    const worker = scripted(() => failed(500), { probing: true, concurrencyMax: 8 })
    const events = fixture.makeEvents({ backend: worker.sink })
    await setEndpoint(fixture, installed, paused(60_000))
    expect(await isDue(installed)).toBe(false)
    await setEndpoint(fixture, installed, paused(-1_000))
    expect(await isDue(installed)).toBe(true)
    await events.drainNow()
    expect(worker.sent).toHaveLength(1)
    expect(await stateCounts(installed)).toEqual({ waiting: 1, pending: 29 })
    // Should nobody have noted when to probe next, it is still no burst.
    fixture.clock.advance(limits.sweepIntervalMs + 100)
    await events.drainNow()
    expect(worker.sent).toHaveLength(2)
  })

  test('that succeeds lets the rest go at once', async () => {
    const installed = await withDeliveries(30, paused(-1_000))
    let probing = true
    const open = () => ({
      ...{ concurrencyMax: 8, adaptive: false, fifo: false, ratePerSecond: null, startSequence: 0n, probing },
      deliver: () => Promise.resolve(delivered),
      async recorded() {
        if (!probing) return
        expect(await stateCounts(installed)).toEqual({ delivered: 1, pending: 29 })
        probing = false
        await setEndpoint(fixture, installed, { state: 'active', probe_at: null })
      },
    })
    await fixture.makeEvents({ backend: { open: () => Promise.resolve(open()) } }).drainNow()
    expect(probing).toBe(false)
    expect(await stateCounts(installed)).toEqual({ delivered: 30 })
  })

  test('decides when the stream is looked at again', async () => {
    const installed = await withDeliveries(1, paused(60_000))
    const dueMs = await findNextDue(fixture.db.queries, installed.streamId, fixture.clock.nowMs())
    expect((dueMs ?? 0) - fixture.clock.nowMs()).toBeGreaterThan(55_000)
    await setEndpoint(fixture, installed, { probe_at: null })
    expect(await findNextDue(fixture.db.queries, installed.streamId, fixture.clock.nowMs())).toBeNull()
  })

  test.each(['unverified', 'paused'])(
    'what is published to an endpoint that is %s is to be sent later',
    async (state) => {
      const installed = await withDeliveries(1, { state })
      const worker = scripted(() => delivered)
      const events = fixture.makeEvents({ backend: worker.sink })
      await events.drainNow()
      expect(worker.sent).toHaveLength(0)
      await setEndpoint(fixture, installed, { state: 'active' })
      await events.drainNow()
      expect(worker.sent).toHaveLength(1)
    },
  )
})

describe('merchants of one stream', () => {
  /** A flood, written as the relay writes it. */
  async function flood(installed: Installed, count: number): Promise<void> {
    await payInOrder(fixture, fixture.makeEvents({}), installed.merchantId, ['flood'])
    await sql(
      fixture.db.queries,
      `insert into delivery (id, merchant_id, installation_id, app_id, stream_id, sequence, subscription_id, event_id,
         event_type, subject, scopes, body_hash, due_at, state, created_at)
       select 'dlv_' || d.id || n, d.merchant_id, d.installation_id, d.app_id, d.stream_id, d.sequence + n,
         d.subscription_id, 'evt_' || d.id || n, d.event_type, 'flood' || n, d.scopes, d.body_hash, d.due_at, d.state,
         d.created_at
       from delivery d, generate_series(1, $2::int) n where d.stream_id = $1`,
      installed.streamId,
      count,
    )
    await sql(
      fixture.db.queries,
      'update stream set next_sequence = next_sequence + $2::int8 where id = $1',
      installed.streamId,
      count,
    )
  }

  test.each([false, true])(
    'one that comes behind a flood of 20,000 does not wait for its end (FIFO: %s)',
    async (fifo) => {
      const installed = await installedWith(fixture, { fifo })
      await flood(installed, 20_000)
      const other = await fixture.install({ appId: installed.appId })
      const third = await fixture.install({ appId: installed.appId })
      const served = new Set<string>()
      const worker = scripted(
        async ({ merchantId }) => {
          served.add(merchantId)
          await later(1)
          return delivered
        },
        { fifo, concurrencyMax: 8 },
      )
      const events = fixture.makeEvents({ backend: worker.sink })
      const draining = events.drainNow()
      await until(() => worker.sent.length > 0)
      const outside = fixture.makeEvents({})
      await payInOrder(fixture, outside, other.merchantId, ['x'])
      await payInOrder(fixture, outside, third.merchantId, ['y'])
      await until(() => served.has(other.merchantId) && served.has(third.merchantId))
      const sentBefore = worker.sent.length
      await events.stop()
      await draining
      expect(sentBefore).toBeLessThan(10_000)
    },
  )
})
