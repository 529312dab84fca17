import { assert, monthStartMs, type Transaction, toDate, toIso } from '../kernel/index.ts'
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
