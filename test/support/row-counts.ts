import { sql } from '../../src/db/index.ts'
import type { TestPlatform } from './platform.ts'

// Attempts are recorded on purpose: who tried what, and how often a password was wrong.
const recordsOfAttempts = ['access_record', 'sign_in_throttle']

type Counts = Readonly<Record<string, number>>

/** Rows of every table of ours, by its name. */
async function countRows({ db }: Pick<TestPlatform, 'db'>): Promise<Counts> {
  const tables = await sql<{ readonly name: string }>(
    db.queries,
    `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition
       and c.relname not like '\\_prisma%' order by 1`,
  )
  const counted = tables.map(({ name }) => name).filter((name) => !recordsOfAttempts.includes(name))
  const statement = counted.map((name) => `select '${name}' as name, count(*)::int as rows from "${name}"`)
  const rows = await sql<{ readonly name: string; readonly rows: number }>(
    db.queries,
    statement.join(' union all '),
  )
  return Object.fromEntries(rows.map(({ name, rows: count }) => [name, count]))
}

/** Runs the work and fails when it left, took or half-wrote a row anywhere. */
export async function leavingNothing<T>(at: Pick<TestPlatform, 'db'>, work: () => Promise<T>): Promise<T> {
  const before = await countRows(at)
  const result = await work()
  const after = await countRows(at)
  const changed = Object.keys(after).filter((name) => after[name] !== before[name])
  if (changed.length > 0)
    throw new Error(
      `rows changed: ${changed.map((name) => `${name} ${before[name]} → ${after[name]}`).join(', ')}`,
    )
  return result
}
