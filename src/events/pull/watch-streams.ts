import { AsyncLocalStorage } from 'node:async_hooks'
import { type Log, limits, type Queries } from '../../kernel/index.ts'
import { listLastSequences } from './store.ts'

/** How far the backend stream of an app has come. */
export interface Advance {
  readonly appId: string
  readonly lastSequence: bigint
}

export interface Wait {
  /** Null: until something is there. */
  readonly timeoutMs: number | null
  readonly signal?: AbortSignal | undefined
}

/** Tells whoever waits in this process that an app's stream has grown. */
export interface StreamWatch {
  /** True when the stream holds more than `sequence`; false when time is up, the signal is aborted or the watch stops. */
  wait(appId: string, sequence: bigint, wait: Wait): Promise<boolean>
  /** The relay of this process has added to these streams. */
  advanced(streams: readonly Advance[]): void
  /** Everybody who waits goes away empty-handed, and so does whoever comes later. */
  stop(): void
}

interface Waiter {
  readonly sequence: bigint
  end(isThere: boolean): void
}

interface Watch {
  readonly queries: Queries
  readonly log: Log
  readonly waiters: Map<string, Set<Waiter>>
  /** What is known of streams that somebody waits for or that grew of late, oldest first. */
  readonly known: Map<string, bigint>
  timer: NodeJS.Timeout | null
  stopped: boolean
}

// What the relay told a moment before somebody began to wait must still be known then.
const knownMax = 10_000

function note(w: Watch, { appId, lastSequence }: Advance): void {
  const before = w.known.get(appId) ?? 0n
  w.known.delete(appId)
  w.known.set(appId, before > lastSequence ? before : lastSequence)
  const oldest = w.known.keys().next().value
  if (w.known.size > knownMax && oldest !== undefined) w.known.delete(oldest)
  for (const waiter of w.waiters.get(appId) ?? []) if (waiter.sequence < lastSequence) waiter.end(true)
}

/** One statement for all that wait; what it finds may have been relayed by another process. */
async function look(w: Watch): Promise<void> {
  try {
    for (const advance of await listLastSequences(w.queries, [...w.waiters.keys()])) note(w, advance)
  } catch (error) {
    w.log.warn({ err: error }, 'events.streams_not_watched')
  }
  w.timer = null
  keepLooking(w)
}

function keepLooking(w: Watch): void {
  if (w.stopped || w.waiters.size === 0) return
  w.timer ??= setTimeout(() => void look(w), limits.streamWatchMs)
}

function leave(w: Watch, appId: string, waiter: Waiter): void {
  const waiters = w.waiters.get(appId)
  waiters?.delete(waiter)
  if (waiters?.size === 0) w.waiters.delete(appId)
}

function enter(w: Watch, appId: string, sequence: bigint, { timeoutMs, signal }: Wait): Promise<boolean> {
  return new Promise((resolve) => {
    const giveUp = () => waiter.end(false)
    const timer = timeoutMs === null ? undefined : setTimeout(giveUp, timeoutMs)
    const waiter: Waiter = {
      sequence,
      end(isThere) {
        clearTimeout(timer)
        signal?.removeEventListener('abort', giveUp)
        leave(w, appId, waiter)
        resolve(isThere)
      },
    }
    signal?.addEventListener('abort', giveUp)
    const waiters = w.waiters.get(appId) ?? new Set()
    w.waiters.set(appId, waiters.add(waiter))
  })
}

/** Makes the watch of one process: idle while nobody waits, one statement per half second while somebody does. */
export function makeStreamWatch(deps: { readonly queries: Queries; readonly log: Log }): StreamWatch {
  const w: Watch = { ...deps, waiters: new Map(), known: new Map(), timer: null, stopped: false }
  // The look serves everybody: it must not log under the request of whoever happened to come first.
  const outside = AsyncLocalStorage.snapshot()
  return {
    wait(appId, sequence, wait) {
      if (w.stopped || wait.signal?.aborted === true) return Promise.resolve(false)
      if ((w.known.get(appId) ?? 0n) > sequence) return Promise.resolve(true)
      const ended = enter(w, appId, sequence, wait)
      outside(() => keepLooking(w))
      return ended
    },
    advanced(streams) {
      for (const stream of streams) note(w, stream)
    },
    stop() {
      w.stopped = true
      if (w.timer !== null) clearTimeout(w.timer)
      for (const waiters of [...w.waiters.values()]) for (const waiter of [...waiters]) waiter.end(false)
    },
  }
}
