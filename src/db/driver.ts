import type {
  IsolationLevel,
  Transaction as PrismaDriverTransaction,
  SqlDriverAdapter,
  SqlDriverAdapterFactory,
  SqlQueryable,
} from '@prisma/driver-adapter-utils'
import { assert } from '../kernel/index.ts'
import type { Executor } from './executor.ts'
import { toDbError } from './failures.ts'
import { assertOutsideTransaction, currentTransaction } from './transaction-context.ts'

/** A transaction that the database has begun. */
export interface BegunTransaction {
  /** Prisma's view of its connection. */
  readonly queryable: SqlQueryable
  /** Ours. */
  readonly executor: Executor
  /** Fails when the database rolled back instead: a statement had failed and its error was swallowed. */
  commit(): Promise<void>
  rollback(): Promise<void>
}

/** What PGlite and PostgreSQL must bring; both of Prisma's adapters have gaps, which the two implementations fill. */
export interface Driver {
  readonly root: SqlDriverAdapter
  begin(isolation?: IsolationLevel): Promise<BegunTransaction>
  /** Runs a text of several statements, all or nothing. */
  runScript(script: string): Promise<void>
}

/**
 * PostgreSQL answers COMMIT with ROLLBACK and no error when a statement of the transaction had failed. Whoever caught
 * that error and went on must not believe that the rest was stored.
 */
export function assertCommitted(asked: 'COMMIT' | 'ROLLBACK', done: string): void {
  assert(
    asked === done,
    'a transaction went on after one of its statements had failed; nothing of it was stored',
  )
}

async function mapped<T>(result: Promise<T>): Promise<T> {
  try {
    return await result
  } catch (error) {
    throw toDbError(error)
  }
}

async function startTransaction(
  driver: Driver,
  isolation: IsolationLevel | undefined,
): Promise<PrismaDriverTransaction> {
  const context = currentTransaction()
  assert(context === null || context.executor === null, 'a transaction inside a db.tx() callback')
  const begun = await mapped(driver.begin(isolation))
  if (context !== null) context.executor = begun.executor
  const { queryable } = begun
  return {
    provider: queryable.provider,
    adapterName: queryable.adapterName,
    // With a "phantom query" Prisma leaves COMMIT and ROLLBACK to these two functions.
    options: { usePhantomQuery: true },
    queryRaw: (query) => mapped(queryable.queryRaw(query)),
    executeRaw: (query) => mapped(queryable.executeRaw(query)),
    commit: () => mapped(begun.commit()),
    rollback: () => mapped(begun.rollback()),
  }
}

/** The adapter that PrismaClient works with. */
export function prismaAdapter(driver: Driver): SqlDriverAdapterFactory {
  const { root } = driver
  const adapter: SqlDriverAdapter = {
    provider: root.provider,
    adapterName: root.adapterName,
    async queryRaw(query) {
      assertOutsideTransaction('a query on db.queries')
      return mapped(root.queryRaw(query))
    },
    async executeRaw(query) {
      assertOutsideTransaction('a query on db.queries')
      return mapped(root.executeRaw(query))
    },
    executeScript: (script) => driver.runScript(script),
    startTransaction: (isolation) => startTransaction(driver, isolation),
    getConnectionInfo: () => ({ supportsRelationJoins: true, schemaName: 'public' }),
    dispose: () => Promise.resolve(),
  }
  return { provider: root.provider, adapterName: root.adapterName, connect: () => Promise.resolve(adapter) }
}
