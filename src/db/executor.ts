import { type Clock, present, type Queries } from '../kernel/index.ts'
import type { TransactionContext } from './transaction-context.ts'
import type { EncodedValue } from './values.ts'

export interface StatementResult {
  readonly rows: readonly unknown[]
  /** Rows inserted, updated or deleted. */
  readonly affected: number
}

/** Runs one statement on a connection, past Prisma: the pool or PGlite, or the connection of one transaction. */
export interface Executor {
  run(text: string, values: readonly EncodedValue[]): Promise<StatementResult>
}

export interface Binding {
  readonly executor: Executor
  readonly clock: Clock
  /** Null for the root. */
  readonly context: TransactionContext | null
}

const bindings = new WeakMap<Queries, Binding>()

/** Remembers on which connection raw statements of `q` run. */
export function bind(q: Queries, binding: Binding): void {
  bindings.set(q, binding)
}

export function bindingOf(q: Queries): Binding {
  return present(bindings.get(q), 'the connection of this Queries: it does not come from openDb')
}
