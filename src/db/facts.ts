import { type Queries, toDate } from '../kernel/index.ts'
import { execute, sql } from './sql.ts'

/** What the platform has noted about itself under this name, or null. Across tenants: these rows belong to nobody. */
export async function readFact(q: Queries, name: string): Promise<unknown> {
  const [row] = await sql<{ readonly value: unknown }>(
    q,
    'select value from platform_fact where name = $1',
    name,
  )
  return row?.value ?? null
}

/** Notes a fact; the last one counts. */
export async function writeFact(
  q: Queries,
  fact: { readonly name: string; readonly value: unknown; readonly atMs: number },
): Promise<void> {
  await execute(
    q,
    `insert into platform_fact (name, value, created_at) values ($1, $2::jsonb, $3)
     on conflict (name) do update set value = excluded.value`,
    fact.name,
    JSON.stringify(fact.value),
    toDate(fact.atMs),
  )
}

/** Whether the database answers a statement. */
export async function isReachable(q: Queries): Promise<boolean> {
  const rows = await sql(q, 'select 1 as one').catch(() => [])
  return rows.length === 1
}
