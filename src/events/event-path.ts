import { type Clock, type Log, limits, newId, type Random, type Timers } from '../kernel/index.ts'
import type { Queue } from '../queue/index.ts'
import { type Drainer, makeDrainer } from './drain/drain-streams.ts'
import type { EventStore } from './event-store.ts'
import type { EventCatalog } from './fan-out.ts'
import { makeWakes } from './jobs.ts'
import type { Meters } from './meters.ts'
import type { Advance } from './pull/watch-streams.ts'
import { makeRelayLoop } from './relay/relay-loop.ts'
import type { RuleSource } from './rule-book.ts'
import type { Sink, SinkKind } from './sink.ts'

export interface EventPathDependencies {
  readonly store: EventStore
  readonly catalog: EventCatalog
  readonly queue: Queue
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly log: Log
  readonly meters: Meters
  readonly rules: RuleSource
  /** Without a trailing slash. */
  readonly publicUrl: string
  readonly relays: boolean
  /** Whether nobody but this process can hold a lease: whoever holds one at its start is dead. */
  readonly isAlone: boolean
  readonly sinks: () => { readonly [K in SinkKind]?: Sink | undefined }
  /** These streams have grown; called once per batch, after its commit. */
  advanced(streams: readonly Advance[]): void
}

/** Relay and drains of one process: everything that happens to an event after it was published. */
export interface EventPath {
  wakeRelay(): void
  start(): Promise<void>
  /** Ends what is in flight within `limits.drainStopMs` and gives every lease back. */
  stop(): Promise<void>
  relayNow(): Promise<number>
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

/** Makes it. It does nothing until it is started or told to. */
export function makeEventPath(deps: EventPathDependencies): EventPath {
  const wakes = makeWakes(deps)
  const owner = newId('run', deps)
  const drainer = makeDrainer({ ...deps, owner, wakeLater: wakes.wakeStreamLater })
  const relay = makeRelayLoop({ ...deps, wakeStreams: wakes.wakeStreams })
  return {
    wakeRelay: wakes.wakeRelay,
    async start() {
      if (deps.isAlone) await deps.store.clearLeases()
      wakes.start({ relay, drainer })
      if (deps.relays) relay.wake()
      await drainer.sweep()
    },
    async stop() {
      wakes.stop()
      await Promise.all([relay.stop(), drainer.stop(limits.drainStopMs)])
    },
    relayNow: () => relay.runNow(),
    drainNow: () => drainAll(drainer),
  }
}
