// `npm run migration -- NAME` writes prisma/migrations/<timestamp>_NAME/migration.sql: what leads from the existing
// migrations to schema.prisma. Partitions, partial indexes and CHECKs, which a Prisma schema cannot say, are added to
// that file by hand; `npm test -- test/architecture/prisma-in-step.test.ts -u` renews the snapshot that guards
// them.
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { proposeMigration } from '../src/db/index.ts'
import { systemClock, toIso } from '../src/kernel/index.ts'

const [name] = process.argv.slice(2)
if (name === undefined || !/^[a-z][a-z0-9_]*$/.test(name)) {
  console.error('usage: npm run migration -- NAME   (lower case letters, digits and underscores)')
  process.exit(2)
}

const folder = path.join(import.meta.dirname, 'migrations')
const script = await proposeMigration(folder)
if (script === null) {
  console.log('The migrations already agree with prisma/schema.prisma: nothing to do.')
} else {
  const timestamp = toIso(systemClock.nowMs()).replaceAll(/\D/g, '').slice(0, 14)
  await mkdir(path.join(folder, `${timestamp}_${name}`))
  await writeFile(path.join(folder, `${timestamp}_${name}`, 'migration.sql'), script)
  console.log(`prisma/migrations/${timestamp}_${name}/migration.sql`)
}
