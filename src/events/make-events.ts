import { AsyncLocalStorage } from 'node:async_hooks'
import type { Catalog, NewEvent } from '../capability/index.ts'
import { afterCommit, type Db } from '../db/index.ts'
import {
  type Clock,
  type Log,
  limits,
  makePlaces,
  type Random,
  type Timers,
  type Transaction,
} from '../kernel/index.ts'
import type { Queue } from '../queue/index.ts'
import { type Again, makeAgain } from './again/send-again.ts'
import { type Backlog, makeBacklogReader } from './backlog.ts'
import type { PlacedEvent } from './check-events.ts'
import { makeEventPath } from './event-path.ts'
import { makeEventStore } from './event-store.ts'
import { type EventCounts, makeMeters } from './meters.ts'
import { publishAsHost } from './publish-as-host.ts'
import { type PublishedEvent, publishEvent } from './publish-event.ts'
import type { AwaitDependencies } from './pull/await-page.ts'
import { makeStreamWatch } from './pull/watch-streams.ts'
import { makeRuleSource } from './rule-book.ts'
import type { Sink, SinkKind } from './sink.ts'

export interface EventsDependencies {
  readonly db: Db
  readonly catalog: Pick<Catalog, 'eventTypes' | 'scopes'>
  readonly queue: Queue
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly log: Log
  /** Without a trailing slash. */
  readonly publicUrl: string
  /** Whether this process moves events from the outbox to the streams. */
  readonly relays: boolean
  /** The sinks whose streams this process drains. Asked late: the sandbox sink needs the door, which needs `publish`. */
  readonly sinks: () => { readonly [K in SinkKind]?: Sink | undefined }
}

/** Outbox, relay, streams and drains of one process. */
export interface Events {
  /**
   * Writes the event in the caller's transaction and gives its id; wakes the relay after the commit.
   * @throws events.invalid_event, events.data_too_large, events.external_id_taken
   */
  publish(tx: Transaction, event: NewEvent): Promise<string>
  /**
   * The same for what the host's systems report, all or none: only types that are the host's, only known merchants.
   * @throws events.invalid_event, events.data_too_large, events.external_id_taken
   */
  publishAsHost(tx: Transaction, events: readonly PlacedEvent[]): Promise<readonly PublishedEvent[]>
  /** Sends deliveries once more, beside live traffic. Works in every process, without `start`. */
  readonly again: Again
  /** What reading an app's stream by pull or socket needs. Works in every process, without `start`. */
  readonly stream: AwaitDependencies
  /** What this process has done and is doing. */
  counts(): EventCounts
  /** What waits, in all processes together; null: the database does not answer. */
  backlog(): Promise<Backlog | null>
  /** Begins to relay, drain and sweep, with whatever earlier processes left. */
  start(): Promise<void>
  /** Ends what is in flight within `limits.drainStopMs` and gives every lease back. Nothing is lost: rows remain. */
  stop(): Promise<void>
  /** Relays until the outbox is empty; gives the number of events. Works without `start`. */
  relayNow(): Promise<number>
  /** Sends everything that is due now; gives the number of results recorded. Works without `start`. */
  drainNow(): Promise<number>
}

/** Makes the event path of this process. */
export function makeEvents(deps: EventsDependencies): Events {
  const { db, log } = deps
  const store = makeEventStore(db)
  const rules = makeRuleSource({ store, clock: deps.clock })
  const meters = makeMeters()
  const watch = makeStreamWatch({ queries: db.queries, log })
  const places = makePlaces({ perKeyMax: limits.pullWaitsPerAppMax, max: limits.pullWaitsMax })
  // One process owns an embedded database.
  const isAlone = db.kind === 'pglite'
  const path = makeEventPath({ ...deps, store, meters, rules, isAlone, advanced: watch.advanced })

  // A relay or drain that a request happens to wake serves everybody: it must not log under that request's id.
  const outside = AsyncLocalStorage.snapshot()
  const wakeRelay = () => outside(() => path.wakeRelay())

  return {
    async publish(tx, event) {
      const id = await publishEvent(tx, event, deps)
      afterCommit(tx, wakeRelay)
      return id
    },
    async publishAsHost(tx, list) {
      const published = await publishAsHost(tx, list, deps)
      afterCommit(tx, wakeRelay)
      return published
    },
    again: makeAgain({ ...deps, store, meters, rules }),
    stream: { ...deps, store, rules, watch, places },
    counts: meters.counts,
    backlog: makeBacklogReader({ queries: db.queries, clock: deps.clock, log }),
    start: path.start,
    async stop() {
      watch.stop()
      await path.stop()
      log.info('events.stopped')
    },
    relayNow: path.relayNow,
    drainNow: path.drainNow,
  }
}
