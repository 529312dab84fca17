import { afterAll, beforeAll, expect, test } from 'vitest'
import { sql } from '../../../src/db/index.ts'
import { makeRecorder } from '../../../src/events/drain/record/recorder.ts'
import type { AttemptRecord } from '../../../src/events/drain/record/store.ts'
import { newId, systemRandom } from '../../../src/kernel/index.ts'
import { attemptsOf, deliveriesOf, type Fixture, type Installed, openFixture } from './fixture.ts'
import { installedWith, payInOrder } from './scripted-sink.ts'

let fixture: Fixture

beforeAll(async () => {
  fixture = await openFixture()
})
afterAll(() => fixture.close())

async function withOne(): Promise<Installed> {
  const installed = await installedWith(fixture)
  await payInOrder(fixture, fixture.makeEvents({}), installed.merchantId, ['a'])
  return installed
}

async function recordOf(installed: Installed, change: Partial<NonNullable<AttemptRecord['attempt']>> = {}) {
  const [delivery] = await deliveriesOf(fixture, installed.streamId)
  const nowMs = fixture.clock.nowMs()
  const record: AttemptRecord = {
    deliveryId: delivery?.id ?? '',
    merchantId: installed.merchantId,
    settled: {
      state: 'delivered',
      attempts: 1,
      dueAtMs: nowMs,
      finishedAtMs: nowMs,
      lastOutcome: 'delivered',
    },
    attempt: {
      ...{
        id: newId('attempt', { clock: fixture.clock, random: systemRandom }),
        number: 1,
        startedAtMs: nowMs,
      },
      ...{ durationMs: 1, outcome: 'delivered', status: 200, error: null, response: 'ok', log: null },
      ...change,
    },
  }
  return record
}

async function epochOf({ streamId }: Installed): Promise<bigint> {
  const [row] = await sql<{ lease_epoch: bigint }>(
    fixture.db.queries,
    'select lease_epoch from stream where id = $1',
    streamId,
  )
  return row?.lease_epoch ?? -1n
}

/** Recorded at once with two others, which keep both statements busy: these share the third. */
async function recordTogether(
  batches: readonly { installed: Installed; epoch: bigint; record: AttemptRecord }[],
) {
  const recorder = makeRecorder(fixture.db.queries)
  const busy = [await withOne(), await withOne()]
  const first = await Promise.all(
    busy.map(async (installed) => ({
      installed,
      epoch: await epochOf(installed),
      record: await recordOf(installed),
    })),
  )
  const all = [...first, ...batches].map(({ installed, epoch, record }) =>
    recorder.record({ streamId: installed.streamId, epoch, records: [record] }),
  )
  const results = await Promise.allSettled(all)
  expect(results.slice(0, 2)).toEqual([1, 2].map(() => ({ status: 'fulfilled', value: true })))
  return results.slice(2)
}

const stateOf = async ({ streamId }: Installed) =>
  (await deliveriesOf(fixture, streamId)).map(({ state }) => state)

test('of streams that share a statement, only those whose lease holds are written', async () => {
  const [held, lost] = [await withOne(), await withOne()]
  const results = await recordTogether([
    { installed: held, epoch: await epochOf(held), record: await recordOf(held) },
    { installed: lost, epoch: (await epochOf(lost)) - 1n, record: await recordOf(lost) },
  ])
  expect(results).toEqual([
    { status: 'fulfilled', value: true },
    { status: 'fulfilled', value: false },
  ])
  expect([await stateOf(held), await stateOf(lost)]).toEqual([['delivered'], ['pending']])
  expect(await attemptsOf(fixture, held.streamId)).toHaveLength(1)
  expect(await attemptsOf(fixture, lost.streamId)).toEqual([])
})

test('what is wrong with one stream’s batch fails that batch alone', async () => {
  const [good, bad] = [await withOne(), await withOne()]
  // No such outcome: the database refuses the row.
  const wrong = await recordOf(bad)
  const broken = { ...wrong, settled: { ...wrong.settled, lastOutcome: 'nonsense' as 'delivered' } }
  const results = await recordTogether([
    { installed: bad, epoch: await epochOf(bad), record: broken },
    { installed: good, epoch: await epochOf(good), record: await recordOf(good) },
  ])
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
  expect([await stateOf(good), await stateOf(bad)]).toEqual([['delivered'], ['pending']])
})

test('two leases on one stream never share a statement: the old one is told that it has lost it', async () => {
  const installed = await withOne()
  const epoch = await epochOf(installed)
  const record = await recordOf(installed)
  const results = await recordTogether([
    { installed, epoch: epoch - 1n, record: await recordOf(installed) },
    { installed, epoch, record },
  ])
  expect(results).toEqual([
    { status: 'fulfilled', value: false },
    { status: 'fulfilled', value: true },
  ])
  expect(await attemptsOf(fixture, installed.streamId)).toHaveLength(1)
})
