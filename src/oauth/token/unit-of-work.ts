import { AsyncLocalStorage } from 'node:async_hooks'
import type { Queries } from '../../kernel/index.ts'
import type { GrantOwner, GrantRow } from '../grant/store.ts'
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
  /** What the tokens say besides whose they are; shown by introspection. */
  extra: Readonly<Record<string, unknown>>
  /** Whether this request's tokens may tell who the person is, where the authorization has openid. */
  readonly openId: boolean
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

const transactions = new AsyncLocalStorage<Queries>()

/** Lets everything the library reads and writes below `fn` go through `tx`. */
export function throughTransaction<T>(tx: Queries, fn: () => Promise<T>): Promise<T> {
  return transactions.run(tx, fn)
}

/** The caller's transaction where there is one, else `queries`. */
export function currentQueries(queries: Queries): Queries {
  return transactions.getStore() ?? queries
}

const owners = new AsyncLocalStorage<GrantOwner>()

/** Says whose the library's grants are that `fn` saves: its own record of a grant has no place for that. */
export function asGrantOwner<T>(owner: GrantOwner, fn: () => Promise<T>): Promise<T> {
  return owners.run(owner, fn)
}

/** What `asGrantOwner` says; null outside of it. */
export function currentGrantOwner(): GrantOwner | null {
  return owners.getStore() ?? null
}
