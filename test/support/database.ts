import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import pg from 'pg'
import { type Db, migrate, openDb } from '../../src/db/index.ts'
import { readMigrations } from '../../src/db/migration-files.ts'
import { openPglite } from '../../src/db/pglite.ts'
import { type Clock, type Log, makeLog, sha256Hex, systemClock } from '../../src/kernel/index.ts'

const root = path.join(import.meta.dirname, '../..')
const migrations = path.join(root, 'prisma/migrations')
const cache = path.join(root, '.cache')

export const quietLog: Log = makeLog({ level: process.env['STOA_TEST_LOG'] ?? 'silent' })

export interface TestDatabase {
  readonly db: Db
  /** Undefined on PGlite. */
  readonly databaseUrl: string | undefined
  /** Closes the database and forgets it. */
  close(): Promise<void>
}

export interface TestDatabaseOptions {
  readonly clock?: Clock
  readonly log?: Log
  /** Default: what DATABASE_URL says. */
  readonly kind?: Db['kind']
}

/** Changes with whatever decides what a migrated database holds: our migrations, BullMQ's, and PGlite's own files. */
async function templateHash(): Promise<string> {
  const files = await readMigrations(migrations)
  const lockfile = await readFile(path.join(root, 'package-lock.json'), 'utf8')
  const texts = [lockfile, ...files.map(({ name, checksum }) => `${name} ${checksum}`)]
  return sha256Hex(texts.join('\n')).slice(0, 16)
}

async function migrateEverything(db: Db): Promise<void> {
  await migrate(db)
  const { makeQueue } = await import('../../src/queue/index.ts')
  const queue = makeQueue({ db, log: quietLog })
  await queue.ready()
  await queue.close()
}

/** A new name, which other test processes do not use. */
function freshName(prefix: string): string {
  return `${prefix}_${randomBytes(6).toString('hex')}`
}

// ── PGlite: the data folder of a migrated database is made once per state of the migrations and kept in .cache.

async function pgliteSnapshot(): Promise<Blob> {
  const file = path.join(cache, `pglite-${await templateHash()}.tar`)
  if (!existsSync(file)) {
    const folder = await mkdtemp(path.join(tmpdir(), 'stoa-template-'))
    const db = await openDb({ dataDir: folder, log: quietLog, clock: systemClock })
    await migrateEverything(db)
    await db.close()
    const pglite = await openPglite(path.join(folder, 'pglite'))
    const dump = await pglite.dumpDataDir('none')
    await pglite.close()
    await rm(folder, { recursive: true })
    await mkdir(cache, { recursive: true })
    // Two test processes may make it at once; a rename shows it whole or not at all.
    const draft = `${file}.${process.pid}`
    await writeFile(draft, new Uint8Array(await dump.arrayBuffer()))
    const outdated = (await readdir(cache)).filter(
      (name) => name.startsWith('pglite-') && name.endsWith('.tar'),
    )
    await Promise.all(outdated.map((name) => rm(path.join(cache, name), { force: true })))
    await rename(draft, file)
  }
  return new Blob([await readFile(file)])
}

async function openTestPglite(clock: Clock, log: Log): Promise<TestDatabase> {
  const db = await openDb({ dataDir: null, snapshot: await pgliteSnapshot(), log, clock })
  return { db, databaseUrl: undefined, close: () => db.close() }
}

// ── PostgreSQL: a migrated database serves as the template of the others.

async function onServer<T>(serverUrl: string, fn: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: serverUrl })
  await client.connect()
  try {
    return await fn(client)
  } finally {
    await client.end()
  }
}

function urlOf(serverUrl: string, database: string): string {
  const url = new URL(serverUrl)
  url.pathname = `/${database}`
  return url.href
}

async function ensureTemplate(serverUrl: string, client: pg.Client): Promise<string> {
  const template = `stoa_template_${await templateHash()}`
  await client.query(`select pg_advisory_lock(hashtext('stoa.test.template'))`)
  try {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [template])
    if (rowCount !== 0) return template
    const draft = freshName('stoa_draft')
    await client.query(`create database ${draft}`)
    const db = await openDb({
      databaseUrl: urlOf(serverUrl, draft),
      dataDir: null,
      log: quietLog,
      clock: systemClock,
    })
    await migrateEverything(db)
    await db.close()
    await client.query(`alter database ${draft} rename to ${template}`)
    return template
  } finally {
    await client.query(`select pg_advisory_unlock(hashtext('stoa.test.template'))`)
  }
}

/** An address of a new, migrated PostgreSQL database, and how to drop it. */
export async function createServerDatabase(
  serverUrl: string,
  options: { readonly empty?: boolean } = {},
): Promise<{ readonly databaseUrl: string; drop(): Promise<void> }> {
  const name = freshName('stoa_test')
  await onServer(serverUrl, async (client) => {
    const template = options.empty === true ? 'template0' : await ensureTemplate(serverUrl, client)
    await client.query(`create database ${name} template ${template}`)
  })
  const drop = () =>
    onServer(serverUrl, async (client) => void (await client.query(`drop database ${name} with (force)`)))
  return { databaseUrl: urlOf(serverUrl, name), drop }
}

async function openTestServer(serverUrl: string, clock: Clock, log: Log): Promise<TestDatabase> {
  const { databaseUrl, drop } = await createServerDatabase(serverUrl)
  const db = await openDb({ databaseUrl, dataDir: null, log, clock })
  const close = async () => {
    await db.close()
    await drop()
  }
  return { db, databaseUrl, close }
}

/** The PostgreSQL server that DATABASE_URL names, if any. */
export function testServerUrl(): string | undefined {
  const url = process.env['DATABASE_URL']
  return url === '' ? undefined : url
}

/**
 * A database of its own for one test file, with all migrations applied: PGlite in memory, or on the server of
 * DATABASE_URL a copy of a template.
 */
export async function openTestDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const { clock = systemClock, log = quietLog } = options
  const serverUrl = testServerUrl()
  if (options.kind === 'postgresql' && serverUrl === undefined)
    throw new Error('DATABASE_URL names no server')
  if (options.kind === 'pglite' || serverUrl === undefined) return openTestPglite(clock, log)
  return openTestServer(serverUrl, clock, log)
}
