import type { Queries } from '../kernel/index.ts'
import { execute, sql } from './sql.ts'

/** Runs a statement on the windows of quotas, which are counted outside any transaction. Across tenants: everybody's. */
export async function runOnWindows(
  q: Queries,
  text: string,
  values: readonly (string | number)[],
): Promise<{ readonly points: number; readonly expire: number }[]> {
  const parameters = values.map((value) => (typeof value === 'number' ? BigInt(value) : value))
  const rows = await sql<{ points: number; expire: bigint }>(q, text, ...parameters)
  return rows.map(({ points, expire }) => ({ points, expire: Number(expire) }))
}

/** Forgets the windows that have ended. Across tenants: everybody's. */
export async function removeEndedWindows(q: Queries, nowMs: number): Promise<void> {
  await execute(q, 'delete from quota_window where expire < $1', BigInt(nowMs))
}
