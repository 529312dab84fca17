import { readMigrations, readSchema } from './migration-files.ts'
import { openPglite, pgliteDriver } from './pglite.ts'

/**
 * The script that leads from the migrations in `folder` to prisma/schema.prisma, or null when they agree: Prisma's
 * engine compares a database in memory, which has just been migrated, with the schema.
 */
export async function proposeMigration(folder: string): Promise<string | null> {
  const { migrationList, noFilters, withSchemaEngine } = await import('./schema-engine.ts')
  const [files, schema, pglite] = await Promise.all([readMigrations(folder), readSchema(), openPglite(null)])
  try {
    return await withSchemaEngine(await pgliteDriver(pglite), schema, async (engine) => {
      await engine.applyMigrations({ migrationsList: migrationList(folder, files), filters: noFilters })
      const schemaFiles = [{ path: 'schema.prisma', content: schema }]
      const { exitCode, stdout } = await engine.diff({
        from: { tag: 'schemaDatasource', files: schemaFiles, configDir: folder },
        to: { tag: 'schemaDatamodel', files: schemaFiles },
        script: true,
        exitCode: true,
        filters: noFilters,
      })
      return exitCode === 0 ? null : stdout
    })
  } finally {
    await pglite.close()
  }
}
