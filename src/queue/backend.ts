import {
  assertSchemaCompatibility,
  Queue as BullQueue,
  Worker as BullWorker,
  createPostgresBackend,
  type JobsOptions,
  LATEST_SCHEMA_VERSION,
  runMigrations,
} from 'bullmq'
import { Redis } from 'ioredis'
import type { Db, Pool, PoolClient } from '../db/index.ts'
import type { Log } from '../kernel/index.ts'

/** Where wakes of one name wait. */
export interface Jobs {
  add(key: string, options: Pick<JobsOptions, 'delay' | 'deduplication'>): Promise<void>
  close(): Promise<void>
}

/** What takes wakes of one name. */
export interface Taker {
  ready(): Promise<void>
  /** Takes no more; what runs goes on. */
  stop(): Promise<void>
  /** After `stop`. With `abandon` it does not wait for what runs. */
  close(abandon: boolean): Promise<void>
}

/** Where BullMQ keeps its jobs: the same few calls on Redis, PostgreSQL and PGlite. */
export interface Backend {
  readonly kind: 'redis' | Db['kind']
  /** Makes the place ready; called once, before anything works. */
  prepare(): Promise<void>
  openJobs(name: string): Jobs
  openTaker(name: string, process: (key: string) => Promise<void>, concurrency: number): Taker
  /** False while it is known that a job could not be added now. */
  isUp(): boolean
  close(): void
}

interface WakeData {
  readonly key: string
}

interface Patience {
  /** How long a job stays locked when the process that works on it dies. */
  readonly lockDuration: number
  /** How often a worker looks for jobs whose lock has run out. */
  readonly stalledInterval: number
}

// A dead process must not keep its keys long. Longer in embedded mode: whoever dies there takes the whole database
// along, and the next start begins with an empty queue.
const sharedMs: Patience = { lockDuration: 5_000, stalledInterval: 1_500 }
const embeddedMs: Patience = { lockDuration: 15_000, stalledInterval: 5_000 }

const jobOptions = { removeOnComplete: true, removeOnFail: true } as const
const queueOptions = { defaultJobOptions: jobOptions, streams: { events: { maxLen: 100 } } } as const
const workerOptions = {
  // Never given up: a job carries no truth, only a key to look at.
  maxStalledCount: 2 ** 31 - 1,
  runRetryDelay: 1_000,
  removeOnComplete: { count: 0 },
  removeOnFail: { count: 0 },
} as const

interface Failing {
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'ready', listener: () => void): unknown
}

// Without a listener an error event would end the process; BullMQ and its connections recover by themselves. A server
// that is away is told once, not at every try to reach it.
function logErrors<T extends Failing>(source: T, name: string, log: Log): T {
  let told: string | null = null
  source.on('error', (error) => {
    if (error.message !== told) log.warn({ err: error, queue: name }, 'queue.backend_error')
    told = error.message
  })
  source.on('ready', () => {
    told = null
  })
  return source
}

interface WakeQueue {
  add(name: string, data: WakeData, options: JobsOptions): Promise<unknown>
  close(): Promise<void>
}

function jobsOf(queue: WakeQueue): Jobs {
  return {
    async add(key, options) {
      await queue.add('wake', { key }, options)
    },
    close: () => queue.close(),
  }
}

function takerOf(worker: Pick<BullWorker, 'waitUntilReady' | 'pause' | 'close'>): Taker {
  return {
    async ready() {
      await worker.waitUntilReady()
    },
    stop: () => worker.pause(true),
    close: (abandon) => worker.close(abandon),
  }
}

// Not events.once(), which fails at the first error: the client goes on trying.
function untilReady(client: Redis): Promise<void> {
  return new Promise((resolve) => {
    if (client.status === 'ready') resolve()
    else client.once('ready', resolve)
  })
}

const retryStrategy = (tries: number) => Math.min(tries * 100, 1_000)

/** A client for callers that cannot wait for a server that is away: it fails at once, and goes on trying by itself. */
export function openRedis(redisUrl: string, log: Log): Redis {
  const failFast = { enableOfflineQueue: false, maxRetriesPerRequest: 1, commandTimeout: 2_000 }
  return logErrors(new Redis(redisUrl, { retryStrategy, connectTimeout: 2_000, ...failFast }), 'redis', log)
}

/** BullMQ on a Redis server. */
export function redisBackend(redisUrl: string, prefix: string, log: Log): Backend {
  // Adding a job must not wait; a worker has nothing else to do.
  const adding = openRedis(redisUrl, log)
  const patient = { retryStrategy, connectTimeout: 2_000, maxRetriesPerRequest: null }
  const working = logErrors(new Redis(redisUrl, patient), 'redis', log)
  let wasReady = false
  return {
    kind: 'redis',
    async prepare() {
      await Promise.all([adding, working].map(untilReady))
      wasReady = true
    },
    openJobs(name) {
      const queue = new BullQueue(name, {
        ...queueOptions,
        prefix,
        connection: adding,
      })
      return jobsOf(logErrors(queue, name, log))
    },
    openTaker(name, process, concurrency) {
      const options = { ...workerOptions, ...sharedMs, prefix, concurrency, connection: working }
      const worker = new BullWorker<WakeData>(name, ({ data }) => process(data.key), options)
      return takerOf(logErrors(worker, name, log))
    },
    // While it connects for the first time a wake may wait for it, within its time.
    isUp: () => !wasReady || adding.status === 'ready',
    close() {
      for (const client of [adding, working]) client.disconnect()
    },
  }
}

const schema = 'bullmq'

async function migrateSchema(client: PoolClient): Promise<void> {
  const version = await assertSchemaCompatibility(client, schema).catch(() => 0)
  if (version < LATEST_SCHEMA_VERSION) await runMigrations(client, schema)
}

// What a previous process of the same folder left behind belongs to nobody any more: its keys would be in the way.
async function emptySchema(client: PoolClient): Promise<void> {
  const { rows } = await client.query<{ name: string; isMeta: boolean }>(
    `select format('%I.%I', schemaname, tablename) as name, tablename = 'meta' as "isMeta"
       from pg_tables where schemaname = '${schema}' and tablename <> 'migration'`,
  )
  // An orderly end leaves nothing but a row per queue in meta, and emptying takes ten times as long as looking.
  const holding = rows.filter(({ isMeta }) => !isMeta).map(({ name }) => `select from ${name}`)
  const left = await client.query<{ some: boolean }>(`select exists (${holding.join(' union all ')}) as some`)
  if (left.rows[0]?.some === true) await client.query(`truncate ${rows.map(({ name }) => name).join(', ')}`)
}

async function prepareSchema({
  kind,
  pool,
}: {
  readonly kind: Db['kind']
  readonly pool: Pool
}): Promise<void> {
  const client = await pool.connect()
  try {
    await migrateSchema(client)
    if (kind === 'pglite') await emptySchema(client)
  } finally {
    client.release()
  }
}

/** BullMQ on the database that everything else is in: PostgreSQL, or PGlite. */
export function databaseBackend(db: Db, prefix: string, log: Log): Backend {
  const { kind, pool: connection } = db
  const patience = kind === 'pglite' ? embeddedMs : sharedMs
  // A database knows no prefixes: the queue's name carries it.
  const fullName = (name: string) => `${prefix}.${name}`
  return {
    kind,
    prepare: () => prepareSchema(db),
    openJobs(name) {
      const options = { ...queueOptions, connection }
      const queue = new BullQueue(fullName(name), options, createPostgresBackend)
      return jobsOf(logErrors(queue, name, log))
    },
    openTaker(name, process, concurrency) {
      const options = { ...workerOptions, ...patience, concurrency, connection }
      const worker = new BullWorker(
        fullName(name),
        ({ data }) => process((data as WakeData).key),
        options,
        createPostgresBackend,
      )
      return takerOf(logErrors(worker, name, log))
    },
    isUp: () => true,
    close: () => undefined,
  }
}
