import { AsyncLocalStorage } from 'node:async_hooks'
import type { Catalog, NewEvent } from '../capability/index.ts'
import { afterCommit, type Db } from '../db/index.ts'
import { type Clock, type Log, limits, newId, type Random, type Transaction } from '../kernel/index.ts'
import type { Queue } from '../queue/index.ts'
import { type Drainer, makeDrainer } from './drain/drain-streams.ts'
import { clearLeases } from './drain/store.ts'
import { makeWakes } from './jobs.ts'
import { publishEvent } from './publish-event.ts'
import { makeRelayLoop } from './relay/relay-loop.ts'
import { makeRuleSource } from './rule-book.ts'
import type { Sink, SinkKind } from './sink.ts'

export interface EventsDependencies {
  readonly db: Db
  readonly catalog: Pick<Catalog, 'eventTypes' | 'scopes'>
  readonly queue: Queue
  readonly clock: Clock
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
   * @throws events.unknown_type, events.invalid_event, events.data_too_large, events.external_id_taken
   */
  publish(tx: Transaction, event: NewEvent): Promise<string>
  /** Begins to relay, drain and sweep, with whatever earlier processes left. */
  start(): Promise<void>
  /** Ends what is in flight within `limits.drainStopMs` and gives every lease back. Nothing is lost: rows remain. */
  stop(): Promise<void>
  /** Relays until the outbox is empty; gives the number of events. Works without `start`. */
  relayNow(): Promise<number>
  /** Sends everything that is due now; gives the number of results recorded. Works without `start`. */
  drainNow(): Promise<number>
}

async function drainAll(drainer: Drainer): Promise<number> {
  let total = 0
  for (;;) {
    await drainer.sweep()
    const recorded = await drainer.settle()
    if (recorded === 0) return total
    total += recorded
  }
}

/** Makes the event path of this process. */
export function makeEvents(deps: EventsDependencies): Events {
  const { db, log } = deps
  const wakes = makeWakes(deps)
  const owner = newId('run', deps)
  const rules = makeRuleSource({ queries: db.queries, clock: deps.clock })
  const drainer = makeDrainer({ ...deps, owner, rules, wakeLater: wakes.wakeStreamLater })
  const relay = makeRelayLoop({ ...deps, rules, wakeStreams: wakes.wakeStreams })

  // A relay or drain that a request happens to wake serves everybody: it must not log under that request's id.
  const outside = AsyncLocalStorage.snapshot()

  return {
    async publish(tx, event) {
      const id = await publishEvent(tx, event, deps)
      afterCommit(tx, () => outside(() => wakes.wakeRelay()))
      return id
    },
    async start() {
      // One process owns an embedded database, so whoever holds a lease there is dead.
      if (db.kind === 'pglite') await clearLeases(db.queries)
      wakes.start({ relay, drainer })
      if (deps.relays) relay.wake()
      await drainer.sweep()
    },
    async stop() {
      wakes.stop()
      await Promise.all([relay.stop(), drainer.stop(limits.drainStopMs)])
      log.info('events.stopped')
    },
    relayNow: () => relay.runNow(),
    drainNow: () => drainAll(drainer),
  }
}
