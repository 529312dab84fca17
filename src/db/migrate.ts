import path from 'node:path'
import { present } from '../kernel/index.ts'
import type { Db } from './db.ts'
import type { Driver } from './driver.ts'
import { DbErrors } from './errors.ts'
import { type MigrationFile, prismaFolder, readMigrations, readSchema } from './migration-files.ts'
import { sql } from './sql.ts'

/** How a database is migrated: `fn` runs while no other node migrates the same one. */
export type MigrationSession = <T>(fn: (driver: Driver) => Promise<T>) => Promise<T>

const sessions = new WeakMap<Db, MigrationSession>()

export function rememberMigrationSession(db: Db, session: MigrationSession): void {
  sessions.set(db, session)
}

interface AppliedRow {
  readonly name: string
  readonly checksum: string
  readonly finished: boolean
}

async function readApplied(db: Db): Promise<readonly AppliedRow[]> {
  const [table] = await sql<{ there: boolean }>(
    db.queries,
    `select to_regclass('public._prisma_migrations') is not null as there`,
  )
  if (table?.there !== true) return []
  return sql<AppliedRow>(
    db.queries,
    `select migration_name as name, checksum, finished_at is not null as finished
       from _prisma_migrations where rolled_back_at is null order by started_at`,
  )
}

/** The migrations that the database still needs. Costs two small queries, and no engine. */
async function pendingMigrations(db: Db, files: readonly MigrationFile[]): Promise<readonly MigrationFile[]> {
  const applied = await readApplied(db)
  const byName = new Map(applied.map((row) => [row.name, row]))
  for (const { name, checksum, finished } of applied) {
    const file = files.find((candidate) => candidate.name === name)
    if (file === undefined)
      throw DbErrors.migration_unknown(`The database has the migration ${name}, this version does not.`)
    if (finished && file.checksum !== checksum)
      throw DbErrors.migration_edited(`${name} differs from what the database has applied.`)
  }
  return files.filter(({ name }) => byName.get(name)?.finished !== true)
}

async function applyWithEngine(
  driver: Driver,
  folder: string,
  files: readonly MigrationFile[],
): Promise<string[]> {
  // Loaded only when there is something to do: the engine is 2 MB of WebAssembly.
  const { migrationList, noFilters, withSchemaEngine } = await import('./schema-engine.ts')
  return withSchemaEngine(driver, await readSchema(), async (engine) => {
    const migrationsList = migrationList(folder, files)
    // A script runs as a whole or not at all, so a failed one left nothing but its row, which would block the next try.
    const { failedMigrationNames } = await engine.diagnoseMigrationHistory({
      migrationsList,
      optInToShadowDatabase: false,
      filters: noFilters,
    })
    for (const migrationName of failedMigrationNames) await engine.markMigrationRolledBack({ migrationName })
    const { appliedMigrationNames } = await engine.applyMigrations({ migrationsList, filters: noFilters })
    return appliedMigrationNames
  })
}

/**
 * Brings the database to the state of prisma/migrations, with Prisma's own engine. When there is nothing to do it costs
 * two small queries. Of several nodes that start at once one does the work and the others wait for it.
 * @returns the names of the migrations it applied
 * @throws db.migration_edited, db.migration_unknown, db.migration_failed
 */
export async function migrate(
  db: Db,
  folder: string = path.join(prismaFolder(), 'migrations'),
): Promise<readonly string[]> {
  const files = await readMigrations(folder)
  if ((await pendingMigrations(db, files)).length === 0) return []
  const session = present(sessions.get(db), 'the migration session of this database')
  return session(async (driver) => {
    if ((await pendingMigrations(db, files)).length === 0) return []
    try {
      return await applyWithEngine(driver, folder, files)
    } catch (error) {
      throw DbErrors.migration_failed(undefined, { cause: error })
    }
  })
}
