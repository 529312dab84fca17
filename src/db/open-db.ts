import path from 'node:path'
import { type Clock, type Log, limits, type Random, systemRandom } from '../kernel/index.ts'
import { type Db, makeDb } from './db.ts'
import { lockFolder } from './folder-lock.ts'
import { type MigrationSession, rememberMigrationSession } from './migrate.ts'
import { openPglite, pgliteDriver } from './pglite.ts'
import { type Pool, pglitePool } from './pglite-pool.ts'
import { makeStatements } from './pglite-statements.ts'
import { openPool, postgresqlDriver, queueSession, session } from './postgresql.ts'

export interface DbOptions {
  /** A PostgreSQL server; without it PGlite, embedded. */
  readonly databaseUrl?: string | undefined
  /** Where PGlite keeps its files, in the subfolder pglite; null: in memory, gone with the process. */
  readonly dataDir: string | null
  readonly log: Log
  readonly clock: Clock
  readonly random?: Random
  /** For tests: the content that an in-memory PGlite starts with. */
  readonly snapshot?: Blob
}

async function openEmbedded({
  dataDir,
  log,
  clock,
  random = systemRandom,
  snapshot,
}: DbOptions): Promise<Db> {
  const unlock = dataDir === null ? () => undefined : lockFolder(dataDir)
  try {
    const pglite = await openPglite(dataDir === null ? null : path.join(dataDir, 'pglite'), snapshot)
    // One connection has one search path. Ours comes first: BullMQ's functions bring their own, and of the tables that
    // its statements name directly none has a namesake of ours (a test holds that).
    await pglite.exec('SET search_path TO public, bullmq')
    const statements = makeStatements(pglite)
    const driver = await pgliteDriver(pglite, statements)
    const end = async () => {
      await pglite.close()
      unlock()
    }
    const parts = {
      kind: 'pglite',
      driver,
      executor: driver.executor,
      pool: pglitePool(pglite, statements),
    } as const
    const db = await makeDb({ ...parts, clock, random, log, end })
    rememberMigrationSession(db, (fn) => fn(driver))
    return db
  } catch (error) {
    unlock()
    throw error
  }
}

/** Chosen at random; it only has to differ from the other advisory locks of the same database. */
const migrationLockKey = 7_120_364_518

function serverSession(connectionString: string, log: Log): MigrationSession {
  return async (fn) => {
    const onConnect = `SET timezone TO 'UTC'; SET search_path TO public`
    // One connection holds the lock and one works: a pool closes the connection of a failed statement, and the engine
    // finds out by failing statements.
    const pool = openPool({ connectionString, max: 2, onConnect, log })
    const holder = await pool.connect()
    try {
      await holder.query('SELECT pg_advisory_lock($1)', [migrationLockKey])
      return await fn(await postgresqlDriver(pool))
    } finally {
      holder.release(true)
      await pool.end()
    }
  }
}

async function openServer(
  connectionString: string,
  { log, clock, random = systemRandom }: DbOptions,
): Promise<Db> {
  const pool = openPool({ connectionString, max: limits.poolConnectionsMax, onConnect: session, log })
  const queuePool = openPool({
    connectionString,
    max: limits.poolConnectionsMax,
    onConnect: queueSession,
    log,
  })
  const driver = await postgresqlDriver(pool)
  const end = async () => {
    await Promise.all([pool.end(), queuePool.end()])
  }
  // BullMQ wants a pg.Pool or its likeness; ours is the real one.
  const parts = {
    kind: 'postgresql',
    driver,
    executor: driver.executor,
    pool: queuePool as unknown as Pool,
  } as const
  const db = await makeDb({ ...parts, clock, random, log, end })
  rememberMigrationSession(db, serverSession(connectionString, log))
  return db
}

/**
 * Opens the database; `migrate` brings its tables up to date.
 * @throws db.folder_in_use when another living process has opened the same data folder
 */
export function openDb(options: DbOptions): Promise<Db> {
  const { databaseUrl } = options
  return databaseUrl === undefined || databaseUrl === ''
    ? openEmbedded(options)
    : openServer(databaseUrl, options)
}
