import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import {
  bindMigrationAwareSqlAdapterFactory,
  type SqlDriverAdapter,
  type SqlMigrationAwareDriverAdapterFactory,
} from '@prisma/driver-adapter-utils'
import * as engineModule from '@prisma/schema-engine-wasm/schema_engine_bg'
import type { Driver } from './driver.ts'
import type { MigrationFile } from './migration-files.ts'
import { openPglite, pgliteDriver } from './pglite.ts'

type SchemaEngine = engineModule.SchemaEngine
type MigrationList = engineModule.MigrationList

let loaded: Promise<void> | null = null

// Prisma's schema engine as npm has it: WebAssembly, no download. Its package exports the glue but not the binary.
async function load(): Promise<void> {
  const glue = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm')
  const binary = await readFile(path.join(path.dirname(glue), 'schema_engine_bg.wasm'))
  const imports = { './schema_engine_bg.js': engineModule as unknown as WebAssembly.ModuleImports }
  const { instance } = await WebAssembly.instantiate(binary, imports)
  const { __wbg_set_wasm: setWasm } = engineModule as unknown as { __wbg_set_wasm(exports: unknown): void }
  setWasm(instance.exports)
  const { __wbindgen_start: start } = instance.exports as { __wbindgen_start(): void }
  start()
}

// Prisma's adapters split a script at each semicolon, or do not wait for its end; a migration may hold functions.
function withScripts(driver: Driver, dispose: () => Promise<void>): SqlDriverAdapter {
  const { root } = driver
  return {
    provider: root.provider,
    adapterName: root.adapterName,
    queryRaw: (query) => root.queryRaw(query),
    executeRaw: (query) => root.executeRaw(query),
    executeScript: (script) => driver.runScript(script),
    startTransaction: (isolation) => root.startTransaction(isolation),
    getConnectionInfo: () => ({ supportsRelationJoins: true, schemaName: 'public' }),
    dispose,
  }
}

async function openShadow(): Promise<SqlDriverAdapter> {
  const pglite = await openPglite(null)
  return withScripts(await pgliteDriver(pglite), () => pglite.close())
}

/** Runs `fn` with Prisma's schema engine on the database of `driver`. A shadow database is a PGlite in memory. */
export async function withSchemaEngine<T>(
  driver: Driver,
  schema: string,
  fn: (engine: SchemaEngine) => Promise<T>,
): Promise<T> {
  loaded ??= load()
  await loaded
  const factory: SqlMigrationAwareDriverAdapterFactory = {
    provider: driver.root.provider,
    adapterName: driver.root.adapterName,
    connect: () => Promise.resolve(withScripts(driver, () => Promise.resolve())),
    connectToShadowDb: openShadow,
  }
  const engine = await engineModule.SchemaEngine.new(
    { datamodels: [['schema.prisma', schema]] },
    () => undefined,
    bindMigrationAwareSqlAdapterFactory(factory),
  )
  try {
    return await fn(engine)
  } finally {
    engine.free()
  }
}

/** Tables are never managed from elsewhere. */
export const noFilters = { externalTables: [], externalEnums: [] }

/** The migrations in the form the engine wants. */
export function migrationList(folder: string, files: readonly MigrationFile[]): MigrationList {
  return {
    baseDir: folder,
    lockfile: { path: './migration_lock.toml', content: 'provider = "postgresql"\n' },
    shadowDbInitScript: '',
    migrationDirectories: files.map(({ name, text }) => ({
      path: name,
      migrationFile: { path: 'migration.sql', content: { tag: 'ok', value: text } },
    })),
  }
}
