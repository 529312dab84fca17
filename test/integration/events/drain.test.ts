import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { sql } from '../../../src/db/index.ts'
import type { Outcome, OutgoingDelivery, Sink } from '../../../src/events/index.ts'
import { attemptsOf, deliveriesOf, type Fixture, type Installed, openFixture, payOrders } from './fixture.ts'

let fixture: Fixture

beforeAll(async () => {
  fixture = await openFixture()
})
afterAll(() => fixture.close())
afterEach(() => fixture.clock.advance(10_000))

const delivered: Outcome = { kind: 'delivered', status: 200, error: null, response: 'ok', log: null }

/** A sink whose receiver does as told; what it was given is kept. */
function scripted(
  deliver: (delivery: OutgoingDelivery) => Promise<Outcome>,
  concurrency = 4,
): { sink: Sink; sent: OutgoingDelivery[] } {
  const sent: OutgoingDelivery[] = []
  const receiver = {
    concurrencyMax: concurrency,
    adaptive: false,
    fifo: false,
    ratePerSecond: null,
    probing: false,
    startSequence: 0n,
    deliver(delivery: OutgoingDelivery) {
      sent.push(delivery)
      return deliver(delivery)
    },
  }
  return { sink: { open: () => Promise.resolve(receiver) }, sent }
}

async function installedWith(count: number): Promise<Installed> {
  const installed = await fixture.install()
  await fixture.addEndpoint(installed, 'http://127.0.0.1:9/')
  const events = fixture.makeEvents({})
  await payOrders(fixture, events, installed.merchantId, count)
  await events.relayNow()
  return installed
}

async function leaseOf(streamId: string) {
  const [row] = await sql<{ lease_owner: string | null; lease_epoch: bigint }>(
    fixture.db.queries,
    'select lease_owner, lease_epoch from stream where id = $1',
    streamId,
  )
  return row
}

const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

describe('the lease', () => {
  test('two drains on one stream send nothing twice, and the stream is given back', async () => {
    const installed = await installedWith(40)
    const { sink, sent } = scripted(async () => {
      await later(2)
      return delivered
    })
    const workers = [1, 2, 3].map(() => fixture.makeEvents({ backend: sink }))
    await Promise.all(workers.map((worker) => worker.drainNow()))
    expect(sent).toHaveLength(40)
    expect(new Set(sent.map(({ id }) => id)).size).toBe(40)
    expect(
      (await deliveriesOf(fixture, installed.streamId)).every(({ state }) => state === 'delivered'),
    ).toBe(true)
    expect((await leaseOf(installed.streamId))?.lease_owner).toBeNull()
  })

  test('a worker that died between sending and recording: it is sent again, and its late word does not count', async () => {
    const installed = await installedWith(1)
    let release: (outcome: Outcome) => void = () => undefined
    const dying = scripted(
      () =>
        new Promise((resolve) => {
          release = resolve
        }),
    )
    const dead = fixture.makeEvents({ backend: dying.sink })
    const hanging = dead.drainNow()
    while (dying.sent.length === 0) await later(5)

    // Nobody renews a dead worker's lease; six seconds later it is over.
    fixture.clock.advance(7_000)
    const alive = scripted(() => Promise.resolve(delivered))
    expect(await fixture.makeEvents({ backend: alive.sink }).drainNow()).toBe(1)
    expect(alive.sent.map(({ eventId }) => eventId)).toEqual(dying.sent.map(({ eventId }) => eventId))

    release({
      kind: 'failed',
      overloaded: false,
      retryAfterMs: null,
      status: 500,
      error: 'late',
      response: null,
      log: null,
    })
    await hanging
    const [delivery] = await deliveriesOf(fixture, installed.streamId)
    expect(delivery).toMatchObject({ state: 'delivered', attempts: 1 })
    expect((await attemptsOf(fixture, installed.streamId)).map(({ outcome }) => outcome)).toEqual([
      'delivered',
    ])
  })

  test('a live lease keeps others away until it ends', async () => {
    const installed = await installedWith(1)
    await sql(
      fixture.db.queries,
      `update stream set lease_owner = 'run_other', lease_until = $2, lease_epoch = 7 where id = $1`,
      installed.streamId,
      new Date(fixture.clock.nowMs() + 5_000),
    )
    const { sink, sent } = scripted(() => Promise.resolve(delivered))
    const events = fixture.makeEvents({ backend: sink })
    await events.drainNow()
    expect(sent).toHaveLength(0)
    fixture.clock.advance(5_500)
    await events.drainNow()
    expect(sent).toHaveLength(1)
    expect((await leaseOf(installed.streamId))?.lease_epoch).toBe(8n)
  })
})

describe('sending', () => {
  test('keeps as many in flight as the receiver bears, and no more', async () => {
    await installedWith(30)
    let inFlight = 0
    let most = 0
    const { sink } = scripted(async () => {
      inFlight += 1
      most = Math.max(most, inFlight)
      await later(3)
      inFlight -= 1
      return delivered
    }, 5)
    await fixture.makeEvents({ backend: sink }).drainNow()
    expect(most).toBe(5)
  })

  test('one that hangs does not keep the others of its stream', async () => {
    const installed = await installedWith(10)
    let release = (): void => undefined
    const hangs = new Promise<void>((resolve) => {
      release = resolve
    })
    const { sink, sent } = scripted(async ({ sequence }) => {
      if (sequence === 1n) await hangs
      return delivered
    })
    const draining = fixture.makeEvents({ backend: sink }).drainNow()
    const states = async () => (await deliveriesOf(fixture, installed.streamId)).map(({ state }) => state)
    while ((await states()).filter((state) => state === 'delivered').length < 9) await later(10)
    expect(sent).toHaveLength(10)
    release()
    await draining
    expect((await states()).every((state) => state === 'delivered')).toBe(true)
  })

  test('what a sink throws is a failed attempt, not a lost delivery', async () => {
    const installed = await installedWith(1)
    const { sink } = scripted(() => Promise.reject(new Error('a bug')))
    await fixture.makeEvents({ backend: sink }).drainNow()
    expect((await deliveriesOf(fixture, installed.streamId))[0]).toMatchObject({
      state: 'waiting',
      attempts: 1,
    })
    expect((await attemptsOf(fixture, installed.streamId))[0]).toMatchObject({ error: 'kernel.unexpected' })
  })

  test('what was put off costs no attempt and leaves no row', async () => {
    const installed = await installedWith(1)
    let busy = true
    const { sink } = scripted(() =>
      Promise.resolve(busy ? { kind: 'deferred', delayMs: 2_000, reason: 'sandbox.pool_full' } : delivered),
    )
    const events = fixture.makeEvents({ backend: sink })
    await events.drainNow()
    expect((await deliveriesOf(fixture, installed.streamId))[0]).toMatchObject({
      state: 'pending',
      attempts: 0,
    })
    expect(await attemptsOf(fixture, installed.streamId)).toEqual([])
    busy = false
    fixture.clock.advance(2_100)
    await events.drainNow()
    expect((await deliveriesOf(fixture, installed.streamId))[0]).toMatchObject({
      state: 'delivered',
      attempts: 1,
    })
  })

  test('what came back is kept to its limit, in a form the database takes', async () => {
    const installed = await installedWith(1)
    const { sink } = scripted(() =>
      Promise.resolve({
        ...delivered,
        response: `a\u0000${'☃'.repeat(10_000)}`,
        log: 'info hello',
      } as Outcome),
    )
    await fixture.makeEvents({ backend: sink }).drainNow()
    const [attempt] = await attemptsOf(fixture, installed.streamId)
    expect(attempt?.response?.startsWith('a\ufffd☃')).toBe(true)
    expect(Buffer.byteLength(attempt?.response ?? '')).toBeLessThanOrEqual(16 * 1024)
    expect(attempt?.log).toBe('info hello')
  })
})

describe('stop', () => {
  test('finishes what is in flight, takes nothing new and gives the lease back', async () => {
    const installed = await installedWith(20)
    const { sink, sent } = scripted(async () => {
      await later(50)
      return delivered
    }, 3)
    const events = fixture.makeEvents({ backend: sink })
    await events.start()
    while (sent.length === 0) await later(5)
    await events.stop()
    const states = (await deliveriesOf(fixture, installed.streamId)).map(({ state }) => state)
    expect(states.filter((state) => state === 'delivered')).toHaveLength(sent.length)
    expect(sent.length).toBeLessThan(20)
    expect((await leaseOf(installed.streamId))?.lease_owner).toBeNull()

    const next = fixture.makeEvents({ backend: sink })
    await next.drainNow()
    expect(new Set(sent.map(({ id }) => id)).size).toBe(20)
    expect(sent).toHaveLength(20)
  })

  test('does not wait longer than it may for one that hangs; the next worker sends it again', async () => {
    const installed = await installedWith(1)
    const { sink, sent } = scripted(() => new Promise(() => undefined))
    const events = fixture.makeEvents({ backend: sink })
    await events.start()
    while (sent.length === 0) await later(5)
    const startedAtMs = Date.now()
    await events.stop()
    expect(Date.now() - startedAtMs).toBeLessThan(5_000)
    expect((await leaseOf(installed.streamId))?.lease_owner).toBeNull()
    const { sink: good, sent: again } = scripted(() => Promise.resolve(delivered))
    await fixture.makeEvents({ backend: good }).drainNow()
    expect(again.map(({ id }) => id)).toEqual(sent.map(({ id }) => id))
  })
})

describe('start', () => {
  test('an embedded database has one owner: leases of the process before are void at once', async () => {
    if (fixture.db.kind !== 'pglite') return
    const installed = await installedWith(1)
    await sql(
      fixture.db.queries,
      `update stream set lease_owner = 'run_dead', lease_until = $2 where id = $1`,
      installed.streamId,
      new Date(fixture.clock.nowMs() + 6_000),
    )
    const { sink, sent } = scripted(() => Promise.resolve(delivered))
    const events = fixture.makeEvents({ backend: sink })
    await events.start()
    while (sent.length === 0) await later(5)
    await events.stop()
    expect(sent).toHaveLength(1)
  })
})
