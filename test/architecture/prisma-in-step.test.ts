import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Db, migrate, openDb, proposeMigration, sql } from '../../src/db/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { makeQueue } from '../../src/queue/index.ts'
import { quietLog } from '../support/database.ts'

const migrations = path.join(import.meta.dirname, '../../prisma/migrations')
let db: Db

beforeAll(async () => {
  // From the migrations themselves, not from the tests' prepared database.
  db = await openDb({ dataDir: null, log: quietLog, clock: systemClock })
  await migrate(db)
})
afterAll(() => db.close())

async function lines(text: string): Promise<string> {
  const rows = await sql<{ line: string }>(db.queries, text)
  return rows.map(({ line }) => line).join('\n')
}

const tables = `
  select c.relname
         || case when c.relkind = 'p' then ' partition by ' || pg_get_partkeydef(c.oid) else '' end
         || case when c.relispartition
              then ' partition of ' || (select inhparent::regclass::text from pg_inherits where inhrelid = c.oid)
                   || ' ' || pg_get_expr(c.relpartbound, c.oid)
              else '' end
         || coalesce(E'\\n' || (
              select string_agg('  ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
                       || case when a.attnotnull then ' not null' else '' end
                       || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), ''), E'\\n' order by a.attnum)
                from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
               where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped), '') as line
    from pg_class c
   where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relname <> '_prisma_migrations'
   order by c.relname`

const indexes = `
  select pg_get_indexdef(i.indexrelid) as line
    from pg_index i join pg_class t on t.oid = i.indrelid join pg_class x on x.oid = i.indexrelid
   where t.relnamespace = 'public'::regnamespace and t.relname <> '_prisma_migrations'
   order by t.relname, x.relname`

// PostgreSQL 18 has a row per NOT NULL, which the columns above show already.
const constraints = `
  select c.conrelid::regclass || ' ' || c.conname || ' ' || pg_get_constraintdef(c.oid) as line
    from pg_constraint c join pg_class t on t.oid = c.conrelid
   where t.relnamespace = 'public'::regnamespace and c.contype in ('c', 'f', 'p', 'u') and t.relname <> '_prisma_migrations'
   order by t.relname, c.conname`

test('the migrations lead exactly to prisma/schema.prisma, as far as that can say it', async () => {
  expect(await proposeMigration(migrations)).toBeNull()
})

test('tables, partitions, indexes and constraints are the committed ones', async () => {
  const catalog = [
    '-- Tables and partitions',
    await lines(tables),
    '-- Indexes',
    await lines(indexes),
    '-- Constraints',
    await lines(constraints),
    '',
  ]
  await expect(catalog.join('\n')).toMatchFileSnapshot('pg-catalog.snapshot.txt')
})

// Under an order of a language PostgreSQL cannot use an index of bytes, so that of two columns that are compared with
// each other both have it or neither.
test('ids, hashes and what an index holds compare as bytes', async () => {
  const others = await lines(`
    select c.relname || '.' || a.attname as line
      from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relname <> '_prisma_migrations'
       and a.atttypid = 'text'::regtype and a.attcollation <> '"C"'::regcollation
       and (a.attname ~ '(^|_)(id|hash)$'
         or exists (select from pg_index i where i.indrelid = c.oid and a.attnum = any (i.indkey)))
     order by 1`)
  expect(others, 'in their migration: ALTER COLUMN … TYPE text COLLATE "C"').toBe('')
})

// Embedded, BullMQ's tables are looked up after ours on the same connection. Its functions look in their own schema
// first; of its other statements only those of QueueEvents, which we do not use, name `event`.
test('no table of ours hides one that BullMQ needs', async () => {
  const queue = makeQueue({ db, log: quietLog })
  await queue.ready()
  await queue.close()
  const shared = await lines(`
    select relname as line from pg_class where relkind in ('r', 'p', 'v')
     and relnamespace in ('public'::regnamespace, 'bullmq'::regnamespace)
     group by relname having count(*) > 1`)
  expect(shared).toBe('event')
})
