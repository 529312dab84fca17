import { AsyncLocalStorage } from 'node:async_hooks'
import type { Queries, Transaction } from '../../kernel/index.ts'
import type { GrantRow } from '../grant/store.ts'
import type { NewToken, TokenRow } from './store.ts'

/**
 * One token request. What it consumes and issues is only noted here and written by one statement at its end, so that a
 * crash or a refusal leaves either everything or nothing, and no connection is held while tokens are made.
 */
export interface UnitOfWork {
  readonly issued: NewToken[]
  /** Hash of the code or refresh token that is used up. */
  consumed: string | null
  /** The grant this request runs under, as soon as it has been read. */
  grant: GrantRow | null
  /** The refresh token, read ahead in the statement that also looked for a finished rotation. */
  readonly refreshToken: TokenRow | null
}

const work = new AsyncLocalStorage<UnitOfWork>()

export function currentUnitOfWork(): UnitOfWork | null {
  return work.getStore() ?? null
}

export function inUnitOfWork<T>(unit: UnitOfWork, fn: () => Promise<T>): Promise<T> {
  return work.run(unit, fn)
}

const transactions = new AsyncLocalStorage<Transaction>()

/** Lets everything the library reads and writes below `fn` go through `tx`. */
export function throughTransaction<T>(tx: Transaction, fn: () => Promise<T>): Promise<T> {
  return transactions.run(tx, fn)
}

/** The caller's transaction where there is one, else `queries`. */
export function currentQueries(queries: Queries): Queries {
  return transactions.getStore() ?? queries
}
