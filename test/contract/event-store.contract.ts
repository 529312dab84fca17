import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { isUniqueViolation } from '../../src/db/index.ts'
import type { RecordBatch } from '../../src/events/drain/record/store.ts'
import { makeChance } from '../simulation/chance.ts'
import { makeDatabaseWorld, writeRows } from '../simulation/database-world.ts'
import { makeRowModel } from '../simulation/row-model.ts'
import type { Row, Rows } from '../simulation/rows.ts'
import { makeScene } from '../simulation/scene.ts'
import type { World } from '../simulation/world.ts'
import { openTestDatabase } from '../support/database.ts'

export type StoreKind = 'rows in memory' | 'pglite' | 'postgresql'

/** Opens worlds of one kind, one after the other. */
export async function openWorlds(kind: StoreKind) {
  if (kind === 'rows in memory')
    return { open: (rows: Rows) => Promise.resolve(makeRowModel(rows)), close: () => Promise.resolve() }
  const database = await openTestDatabase({ kind })
  async function open(rows: Rows): Promise<World> {
    await writeRows(database.db, rows)
    return makeDatabaseWorld(database.db)
  }
  return { open, close: () => database.close() }
}

const nowMs = Date.UTC(2026, 10, 2)

function event(seq: number, subject = 'ord_1'): Row<'event'> {
  const time = { occurred_at: nowMs, created_at: nowMs, relayed_at: null }
  const same = { source: '/host', external_id: null, type: 'order.paid', version: 1, merchant_id: 'mer_2' }
  return { id: `evt_${seq}`, seq, ...same, subject, data: '{"note":"tea"}', ...time }
}

function newDelivery(sequence: number, subject = 'ord_1') {
  const ids = { merchantId: 'mer_2', installationId: 'ins_2', appId: 'app_1', streamId: 'str_1' }
  const of = { subscriptionId: 'sub_2', eventId: `evt_${sequence}`, eventType: 'order.paid', subject }
  const body = { scopes: ['order:read'], bodyHash: 'hash' }
  return {
    id: `dlv_${sequence}`,
    ...ids,
    ...of,
    ...body,
    sequence: BigInt(sequence),
    dueAtMs: nowMs + sequence,
  }
}

function batch(
  epoch: bigint,
  deliveryId: string,
  state: 'delivered' | 'waiting',
  attemptId: string,
): RecordBatch {
  const settled = {
    state,
    attempts: 1,
    dueAtMs: nowMs + 9_000,
    finishedAtMs: null,
    lastOutcome: 'failed',
  } as const
  const attempt = { id: attemptId, number: 1, startedAtMs: nowMs, durationMs: 1, outcome: 'failed' } as const
  const answer = { status: 500, error: null, response: null, log: null }
  const records = [{ deliveryId, merchantId: 'mer_2', settled, attempt: { ...attempt, ...answer } }]
  return { streamId: 'str_1', epoch, records }
}

const search = {
  nowMs: nowMs + 1_000,
  startSequence: 0n,
  exceptIds: [],
  exceptMerchantIds: [],
  deliveriesMax: 9,
}
const inOrder = { exceptMerchantIds: [], exceptSubjects: [] }

/** Whatever holds of the event path's rows holds wherever they are. */
export function eventStoreContract(kind: StoreKind): void {
  describe(`event store on ${kind}`, () => {
    let worlds: Awaited<ReturnType<typeof openWorlds>>
    let world: World
    const take = (atMs: number) =>
      world.events.takeLease('str_1', { owner: 'run_1', nowMs: atMs, untilMs: atMs + 6_000 })
    const deliver = (...list: readonly ReturnType<typeof newDelivery>[]) =>
      world.events.tx((tx) => tx.insertDeliveries(list, nowMs))
    const sequences = async (more: object) =>
      (await world.events.listDue('str_1', { ...search, fifo: null, ...more })).map(({ sequence }) =>
        Number(sequence),
      )

    beforeAll(async () => {
      worlds = await openWorlds(kind)
    })
    beforeEach(async () => {
      world = await worlds.open(makeScene(makeChance('contract')))
    })
    afterAll(() => worlds.close())

    test('unrelayed events come in the order of their rows, within both bounds, one at least', async () => {
      for (const seq of [3, 1, 2]) await world.people.publish(event(seq), true)
      const list = (eventsMax: number, bytesMax: number) =>
        world.events.tx((tx) => tx.listUnrelayed({ eventsMax, bytesMax }))
      expect((await list(9, 999)).events.map(({ id }) => id)).toEqual(['evt_1', 'evt_2', 'evt_3'])
      expect(await list(9, 1)).toMatchObject({ events: [{ id: 'evt_1' }], mayHaveMore: true })
      expect(await list(3, 999)).toMatchObject({ mayHaveMore: true })
      expect(await list(4, 999)).toMatchObject({ mayHaveMore: false })
    })

    test('a transaction that fails leaves nothing', async () => {
      const before = await world.rows().then(copyOf)
      const failing = world.events.tx(async (tx) => {
        await tx.advanceStreams(['str_1'], [2], nowMs)
        throw new Error('no')
      })
      await expect(failing).rejects.toThrow('no')
      expect(copyOf(await world.rows())).toEqual(before)
    })

    test('a sequence number, and an event for a subscription, are taken once', async () => {
      await deliver(newDelivery(1))
      for (const again of [
        { id: 'dlv_9', eventId: 'evt_9' },
        { id: 'dlv_9', sequence: 9n },
      ]) {
        const error = await deliver({ ...newDelivery(1), ...again }).catch((reason: unknown) => reason)
        expect(isUniqueViolation(error)).toBe(true)
      }
    })

    test('a lease is taken once, ends by its time, and its epoch fences what comes later', async () => {
      await deliver(newDelivery(1), newDelivery(2))
      const first = await take(nowMs)
      expect(first).toMatchObject({ epoch: 1n, takenOver: false, publisherId: 'pub_1' })
      expect(await take(nowMs + 6_000)).toBeNull()
      expect(await take(nowMs + 6_001)).toMatchObject({ epoch: 2n, takenOver: true })
      expect(await world.events.renewLease('str_1', { epoch: 1n, untilMs: nowMs + 99_000 })).toBe(false)
      expect([...(await world.events.recordBatches([batch(1n, 'dlv_1', 'delivered', 'att_1')]))]).toEqual([])
      await world.events.releaseLease('str_1', { epoch: 1n, notBeforeMs: null })
      expect([...(await world.events.recordBatches([batch(2n, 'dlv_1', 'delivered', 'att_1')]))]).toEqual([
        'str_1',
      ])
      const { delivery, stream } = await world.rows()
      expect(delivery.get('dlv_1')).toMatchObject({ state: 'delivered', finished_at: nowMs + 9_000 })
      expect(stream.get('str_1')).toMatchObject({ lease_epoch: 2, lease_until: nowMs + 12_001 })
    })

    test('a renewal that comes in late does not shorten the lease', async () => {
      await take(nowMs)
      for (const untilMs of [nowMs + 9_000, nowMs + 8_000])
        expect(await world.events.renewLease('str_1', { epoch: 1n, untilMs })).toBe(true)
      expect((await world.rows()).stream.get('str_1')).toMatchObject({ lease_until: nowMs + 9_000 })
    })

    test('a released lease is not renewed, and its stream may be held back', async () => {
      await take(nowMs)
      await world.events.releaseLease('str_1', { epoch: 1n, notBeforeMs: nowMs + 500 })
      expect(await world.events.renewLease('str_1', { epoch: 1n, untilMs: nowMs + 99_000 })).toBe(false)
      expect(await take(nowMs + 500)).toBeNull()
      expect(await take(nowMs + 501)).toMatchObject({ epoch: 2n, takenOver: false })
    })

    test('what has ended stays as it is, its late attempt is kept; the same attempt twice is refused', async () => {
      await deliver(newDelivery(1))
      await take(nowMs)
      await world.people.skip('str_1', { deliveryId: 'dlv_1', nowMs })
      await world.events.recordBatches([batch(1n, 'dlv_1', 'waiting', 'att_1')])
      const again = await world.events
        .recordBatches([batch(1n, 'dlv_1', 'waiting', 'att_1')])
        .catch((e: unknown) => e)
      expect(isUniqueViolation(again)).toBe(true)
      const rows = await world.rows()
      expect(rows.delivery.get('dlv_1')).toMatchObject({ state: 'parked', attempts: 0 })
      expect([...rows.attempt.keys()]).toEqual(['att_1'])
    })

    test('in order, nothing is due behind a delivery of its subject that waits', async () => {
      await deliver(newDelivery(1), newDelivery(2), newDelivery(3, 'ord_2'))
      await take(nowMs)
      await world.events.recordBatches([batch(1n, 'dlv_1', 'waiting', 'att_1')])
      expect(await sequences({ fifo: null })).toEqual([2, 3])
      expect(await sequences({ fifo: inOrder })).toEqual([3])
      expect(await sequences({ fifo: { exceptMerchantIds: ['mer_2'], exceptSubjects: ['ord_2'] } })).toEqual(
        [],
      )
      expect(await sequences({ exceptIds: ['dlv_2'] })).toEqual([3])
      expect(await sequences({ exceptMerchantIds: ['mer_2'] })).toEqual([])
      expect(await world.events.findNextDue('str_1', nowMs)).toBe(nowMs + 3)
    })

    test('a stream is due only while somebody may take what it has', async () => {
      const due = async (atMs = nowMs + 1_000) =>
        (await world.events.listDueStreams({ sinks: ['backend'], nowMs: atMs, streamsMax: 9 })).map(
          ({ id }) => id,
        )
      expect(await due()).toEqual([])
      await deliver(newDelivery(1))
      expect(await due()).toEqual(['str_1'])
      const tried = { endpointId: 'end_1', streamId: 'str_1', url: 'https://receiver.example/str_1' }
      const pause = { reason: 'failing', nowMs, probeAtMs: nowMs + 5_000, failingSinceMsMax: null } as const
      expect(await world.endpoints.tx((tx) => tx.markPaused(tried, pause))).toMatchObject({
        appName: 'App 1',
      })
      expect(await world.endpoints.tx((tx) => tx.markPaused(tried, pause))).toBeNull()
      expect([await due(), await due(nowMs + 5_000)]).toEqual([[], ['str_1']])
      expect(await world.events.findNextDue('str_1', nowMs)).toBe(nowMs + 5_000)
      expect(await world.endpoints.findReceiver('str_1', nowMs)).toBeNull()
      expect(await world.endpoints.findReceiver('str_1', nowMs + 5_000)).toMatchObject({ probing: true })
      await world.endpoints.tx((tx) => tx.markStopped(tried, 'gone'))
      await world.endpoints.tx((tx) => tx.leaveToPull('str_1'))
      expect([await due(nowMs + 5_000), await world.events.findNextDue('str_1', nowMs)]).toEqual([[], null])
    })
  })
}

/** Rows that do not change when the world does. */
export function copyOf(rows: Rows): Readonly<Record<string, readonly unknown[]>> {
  const sorted = (map: Map<string, unknown>) =>
    [...map].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row)
  return Object.fromEntries(Object.entries(rows).map(([name, map]) => [name, sorted(map)]))
}
