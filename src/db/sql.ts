import { assert, type Queries } from '../kernel/index.ts'
import { bindingOf, type StatementResult } from './executor.ts'
import { toDbError } from './failures.ts'
import { assertOutsideTransaction } from './transaction-context.ts'
import { encode, type SqlValue } from './values.ts'

async function run(q: Queries, text: string, values: readonly SqlValue[]): Promise<StatementResult> {
  const { executor, context } = bindingOf(q)
  if (context === null) assertOutsideTransaction('sql() on db.queries')
  else assert(context.open, 'sql() on a transaction that has ended')
  try {
    return await executor.run(text, values.map(encode))
  } catch (error) {
    throw toDbError(error)
  }
}

/**
 * One raw prepared statement on `q`: on `db.queries` a statement of its own on the pool (the fast path of hot reads),
 * on a transaction a part of it. Parameters are `$1`, `$2`, …; cast what PostgreSQL cannot infer (`$1::text[]`,
 * `$2::jsonb` with `JSON.stringify`). The text must be constant: it is the key of the prepared statement.
 *
 * Values: int8 is a bigint, numeric and date a string, timestamptz a Date, jsonb its value, bytea a Uint8Array,
 * arrays are arrays. The row type is the caller's promise.
 */
export async function sql<Row extends object>(
  q: Queries,
  text: string,
  ...values: readonly SqlValue[]
): Promise<Row[]> {
  const { rows } = await run(q, text, values)
  return rows as Row[]
}

/** As `sql`, for a statement without RETURNING: resolves to the number of rows inserted, updated or deleted. */
export async function execute(q: Queries, text: string, ...values: readonly SqlValue[]): Promise<number> {
  const { affected } = await run(q, text, values)
  return affected
}
