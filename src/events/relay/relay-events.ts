import type { Db } from '../../db/index.ts'
import { type Clock, type Log, limits, newId, type Random, type Transaction } from '../../kernel/index.ts'
import { neverDueMs } from '../delivery.ts'
import type { StoredEvent } from '../event.ts'
import {
  countByStream,
  type EventCatalog,
  type FanOutContext,
  fanOut,
  type LiveSubscription,
  numberDeliveries,
  type PlannedDelivery,
} from '../fan-out.ts'
import type { RuleBook, RuleSource } from '../rule-book.ts'
import type { SinkKind } from '../sink.ts'
import {
  advanceStreams,
  insertBodies,
  insertDeliveries,
  listSubscriptions,
  listUnrelayed,
  markRelayed,
  type NumberedStream,
  tryRelayLock,
} from './store.ts'

export interface RelayDependencies {
  readonly db: Db
  readonly catalog: EventCatalog
  readonly publicUrl: string
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
    }

// One shard: a platform that outgrows one relay splits merchants, never one merchant's events.
const onlyShard = 0

const nothing: RelayResult = { kind: 'relayed', events: 0, deliveries: 0, mayHaveMore: false, streams: [] }

/** Distinct pairs of merchant and type. */
function pairsOf(events: readonly StoredEvent[]): readonly StoredEvent[] {
  return [...new Map(events.map((event) => [`${event.merchantId} ${event.type}`, event])).values()]
}

async function insertNumbered(
  tx: Transaction,
  planned: readonly PlannedDelivery[],
  { clock, random }: Pick<RelayDependencies, 'clock' | 'random'>,
): Promise<readonly NumberedStream[]> {
  const counts = countByStream(planned)
  const streams = await advanceStreams(tx, [...counts.keys()], [...counts.values()])
  const byId = new Map(streams.map((stream) => [stream.id, stream]))
  const nowMs = clock.nowMs()
  const first = new Map(streams.map(({ id, firstSequence }) => [id, firstSequence]))
  const rows = numberDeliveries(planned, first).map((delivery) => ({
    ...delivery,
    id: newId('delivery', { clock, random }),
    dueAtMs: byId.get(delivery.streamId)?.isSent === true ? nowMs : neverDueMs,
  }))
  await insertDeliveries(tx, rows, nowMs)
  return streams.filter(({ isAwake }) => isAwake)
}

/** The subscriptions that these events may reach, with the scopes that the rules leave them. */
async function findSubscriptions(
  tx: Transaction,
  events: readonly StoredEvent[],
  rules: RuleBook,
): Promise<readonly LiveSubscription[]> {
  const pairs = pairsOf(events)
  const subscriptions = await listSubscriptions(
    tx,
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

async function relayIn(tx: Transaction, deps: RelayDependencies, rules: RuleBook): Promise<RelayResult> {
  if (!(await tryRelayLock(tx, onlyShard))) return { kind: 'busy' }
  const { events, mayHaveMore } = await listUnrelayed(tx, {
    eventsMax: limits.relayBatchMax,
    bytesMax: limits.relayBytesMax,
  })
  if (events.length === 0) return nothing
  const nowMs = deps.clock.nowMs()
  const subscriptions = await findSubscriptions(tx, events, rules)
  const context: FanOutContext = { catalog: deps.catalog, publicUrl: deps.publicUrl }
  const { bodies, deliveries } = fanOut(events, subscriptions, context)
  let streams: readonly NumberedStream[] = []
  if (deliveries.length > 0) {
    await insertBodies(tx, bodies, nowMs)
    streams = await insertNumbered(tx, deliveries, deps)
  }
  await markRelayed(
    tx,
    events.map(({ id }) => id),
    nowMs,
  )
  return { kind: 'relayed', events: events.length, deliveries: deliveries.length, mayHaveMore, streams }
}

/**
 * Takes one batch from the outbox: fan-out, deliveries with their sequence numbers and the mark on the events commit
 * together or not at all.
 */
export async function relayEvents(deps: RelayDependencies): Promise<RelayResult> {
  const startedAtMs = deps.clock.nowMs()
  // Read before: inside the transaction nothing but its own statements may run.
  const rules = await deps.rules()
  const result = await deps.db.tx((tx) => relayIn(tx, deps, rules))
  if (result.kind === 'relayed' && result.events > 0) {
    const { events, deliveries, streams } = result
    const durationMs = deps.clock.nowMs() - startedAtMs
    deps.log.info({ events, deliveries, streams: streams.length, durationMs }, 'events.relayed')
  }
  return result
}
