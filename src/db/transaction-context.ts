import { AsyncLocalStorage } from 'node:async_hooks'
import { assert } from '../kernel/index.ts'
import type { Executor } from './executor.ts'

/** What is known about one run of a `db.tx()` callback. */
export interface TransactionContext {
  /** False as soon as the transaction has ended, however it ended. */
  open: boolean
  /** The connection the transaction runs on; set when the driver has begun it. */
  executor: Executor | null
  readonly afterCommit: (() => unknown)[]
}

const storage = new AsyncLocalStorage<TransactionContext | null>()

export function runInContext<T>(context: TransactionContext, fn: () => Promise<T>): Promise<T> {
  return storage.run(context, fn)
}

/** The context of the open transaction this code runs in, or null. */
export function currentTransaction(): TransactionContext | null {
  const context = storage.getStore() ?? null
  return context?.open === true ? context : null
}

/**
 * Fails at once when called from inside a `db.tx()` callback. Embedded mode has one connection: a statement that does
 * not go through `tx` would wait for the transaction, and the transaction for the statement, for ever.
 */
export function assertOutsideTransaction(what: string): void {
  assert(currentTransaction() === null, `${what} inside a db.tx() callback: use the transaction it was given`)
}

/**
 * Runs `fn` as if it were not inside a transaction. For timers and buffers that a transaction happens to start but
 * does not wait for: without it they would be taken for a part of the transaction as long as that one is open.
 */
export function detached<T>(fn: () => T): T {
  return storage.run(null, fn)
}
