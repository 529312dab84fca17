import { type Clock, type Log, limits, newId, type Random } from '../../kernel/index.ts'
import { neverDueMs } from '../delivery.ts'
import type { StoredEvent } from '../event.ts'
import type { EventStore, EventTransaction } from '../event-store.ts'
import {
  countByStream,
  type EventCatalog,
  type FanOutContext,
  fanOut,
  type LiveSubscription,
  numberDeliveries,
  type PlannedDelivery,
} from '../fan-out.ts'
import type { Meters } from '../meters.ts'
import type { Advance } from '../pull/watch-streams.ts'
import type { RuleBook, RuleSource } from '../rule-book.ts'
import type { SinkKind } from '../sink.ts'
import { cutBatch } from './cut-batch.ts'

export interface RelayDependencies {
  readonly store: EventStore
  readonly catalog: EventCatalog
  readonly publicUrl: string
  readonly meters: Pick<Meters, 'relayed'>
  readonly rules: RuleSource
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

export type RelayResult =
  /** Another relay is at work. */
  | { readonly kind: 'busy' }
  | {
      readonly kind: 'relayed'
      readonly events: number
      readonly deliveries: number
      /** The outbox held more than one batch. */
      readonly mayHaveMore: boolean
      /** To be woken: they have something due and somebody to send it to. */
      readonly streams: readonly { readonly id: string; readonly sink: SinkKind }[]
      /** How far the backend streams of these apps have come, for those who wait to pull. */
      readonly advanced: readonly Advance[]
    }

type Relayed = Extract<RelayResult, { readonly kind: 'relayed' }>

// One shard: a platform that outgrows one relay splits merchants, never one merchant's events.
const onlyShard = 0

const nothing: RelayResult = {
  kind: 'relayed',
  events: 0,
  deliveries: 0,
  mayHaveMore: false,
  streams: [],
  advanced: [],
}

/** Distinct pairs of merchant and type. */
function pairsOf(events: readonly StoredEvent[]): readonly StoredEvent[] {
  return [...new Map(events.map((event) => [`${event.merchantId} ${event.type}`, event])).values()]
}

async function insertNumbered(
  tx: EventTransaction,
  planned: readonly PlannedDelivery[],
  { clock, random }: Pick<RelayDependencies, 'clock' | 'random'>,
): Promise<Pick<Relayed, 'streams' | 'advanced'>> {
  const counts = countByStream(planned)
  const nowMs = clock.nowMs()
  const streams = await tx.advanceStreams([...counts.keys()], [...counts.values()], nowMs)
  const byId = new Map(streams.map((stream) => [stream.id, stream]))
  const first = new Map(streams.map(({ id, firstSequence }) => [id, firstSequence]))
  const rows = numberDeliveries(planned, first).map((delivery) => ({
    ...delivery,
    id: newId('delivery', { clock, random }),
    dueAtMs: byId.get(delivery.streamId)?.isSent === true ? nowMs : neverDueMs,
  }))
  await tx.insertDeliveries(rows, nowMs)
  const pulled = rows.filter(({ streamId }) => byId.get(streamId)?.sink === 'backend')
  const last = new Map(pulled.map(({ appId, sequence }) => [appId, sequence]))
  return {
    streams: streams.filter(({ isAwake }) => isAwake),
    advanced: [...last].map(([appId, lastSequence]) => ({ appId, lastSequence })),
  }
}

/** The subscriptions that these events may reach, with the scopes that the rules leave them. */
async function findSubscriptions(
  tx: EventTransaction,
  events: readonly StoredEvent[],
  rules: RuleBook,
): Promise<readonly LiveSubscription[]> {
  const pairs = pairsOf(events)
  const subscriptions = await tx.listSubscriptions(
    pairs.map(({ merchantId }) => merchantId),
    {
      eventTypes: pairs.map(({ type }) => type),
      endedSinceMs: Math.min(...events.map(({ createdAtMs }) => createdAtMs)),
    },
  )
  return subscriptions
    .filter((subscription) => !rules.isStopped(subscription))
    .map((subscription) => ({
      ...subscription,
      granted: rules.keptScopes(subscription.granted, subscription),
    }))
}

async function relayIn(tx: EventTransaction, deps: RelayDependencies, rules: RuleBook): Promise<RelayResult> {
  if (!(await tx.tryRelayLock(onlyShard))) return { kind: 'busy' }
  const found = await tx.listUnrelayed({
    eventsMax: limits.relayBatchMax,
    bytesMax: limits.relayBytesMax,
  })
  if (found.events.length === 0) return nothing
  const nowMs = deps.clock.nowMs()
  const subscriptions = await findSubscriptions(tx, found.events, rules)
  const events = cutBatch(found.events, subscriptions, limits.relayDeliveriesMax)
  const mayHaveMore = found.mayHaveMore || events.length < found.events.length
  const context: FanOutContext = { catalog: deps.catalog, publicUrl: deps.publicUrl }
  const { bodies, deliveries } = fanOut(events, subscriptions, context)
  let numbered: Pick<Relayed, 'streams' | 'advanced'> = { streams: [], advanced: [] }
  if (deliveries.length > 0) {
    await tx.insertBodies(bodies)
    numbered = await insertNumbered(tx, deliveries, deps)
  }
  await tx.markRelayed(
    events.map(({ id }) => id),
    nowMs,
  )
  return { kind: 'relayed', events: events.length, deliveries: deliveries.length, mayHaveMore, ...numbered }
}

/**
 * Takes one batch from the outbox: fan-out, deliveries with their sequence numbers and the mark on the events commit
 * together or not at all.
 */
export async function relayEvents(deps: RelayDependencies): Promise<RelayResult> {
  const startedAtMs = deps.clock.nowMs()
  // Read before: inside the transaction nothing but its own statements may run.
  const rules = await deps.rules()
  const result = await deps.store.tx((tx) => relayIn(tx, deps, rules))
  if (result.kind === 'relayed' && result.events > 0) {
    const { events, deliveries, streams } = result
    const durationMs = deps.clock.nowMs() - startedAtMs
    deps.meters.relayed({ events, deliveries })
    deps.log.info({ events, deliveries, streams: streams.length, durationMs }, 'events.relayed')
  }
  return result
}
