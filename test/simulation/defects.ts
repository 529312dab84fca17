import type { RecordBatch } from '../../src/events/drain/record/store.ts'
import type { EventStore, EventTransaction } from '../../src/events/event-store.ts'
import type { World } from './world.ts'

/** A mistake that is made on purpose, and what must notice it. */
export interface Defect {
  readonly name: string
  readonly invariant: string
  spoil(world: World): World
}

const withStore = (spoil: (store: EventStore) => Partial<EventStore>) => (world: World) => ({
  ...world,
  events: { ...world.events, ...spoil(world.events) },
})

const withTx = (spoil: (tx: EventTransaction) => Partial<EventTransaction>) =>
  withStore((store) => ({ tx: (work) => store.tx((tx) => work({ ...tx, ...spoil(tx) })) }))

/** The epoch that the stream has now, whoever asks. */
async function currentEpoch(world: World, streamId: string): Promise<bigint> {
  return BigInt((await world.rows()).stream.get(streamId)?.lease_epoch ?? 0)
}

async function unfenced(world: World, batches: readonly RecordBatch[]): Promise<ReadonlySet<string>> {
  const stolen = batches.map(async (batch) => ({
    ...batch,
    epoch: await currentEpoch(world, batch.streamId),
  }))
  return world.events.recordBatches(await Promise.all(stolen))
}

export const defects: readonly Defect[] = [
  {
    name: 'an event is relayed and not marked',
    invariant: 'at-least-once',
    spoil: withTx(() => ({ markRelayed: () => Promise.resolve() })),
  },
  {
    name: 'the last subscription of a batch is forgotten',
    invariant: 'at-least-once',
    spoil: withTx((tx) => ({
      listSubscriptions: async (...args) => (await tx.listSubscriptions(...args)).slice(0, -1),
    })),
  },
  {
    name: 'a sequence number is skipped',
    invariant: 'sequences-without-gap',
    spoil: withTx((tx) => ({
      advanceStreams: (ids, counts, nowMs) =>
        tx.advanceStreams(
          ids,
          counts.map((count) => count + 1),
          nowMs,
        ),
    })),
  },
  {
    name: 'whoever has lost the lease still records',
    invariant: 'recorded-under-its-lease',
    spoil: (world) =>
      withStore(() => ({ recordBatches: (batches: readonly RecordBatch[]) => unfenced(world, batches) }))(
        world,
      ),
  },
  {
    name: 'a stream is given to whoever asks',
    invariant: 'one-holder',
    spoil: withStore((store) => ({
      takeLease: (streamId, lease) => store.takeLease(streamId, { ...lease, nowMs: lease.nowMs + 60_000 }),
    })),
  },
  {
    name: 'an attempt is answered for and not recorded',
    invariant: 'repeated-only-with-a-cause',
    spoil: withStore((store) => ({
      recordBatches: (batches) => store.recordBatches(batches.map((batch) => ({ ...batch, records: [] }))),
    })),
  },
  {
    name: 'an attempt’s row is lost',
    invariant: 'every-attempt-has-its-row',
    spoil: withStore((store) => ({
      recordBatches: (batches) =>
        store.recordBatches(
          batches.map((batch) => ({
            ...batch,
            records: batch.records.map((record) => ({ ...record, attempt: null })),
          })),
        ),
    })),
  },
  {
    name: 'a failed attempt is recorded as delivered',
    invariant: 'delivered-means-taken',
    spoil: withStore((store) => ({
      recordBatches: (batches) =>
        store.recordBatches(
          batches.map((batch) => ({
            ...batch,
            records: batch.records.map((record) => ({
              ...record,
              settled: { ...record.settled, state: 'delivered' as const },
            })),
          })),
        ),
    })),
  },
  {
    name: 'what a grant holds is not read again before sending',
    invariant: 'nothing-beyond-the-grant',
    spoil: withStore((store) => ({
      async listDue(streamId, search) {
        const due = await store.listDue(streamId, search)
        return due.map((one) => ({ ...one, live: true, granted: one.scopes }))
      },
    })),
  },
  {
    name: 'an uninstalled app keeps its subscriptions',
    invariant: 'nothing-after-revoke',
    spoil: (world) => ({ ...world, people: { ...world.people, uninstall: () => Promise.resolve() } }),
  },
  {
    name: 'a paused endpoint is opened',
    invariant: 'nothing-after-pause',
    spoil: (world) => ({ ...world, people: { ...world.people, pause: () => Promise.resolve() } }),
  },
  {
    name: 'order is not asked for',
    invariant: 'first-in-first-out',
    spoil: withStore((store) => ({
      listDue: (streamId, search) => store.listDue(streamId, { ...search, fifo: null }),
    })),
  },
  {
    name: 'the body changes with each claim',
    invariant: 'same-bytes',
    spoil: withStore((store) => ({
      async listDue(streamId, search) {
        const due = await store.listDue(streamId, search)
        return due.map((one) => ({ ...one, body: one.body === null ? null : `${one.body} ${search.nowMs}` }))
      },
    })),
  },
  {
    name: 'what has ended is opened again',
    invariant: 'one-terminal-state',
    spoil: (world) =>
      withStore((store) => ({
        async recordBatches(batches: readonly RecordBatch[]) {
          const { delivery } = await world.rows()
          const ended = [...delivery.values()].find(({ state }) => state === 'delivered')
          const held = await store.recordBatches(batches)
          if (ended !== undefined) delivery.set(ended.id, { ...ended, state: 'waiting', finished_at: null })
          return held
        },
      }))(world),
  },
  {
    name: 'a transaction that rolls back leaves its event',
    invariant: 'nothing-rolled-back',
    spoil: (world) => ({
      ...world,
      people: { ...world.people, publish: (event) => world.people.publish(event, true) },
    }),
  },
]
