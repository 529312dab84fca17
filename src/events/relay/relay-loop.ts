import { limits, type Timers } from '../../kernel/index.ts'
import type { Advance } from '../pull/watch-streams.ts'
import type { SinkKind } from '../sink.ts'
import { type RelayDependencies, relayEvents } from './relay-events.ts'

export interface RelayLoopDependencies extends RelayDependencies {
  readonly timers: Timers
  /** These streams have new deliveries; called once per batch, after its commit. */
  wakeStreams(streams: readonly { readonly id: string; readonly sink: SinkKind }[]): void
  /** These streams have grown; called once per batch, after its commit. */
  advanced(streams: readonly Advance[]): void
}

/** Relays batch after batch while there is something to relay; one loop per process. */
export interface RelayLoop {
  wake(): void
  /** Wakes the loop when the outbox is not empty. */
  sweep(): Promise<void>
  /** Relays until the outbox is empty; gives the number of events. */
  runNow(): Promise<number>
  stop(): Promise<void>
}

/** Makes the process's relay. It does nothing until it is woken. */
export function makeRelayLoop(deps: RelayLoopDependencies): RelayLoop {
  let running: Promise<number> | null = null
  let again = false
  let stopping = false
  let cancelRetry: (() => void) | null = null

  async function run(): Promise<number> {
    let total = 0
    while (again && !stopping) {
      again = false
      const result = await relayEvents(deps)
      if (result.kind === 'busy') {
        // The other relay may have read the outbox just before this event was committed.
        cancelRetry ??= deps.timers.after(limits.relayBusyRetryMs, wake)
        return total
      }
      total += result.events
      again ||= result.mayHaveMore
      if (result.streams.length > 0) deps.wakeStreams(result.streams)
      deps.advanced(result.advanced)
    }
    return total
  }

  function start(): Promise<number> {
    cancelRetry?.()
    cancelRetry = null
    again = true
    running ??= run().finally(() => {
      running = null
      // Woken in the very turn in which the loop ended.
      if (again && !stopping && cancelRetry === null) wake()
    })
    return running
  }

  function wake(): void {
    if (stopping) return
    start().catch((error: unknown) => {
      again = false
      deps.log.error({ err: error }, 'events.relay_failed')
    })
  }

  return {
    wake,
    async sweep() {
      if (running === null && (await deps.store.hasUnrelayed())) wake()
    },
    runNow: start,
    async stop() {
      stopping = true
      cancelRetry?.()
      await running?.catch(() => undefined)
    },
  }
}
