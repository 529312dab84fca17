import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { sql } from '../../../src/db/index.ts'
import { findNextDue, listDueStreams } from '../../../src/events/drain/store.ts'
import type { Outcome } from '../../../src/events/index.ts'
import { limits, seededRandom } from '../../../src/kernel/index.ts'
import { deliveriesOf, type Fixture, type Installed, openFixture } from './fixture.ts'
import {
  cancelOpen,
  delivered,
  failed,
  installedWith,
  later,
  payInOrder,
  scripted,
  until,
} from './scripted-sink.ts'

let fixture: Fixture

beforeAll(async () => {
  fixture = await openFixture()
})
afterAll(() => fixture.close())
// What a test leaves behind must not be drained by the next.
afterEach(() => cancelOpen(fixture))

const fifo = { fifo: true } as const

async function withSubjects(...subjects: readonly string[]): Promise<Installed> {
  const installed = await installedWith(fixture, fifo)
  await payInOrder(fixture, fixture.makeEvents({}), installed.merchantId, subjects)
  return installed
}

const statesOf = async (installed: Installed) =>
  (await deliveriesOf(fixture, installed.streamId)).map(({ state }) => state)

const dueStreams = async ({ streamId }: Installed) => {
  const streams = await listDueStreams(fixture.db.queries, {
    sinks: ['backend'],
    nowMs: fixture.clock.nowMs(),
    streamsMax: 1_000,
  })
  return streams.filter(({ id }) => id === streamId).length
}

const nextDueInMs = async ({ streamId }: Installed) => {
  const dueMs = await findNextDue(fixture.db.queries, streamId, fixture.clock.nowMs())
  return dueMs === null ? null : dueMs - fixture.clock.nowMs()
}

async function setState(installed: Installed, sequence: number, state: string): Promise<void> {
  await sql(
    fixture.db.queries,
    'update delivery set state = $3 where stream_id = $1 and sequence = $2::int8',
    installed.streamId,
    sequence,
    state,
  )
}

describe('per subject, in order', () => {
  test('one attempt at a time, the next one after the one before has been recorded', async () => {
    const installed = await withSubjects('a', 'b', 'a', 'a', 'b')
    const open = new Set<string>()
    const unrecorded: string[] = []
    const worker = scripted(
      async ({ subject, sequence }) => {
        expect(open.has(subject)).toBe(false)
        const before = (await deliveriesOf(fixture, installed.streamId)).filter(
          (row) => row.sequence < sequence && row.state === 'pending' && [1n, 3n, 4n].includes(row.sequence),
        )
        if (subject === 'a' && before.length > 0) unrecorded.push(String(sequence))
        open.add(subject)
        await later(3)
        open.delete(subject)
        return delivered
      },
      { ...fifo, concurrencyMax: 8 },
    )
    await fixture.makeEvents({ backend: worker.sink }).drainNow()
    expect(worker.sentOf('a')).toEqual([1, 3, 4])
    expect(worker.sentOf('b')).toEqual([2, 5])
    expect(unrecorded).toEqual([])
    expect(new Set(await statesOf(installed))).toEqual(new Set(['delivered']))
  })

  test('over retries: what stands behind a failed delivery waits for it, other subjects go on', async () => {
    const installed = await withSubjects('a', 'a', 'b', 'a', 'b')
    let up = false
    const worker = scripted(({ subject }) => (subject === 'b' || up ? delivered : failed(500)), fifo)
    const events = fixture.makeEvents({ backend: worker.sink })
    await events.drainNow()
    expect(worker.sentOf('a')).toEqual([1])
    expect(worker.sentOf('b')).toEqual([3, 5])
    // Nobody looks at the stream until then: its followers are due and are no work.
    expect(await dueStreams(installed)).toBe(0)
    const inMs = await nextDueInMs(installed)
    expect(inMs).toBeGreaterThan(3_000)
    expect(inMs).toBeLessThanOrEqual(6_000)
    up = true
    fixture.clock.advance(6_100)
    expect(await dueStreams(installed)).toBe(1)
    await events.drainNow()
    expect(worker.sentOf('a')).toEqual([1, 1, 2, 4])
  })

  test('two merchants may have the same subject: neither waits for the other', async () => {
    const one = await withSubjects('a')
    const other = await fixture.install({ appId: one.appId })
    await payInOrder(fixture, fixture.makeEvents({}), other.merchantId, ['a'])
    const worker = scripted(
      ({ merchantId }) => (merchantId === one.merchantId ? failed(500) : delivered),
      fifo,
    )
    await fixture.makeEvents({ backend: worker.sink }).drainNow()
    expect(await statesOf(one)).toEqual(['waiting', 'delivered'])
  })

  test('what was put off keeps its place', async () => {
    const installed = await withSubjects('a', 'a')
    let busy = true
    const worker = scripted(
      (): Outcome => (busy ? { kind: 'deferred', delayMs: 2_000, reason: 'sandbox.pool_full' } : delivered),
      fifo,
    )
    const events = fixture.makeEvents({ backend: worker.sink })
    await events.drainNow()
    expect(worker.sentOf('a')).toEqual([1])
    busy = false
    fixture.clock.advance(2_100)
    await events.drainNow()
    expect(worker.sentOf('a')).toEqual([1, 1, 2])
    expect(new Set(await statesOf(installed))).toEqual(new Set(['delivered']))
  })

  test.each(['parked', 'cancelled', 'exhausted'])('one that is %s lets the next one go', async (state) => {
    const installed = await withSubjects('a', 'a')
    const worker = scripted(({ sequence }) => (sequence === 1n ? failed(500) : delivered), fifo)
    const events = fixture.makeEvents({ backend: worker.sink })
    await events.drainNow()
    expect(await dueStreams(installed)).toBe(0)
    await setState(installed, 1, state)
    expect(await dueStreams(installed)).toBe(1)
    await events.drainNow()
    expect(await statesOf(installed)).toEqual([state, 'delivered'])
  })

  test('one that no attempt can save is exhausted after its last, and lets the next one go', async () => {
    const installed = await withSubjects('a', 'a')
    const worker = scripted(({ sequence }) => (sequence === 1n ? failed(500) : delivered), fifo)
    const events = fixture.makeEvents({ backend: worker.sink })
    for (let i = 0; i < limits.deliveryAttemptsMax; i += 1) {
      await events.drainNow()
      fixture.clock.advance(30 * 60 * 60 * 1000)
    }
    expect(worker.sentOf('a')).toEqual([...Array<number>(10).fill(1), 2])
    expect(await statesOf(installed)).toEqual(['exhausted', 'delivered'])
  })

  test('a busy subject does not keep the others of its stream', async () => {
    const installed = await withSubjects(...Array<string>(500).fill('busy'), 'other')
    let release = (): void => undefined
    const hangs = new Promise<void>((resolve) => {
      release = resolve
    })
    const worker = scripted(async ({ subject }) => {
      if (subject === 'busy') await hangs
      return delivered
    }, fifo)
    const draining = fixture.makeEvents({ backend: worker.sink }).drainNow()
    await until(() => worker.sentOf('other').length === 1)
    expect(worker.sentOf('busy')).toEqual([1])
    release()
    await draining
    expect(worker.sentOf('busy')).toEqual(Array.from({ length: 500 }, (_, i) => i + 1))
    expect(new Set(await statesOf(installed))).toEqual(new Set(['delivered']))
  })

  test('an endpoint that asks for order later on gets it from its next claim', async () => {
    const installed = await installedWith(fixture)
    await payInOrder(fixture, fixture.makeEvents({}), installed.merchantId, ['a', 'a', 'a'])
    const before = scripted(({ sequence }) => (sequence === 2n ? delivered : failed(500)))
    await fixture.makeEvents({ backend: before.sink }).drainNow()
    expect(await statesOf(installed)).toEqual(['waiting', 'delivered', 'waiting'])
    await sql(fixture.db.queries, 'update endpoint set fifo = true where stream_id = $1', installed.streamId)
    fixture.clock.advance(6_100)
    const after = scripted(() => delivered, fifo)
    await fixture.makeEvents({ backend: after.sink }).drainNow()
    expect(after.sentOf('a')).toEqual([1, 3])
  })
})

describe('over crashes', () => {
  test('a worker that died with one in hand: it is sent again before the next, and the dead one sends no more', async () => {
    const installed = await withSubjects('a', 'a', 'a')
    let release: (outcome: Outcome) => void = () => undefined
    const dying = scripted(
      () =>
        new Promise<Outcome>((resolve) => {
          release = resolve
        }),
      fifo,
    )
    const hanging = fixture.makeEvents({ backend: dying.sink }).drainNow()
    await until(() => dying.sent.length > 0)

    fixture.clock.advance(limits.streamLeaseMs + 1_000)
    const alive = scripted(() => delivered, fifo)
    await fixture.makeEvents({ backend: alive.sink }).drainNow()
    expect(alive.sentOf('a')).toEqual([1, 2, 3])

    release(delivered)
    await hanging
    expect(dying.sentOf('a')).toEqual([1])
    expect(await statesOf(installed)).toEqual(['delivered', 'delivered', 'delivered'])
  })

  test('workers that die again and again, and attempts that fail: no subject is ever begun out of order', async () => {
    const random = seededRandom('fifo')
    const subjects = Array.from({ length: 60 }, () => `s${Math.floor(random.fraction() * 6)}`)
    const installed = await withSubjects(...subjects)
    /** Per subject: the sequence of the first delivery that has not been recorded as done. */
    const sent: { readonly subject: string; readonly sequence: bigint }[] = []
    const isDone = async () => (await statesOf(installed)).every((state) => state === 'delivered')
    while (!(await isDone())) {
      let left = 1 + Math.floor(random.fraction() * 12)
      const worker = scripted(async ({ subject, sequence }) => {
        sent.push({ subject, sequence })
        // From some moment on this worker's answers never come: it is dead, its lease runs out.
        left -= 1
        if (left < 0) return new Promise<Outcome>(() => undefined)
        await later(1)
        return random.fraction() < 0.2 ? failed(500) : delivered
      }, fifo)
      const events = fixture.makeEvents({ backend: worker.sink })
      const ended = events.drainNow().then(() => true)
      await Promise.race([ended, until(() => left < 0)])
      // A dead worker records nothing more; one that is alive has ended.
      fixture.clock.advance(limits.streamLeaseMs + 6_000)
    }
    const reached = new Map<string, bigint>()
    for (const { subject, sequence } of sent) {
      // Again is allowed (at least once); back before what a later one has passed is not.
      expect(sequence).toBeGreaterThanOrEqual(reached.get(subject) ?? 0n)
      reached.set(subject, sequence)
    }
    expect(new Set(sent.map(({ sequence }) => sequence)).size).toBe(60)
  })
})
