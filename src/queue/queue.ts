import { setTimeout as sleep } from 'node:timers/promises'
import { assertOutsideTransaction, type Db, detached } from '../db/index.ts'
import {
  assert,
  type Clock,
  type Log,
  limits,
  type Random,
  systemClock,
  systemRandom,
} from '../kernel/index.ts'
import { type Backend, databaseBackend, type Jobs, redisBackend, type Taker } from './backend.ts'
import { QueueErrors } from './errors.ts'
import { type OncePerKey, oncePerKey } from './once-per-key.ts'
import { repeat } from './timers.ts'

/** What a wake is about, e.g. a stream's id. The handler reads from rows what there is to do. */
export interface Wake {
  readonly key: string
  /** Not before this many ms from now; default 0. */
  readonly delayMs?: number
}

/**
 * Wake-ups and timers. Nothing that matters may live in here: a wake may be lost, come late or come twice. Handlers
 * find their work in rows, and a timer looks for rows whose wake was lost.
 */
export interface Queue {
  readonly kind: Backend['kind']
  /**
   * Has the handler of `name` run for the key, in whatever process. A wake for a key that waits already is dropped; one
   * that comes while the key's handler runs makes it run once more afterwards. A delayed wake never holds an immediate
   * one up. Resolves to whether the queue took it; it never fails, and resolves within about two seconds. Not inside a
   * transaction: use `afterCommit`.
   */
  wake(name: string, wake: Wake): Promise<boolean>
  /** Runs `handler` for each woken key, at most `concurrency` keys at a time, and never twice at a time for one. */
  work(name: string, handler: (key: string) => Promise<void>, options: { readonly concurrency: number }): void
  /** Runs `run` in this process about every `intervalMs`, never twice at a time. Needs no server. */
  every(name: string, intervalMs: number, run: () => Promise<void>): void
  /**
   * Resolves when everything given to `work` so far takes wakes.
   * @throws queue.unavailable when the server does not answer in time
   */
  ready(): Promise<void>
  /** Takes no more wakes and waits for what runs, at most `limits.shutdownMs`. */
  close(): Promise<void>
}

export interface QueueOptions {
  readonly db: Db
  /** Redis instead of the database. */
  readonly redisUrl?: string | undefined
  readonly log: Log
  /** Keeps several platforms on one server apart. */
  readonly prefix?: string
  readonly clock?: Clock
  readonly random?: Random
}

const addTimeoutMs = 2_000
/** Embedded, nothing can be away: the first start only takes its time. */
const readyTimeoutsMs = { redis: 5_000, postgresql: 10_000, pglite: 60_000 } as const
const worksMax = limits.poolConnectionsMax - 4
/** Leaves time for what is closed after the workers. */
const drainMs = limits.shutdownMs - 1_000
const closeTimeoutMs = 500
/** Wakes on their way to the queue; beyond it a wake counts as lost. */
const addsMax = 1_000
/** Delayed wakes of one key that are due within the same span are one. */
const delayGrainMs = 250

async function inTime<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  const timeout = new AbortController()
  const late = sleep(timeoutMs, undefined, { signal: timeout.signal }).then(() => {
    throw new Error(`no answer in ${timeoutMs} ms`)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    timeout.abort()
    late.catch(() => undefined)
  }
}

interface Work {
  readonly taker: Promise<Taker>
  readonly concurrency: number
  readonly keys: OncePerKey
}

/** Calls `make` at the first call and again after a failure; a success is kept. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null
  return () => {
    made ??= make().catch((error: unknown) => {
      made = null
      throw error
    })
    return made
  }
}

function makeAdd(backend: Backend, prepare: () => Promise<void>, clock: Clock) {
  const jobs = new Map<string, Jobs>()
  const add = async (name: string, { key, delayMs = 0 }: Wake): Promise<void> => {
    await prepare()
    const queue = jobs.get(name) ?? backend.openJobs(name)
    jobs.set(name, queue)
    if (delayMs > 0) {
      // Its own key: while a delayed job waits, BullMQ would drop an immediate one of the same key.
      const span = Math.ceil((clock.nowMs() + delayMs) / delayGrainMs)
      await queue.add(key, { delay: delayMs, deduplication: { id: `${key}@${span}` } })
    } else {
      await queue.add(key, { deduplication: { id: key, keepLastIfActive: true } })
    }
  }
  const close = async () => {
    await Promise.allSettled([...jobs.values()].map((queue) => queue.close()))
  }
  return { add, close }
}

function makeWake(
  backend: Backend,
  add: (name: string, wake: Wake) => Promise<void>,
  works: ReadonlyMap<string, Work>,
  log: Log,
) {
  const wakes = new Set<Promise<unknown>>()
  /** What they have given to BullMQ, some of it given up by them. */
  const adds = new Set<Promise<unknown>>()
  let failing = false

  const tryAdd = async (name: string, wake: Wake): Promise<boolean> => {
    if (!backend.isUp() || adds.size >= addsMax) return false
    const adding = add(name, wake)
    const added = adding.catch(() => undefined).finally(() => adds.delete(added))
    adds.add(added)
    try {
      await inTime(adding, addTimeoutMs)
      return true
    } catch (error) {
      log.debug({ err: error, queue: name }, 'queue.add_failed')
      return false
    }
  }
  // Without its server the queue still serves this process, so that work goes on, slower, wherever there is a worker.
  const runHere = (name: string, { key, delayMs = 0 }: Wake): void => {
    const work = works.get(name)
    if (work !== undefined && delayMs <= 0 && work.keys.running() < work.concurrency)
      void detached(() => work.keys.call(key))
  }
  const wake: Queue['wake'] = async (name, wanted) => {
    assertOutsideTransaction('queue.wake()')
    const trying = tryAdd(name, wanted)
    wakes.add(trying)
    const taken = await trying.finally(() => wakes.delete(trying))
    if (taken === failing)
      log[taken ? 'info' : 'warn']({ kind: backend.kind }, taken ? 'queue.back' : 'queue.away')
    failing = !taken
    if (!taken) runHere(name, wanted)
    return taken
  }
  return { wake, settled: () => Promise.allSettled(wakes) }
}

function makeWork(
  backend: Backend,
  prepare: () => Promise<void>,
  handler: (key: string) => Promise<void>,
  options: { readonly name: string; readonly concurrency: number; readonly log: Log },
): Work {
  const { name, concurrency, log } = options
  const keys = oncePerKey(async (key) => {
    try {
      await handler(key)
    } catch (error) {
      log.error({ err: error, queue: name, key }, 'queue.handler_failed')
    }
  })
  const taker = prepare().then(() => backend.openTaker(name, keys.call, concurrency))
  taker.catch((error: unknown) => log.error({ err: error, queue: name }, 'queue.work_failed'))
  return { taker, concurrency, keys }
}

async function closeWork({ taker, keys }: Work): Promise<void> {
  // It may never have opened: then there is nothing to close.
  const opened = await inTime(taker, closeTimeoutMs)
  await opened.stop()
  await inTime(keys.rested(), drainMs).catch(() => undefined)
  await inTime(opened.close(keys.running() > 0), closeTimeoutMs)
}

/** Makes the queue on Redis, PostgreSQL or PGlite, whichever the options name; see `Queue`. */
export function makeQueue(options: QueueOptions): Queue {
  const { db, redisUrl, log, prefix = 'stoa', clock = systemClock, random = systemRandom } = options
  const onRedis = redisUrl !== undefined && redisUrl !== ''
  const backend = onRedis ? redisBackend(redisUrl, prefix, log) : databaseBackend(db, prefix, log)
  const works = new Map<string, Work>()
  const timers: Promise<void>[] = []
  const stop = new AbortController()
  const prepare = once(() => backend.prepare())
  const adder = makeAdd(backend, prepare, clock)
  const { wake, settled } = makeWake(backend, adder.add, works, log)

  return {
    kind: backend.kind,
    wake: (name, wanted) => (stop.signal.aborted ? Promise.resolve(false) : wake(name, wanted)),
    work(name, handler, { concurrency }) {
      assert(!works.has(name), `two handlers for the queue ${name}`)
      assert(works.size < worksMax, 'each handler keeps one connection of the pool; there must be some left')
      works.set(name, makeWork(backend, prepare, handler, { name, concurrency, log }))
    },
    every(name, intervalMs, run) {
      timers.push(repeat(name, intervalMs, run, { signal: stop.signal, random, log }))
    },
    async ready() {
      const takers = [...works.values()].map(async ({ taker }) => (await taker).ready())
      try {
        await inTime(Promise.all([prepare(), ...takers]), readyTimeoutsMs[backend.kind])
      } catch (error) {
        throw QueueErrors.unavailable(undefined, { cause: error })
      }
    },
    close: once(async () => {
      stop.abort()
      const rest = inTime(Promise.allSettled([...timers, settled()]), drainMs)
      await Promise.allSettled([rest, ...[...works.values()].map(closeWork)])
      await inTime(adder.close(), closeTimeoutMs).catch(() => undefined)
      backend.close()
    }),
  }
}
