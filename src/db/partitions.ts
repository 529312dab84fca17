import {
  assert,
  limits,
  monthStartMs,
  parseTime,
  present,
  type Transaction,
  toDate,
  toIso,
} from '../kernel/index.ts'
import type { Db } from './db.ts'
import { execute, sql } from './sql.ts'

/** The tables that are partitioned by month, with the column that decides. */
const partitioned = [
  { table: 'attempt', column: 'started_at' },
  { table: 'access_record', column: 'at' },
] as const

/** Months that exist ahead: two, so that a month without any start-up or daily job does no harm. */
const monthsAhead = 2

async function ensurePartition(
  tx: Transaction,
  table: string,
  column: string,
  startMs: number,
): Promise<void> {
  const partition = `${table}_${toIso(startMs).slice(0, 7).replace('-', '_')}`
  const [found] = await sql<{ there: boolean }>(
    tx,
    'select to_regclass($1) is not null as there',
    `public.${partition}`,
  )
  if (found?.there === true) return
  const [from, to] = [startMs, monthStartMs(startMs, 1)].map(toIso)
  // Rows may already lie in the default partition, which a new partition's range must not overlap: they move.
  await execute(tx, `create table "${partition}" (like "${table}" including all)`)
  await execute(
    tx,
    `with moved as (delete from "${table}_default" where "${column}" >= $1::timestamptz and "${column}" < $2::timestamptz returning *)
     insert into "${partition}" select * from moved`,
    toDate(startMs),
    toDate(monthStartMs(startMs, 1)),
  )
  await execute(
    tx,
    `alter table "${table}" attach partition "${partition}" for values from ('${from}') to ('${to}')`,
  )
}

/**
 * Makes the partitions of the month that `monthMs` lies in and of the two after it, where they are missing. Without them
 * rows still find a home in the default partition, only not one that can be dropped as a whole.
 */
export async function ensurePartitions(tx: Transaction, monthMs: number): Promise<void> {
  assert(Number.isSafeInteger(monthMs), 'a month is given in milliseconds since the epoch')
  // Two nodes may do this at the same moment.
  await execute(tx, `select pg_advisory_xact_lock(hashtext('stoa.partitions'))`)
  for (const { table, column } of partitioned) {
    for (let month = 0; month <= monthsAhead; month += 1) {
      await ensurePartition(tx, table, column, monthStartMs(monthMs, month))
    }
  }
}

const monthOf = (table: string) => new RegExp(`^${table}_(\\d{4})_(\\d{2})$`)

/** Partitions of the table whose month had ended by then. */
async function listEnded(tx: Transaction, table: string, beforeMs: number): Promise<readonly string[]> {
  const rows = await sql<{ name: string }>(
    tx,
    `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent = $1::regclass order by 1`,
    `public.${table}`,
  )
  return rows
    .map(({ name }) => name)
    .filter((name) => {
      const [, year, month] = monthOf(table).exec(name) ?? []
      const startMs = parseTime(`${year}-${month}-01T00:00:00Z`)
      return startMs !== null && monthStartMs(startMs, 1) <= beforeMs
    })
}

// Dropping a partition locks its table for a moment. It must not stand in the way of the inserts that queue behind it
// while a long query is at work; the next round tries again.
const dropLockMs = 1_000

async function dropEnded(tx: Transaction, table: string, beforeMs: number): Promise<readonly string[]> {
  await execute(tx, `select pg_advisory_xact_lock(hashtext('stoa.partitions'))`)
  await execute(tx, `select set_config('lock_timeout', '${dropLockMs}', true)`)
  const names = await listEnded(tx, table, beforeMs)
  for (const name of names) await execute(tx, `drop table "${name}"`)
  return names
}

/**
 * Removes what is older than `beforeMs` from a partitioned table: partitions whose month had wholly ended by then are
 * dropped, rows of the default partition deleted in small transactions. Two nodes at once do no harm.
 */
export async function removeOldRows(
  db: Pick<Db, 'tx'>,
  table: (typeof partitioned)[number]['table'],
  beforeMs: number,
): Promise<{ readonly partitions: readonly string[]; readonly rows: number }> {
  const partitions = await db.tx((tx) => dropEnded(tx, table, beforeMs))
  const { column } = present(
    partitioned.find((one) => one.table === table),
    table,
  )
  let rows = 0
  for (;;) {
    const deleted = await db.tx((tx) =>
      execute(
        tx,
        `delete from "${table}_default" where id in
           (select id from "${table}_default" where "${column}" < $1::timestamptz
            limit $2::int for update skip locked)`,
        toDate(beforeMs),
        limits.retentionBatchMax,
      ),
    )
    rows += deleted
    if (deleted < limits.retentionBatchMax) return { partitions, rows }
  }
}
