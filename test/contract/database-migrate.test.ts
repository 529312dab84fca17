import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Db, execute, migrate, openDb, sql } from '../../src/db/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { createServerDatabase, quietLog, testServerUrl } from '../support/database.ts'

let folder: string
let db: Db
let drop: () => Promise<void>

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'stoa-migrations-'))
  const server = testServerUrl()
  const database = server === undefined ? undefined : await createServerDatabase(server, { empty: true })
  db = await openDb({ databaseUrl: database?.databaseUrl, dataDir: null, log: quietLog, clock: systemClock })
  drop = database?.drop ?? (() => Promise.resolve())
})
afterEach(async () => {
  await db.close()
  await drop()
  await rm(folder, { recursive: true })
})

async function write(name: string, script: string): Promise<void> {
  await mkdir(path.join(folder, name), { recursive: true })
  await writeFile(path.join(folder, name, 'migration.sql'), script)
}

const withFunction = `
  create table a (id int primary key);
  create function twice(n int) returns int language plpgsql as $$ begin perform 1; return n * 2; end $$;`

test('migrations are applied in order, once, semicolons inside functions included', async () => {
  await write('2_b', 'alter table a add column b int')
  await write('1_a', withFunction)
  expect(await migrate(db, folder)).toStrictEqual(['1_a', '2_b'])
  expect(await sql(db.queries, 'select twice(21) as n')).toStrictEqual([{ n: 42 }])
  expect(await migrate(db, folder)).toStrictEqual([])
  await write('3_c', 'alter table a add column c int')
  expect(await migrate(db, folder)).toStrictEqual(['3_c'])
})

test('a failing migration leaves nothing behind and can be repaired', async () => {
  await write('1_a', withFunction)
  await write('2_b', 'create table b (id int); insert into b values (1); select 1 / 0;')
  await expect(migrate(db, folder)).rejects.toMatchObject({ code: 'db.migration_failed' })
  expect(
    await sql(db.queries, `select to_regclass('a') is not null as a, to_regclass('b') is null as b`),
  ).toStrictEqual([{ a: true, b: true }])
  await write('2_b', 'create table b (id int)')
  expect(await migrate(db, folder)).toStrictEqual(['2_b'])
  expect(await migrate(db, folder)).toStrictEqual([])
})

test('a migration edited after it was applied, and one this version does not know, stop the start', async () => {
  await write('1_a', withFunction)
  await migrate(db, folder)
  await write('1_a', `${withFunction}-- edited`)
  await expect(migrate(db, folder)).rejects.toMatchObject({ code: 'db.migration_edited' })
  await rm(path.join(folder, '1_a'), { recursive: true })
  await expect(migrate(db, folder)).rejects.toMatchObject({ code: 'db.migration_unknown' })
  await execute(db.queries, 'drop table _prisma_migrations')
  expect(await migrate(db, folder)).toStrictEqual([])
})
