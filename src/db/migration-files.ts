import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { assert, sha256Hex } from '../kernel/index.ts'

export interface MigrationFile {
  /** `<timestamp>_<what>`: the order of the names is the order of the migrations. */
  readonly name: string
  readonly text: string
  /** SHA-256 of the text, which the database keeps too. */
  readonly checksum: string
}

/** The folder prisma/ of this installation: above src/db, or above dist/src/db in a release. */
export function prismaFolder(): string {
  for (let folder = import.meta.dirname; ; folder = path.dirname(folder)) {
    const candidate = path.join(folder, 'prisma')
    if (existsSync(path.join(candidate, 'schema.prisma'))) return candidate
    assert(folder !== path.dirname(folder), 'there is no folder prisma/ with schema.prisma above src/db')
  }
}

export function readSchema(): Promise<string> {
  return readFile(path.join(prismaFolder(), 'schema.prisma'), 'utf8')
}

/** The migrations in `folder`, oldest first. */
export async function readMigrations(folder: string): Promise<readonly MigrationFile[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  return Promise.all(
    names.sort().map(async (name) => {
      const text = await readFile(path.join(folder, name, 'migration.sql'), 'utf8')
      return { name, text, checksum: sha256Hex(text) }
    }),
  )
}
