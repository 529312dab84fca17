import { chmod, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDb } from '../../src/db/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { quietLog } from '../support/database.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'stoa-private-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

// PGlite makes files that everybody on the machine may write. In a data folder that somebody had made beforehand, as
// for a mounted volume, any local user could read every merchant's data and make themselves a reviewer.
test('nobody else can reach the database in a data folder that was there before', async () => {
  await chmod(folder, 0o755)
  const db = await openDb({ dataDir: folder, log: quietLog, clock: systemClock })
  await db.close()
  const { mode } = await stat(path.join(folder, 'pglite'))
  expect((mode & 0o777).toString(8)).toBe('700')
})
