import { type Clock, type Log, limits } from '../kernel/index.ts'
import type { Queue } from '../queue/index.ts'
import type { Drainer, StreamRef } from './drain/drain-streams.ts'
import type { RelayLoop } from './relay/relay-loop.ts'
import { type Sink, type SinkKind, sinkKinds } from './sink.ts'

const relayQueue = 'events.relay'
const relayKey = 'all'
const drainQueues: Readonly<Record<SinkKind, string>> = {
  backend: 'events.drain-backend',
  sandbox: 'events.drain-sandbox',
}

export interface WakeDependencies {
  readonly queue: Queue
  readonly clock: Clock
  readonly log: Log
  readonly relays: boolean
  readonly sinks: () => { readonly [K in SinkKind]?: Sink | undefined }
}

interface Workers {
  readonly relay: RelayLoop
  readonly drainer: Drainer
}

/**
 * Who does the work that has come up. This process, when it can and has room; otherwise the queue finds one. What the
 * queue loses is found by the sweeps.
 */
export interface Wakes {
  /** Lets this process be woken from now on. */
  start(workers: Workers): void
  /** Wakes come to nothing from now on. */
  stop(): void
  wakeRelay(): void
  wakeStreams(streams: readonly StreamRef[]): void
  wakeStreamLater(stream: StreamRef, dueAtMs: number): void
}

/** Makes the one place where the event path touches the queue. */
export function makeWakes({ queue, clock, log, relays, sinks }: WakeDependencies): Wakes {
  let workers: Workers | null = null
  let stopped = false

  function takeJobs(): void {
    if (relays) {
      queue.work(relayQueue, () => Promise.resolve(workers?.relay.wake()), { concurrency: 1 })
      queue.every(relayQueue, limits.relayIntervalMs, async () => workers?.relay.sweep())
    }
    const served = sinkKinds.filter((kind) => sinks()[kind] !== undefined)
    for (const sink of served) {
      const handle = (id: string) => Promise.resolve(workers?.drainer.wake({ id, sink }))
      queue.work(drainQueues[sink], handle, { concurrency: limits.drainStreamsMax })
    }
    if (served.length === 0) return
    queue.every('events.sweep', limits.sweepIntervalMs, async () => {
      await workers?.drainer.sweep()
    })
  }

  return {
    start(started) {
      workers = started
      takeJobs()
    },
    stop() {
      workers = null
      stopped = true
    },
    wakeRelay() {
      if (stopped) return
      if (relays) workers?.relay.wake()
      else void queue.wake(relayQueue, { key: relayKey })
    },
    wakeStreams(streams) {
      for (const stream of streams) {
        if (workers !== null && sinks()[stream.sink] !== undefined && workers.drainer.hasRoom()) {
          workers.drainer.wake(stream)
        } else if (!stopped) void queue.wake(drainQueues[stream.sink], { key: stream.id })
      }
    },
    wakeStreamLater(stream, dueAtMs) {
      if (workers === null) return
      const delayMs = Math.max(0, dueAtMs - clock.nowMs())
      log.debug({ streamId: stream.id, delayMs }, 'events.drain_later')
      void queue.wake(drainQueues[stream.sink], { key: stream.id, delayMs })
    },
  }
}
