import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Clock,
  type Log,
  limits,
  present,
  type Queries,
  type Random,
  type Transaction,
} from '../kernel/index.ts'
import { type Driver, prismaAdapter } from './driver.ts'
import { bind, bindingOf, type Executor } from './executor.ts'
import { isRetryable, toDbError } from './failures.ts'
import { type Prisma, PrismaClient } from './generated/client.ts'
import { guardedClient } from './guarded-client.ts'
import type { Pool } from './pglite-pool.ts'
import { assertOutsideTransaction, runInContext, type TransactionContext } from './transaction-context.ts'
import type { Isolation } from './types.ts'

export interface TransactionOptions {
  /** Default: ReadCommitted. */
  readonly isolation?: Isolation
}

export interface Db {
  readonly kind: 'pglite' | 'postgresql'
  /** Each call is a statement of its own. */
  readonly queries: Queries
  /**
   * Runs `fn` in one transaction. It is run again, up to five times, when the database reports a serialization failure
   * or a deadlock, so it must do nothing but database work; what has to happen after the commit goes to `afterCommit`.
   * @throws db.unavailable
   */
  tx<T>(fn: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T>
  /** A pool for BullMQ's PostgreSQL backend, on the same database. */
  readonly pool: Pool
  close(): Promise<void>
}

export interface DbParts {
  readonly kind: Db['kind']
  readonly driver: Driver
  readonly executor: Executor
  readonly pool: Pool
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Ends what is under the client; called once. */
  end(): Promise<void>
}

const retryBaseMs = 10

/** The database as the other parts see it. */
export async function makeDb(parts: DbParts): Promise<Db> {
  const { kind, driver, executor, pool, clock, random, log } = parts
  const client = new PrismaClient({
    adapter: prismaAdapter(driver),
    errorFormat: 'minimal',
    transactionOptions: { maxWait: limits.transactionWaitMs, timeout: limits.transactionMs },
  })
  await client.$connect()
  const queries = guardedClient(client)
  bind(queries, { executor, clock, context: null })

  const runOnce = async <T>(fn: (tx: Transaction) => Promise<T>, options: TransactionOptions): Promise<T> => {
    const context: TransactionContext = { open: true, executor: null, afterCommit: [] }
    const run = async (prismaTx: Prisma.TransactionClient): Promise<T> => {
      const tx = prismaTx as Transaction
      bind(tx, { executor: present(context.executor, 'the connection of the transaction'), clock, context })
      return fn(tx)
    }
    const isolation = options.isolation === undefined ? {} : { isolationLevel: options.isolation }
    const result = await runInContext(context, () => client.$transaction(run, isolation)).finally(() => {
      context.open = false
    })
    for (const effect of context.afterCommit) void runEffect(effect, log)
    return result
  }

  const tx: Db['tx'] = async (fn, options = {}) => {
    assertOutsideTransaction('db.tx()')
    for (let retries = 0; ; retries += 1) {
      try {
        return await runOnce(fn, options)
      } catch (error) {
        if (!isRetryable(error) || retries === limits.transactionRetriesMax) throw toDbError(error)
        log.debug({ err: error, retries }, 'db.transaction_retried')
        await sleep(random.fraction() * retryBaseMs * 2 ** retries)
      }
    }
  }

  const close = async () => {
    await client.$disconnect()
    await parts.end()
  }
  return { kind, queries, tx, pool, close }
}

async function runEffect(effect: () => unknown, log: Log): Promise<void> {
  try {
    await effect()
  } catch (error) {
    log.error({ err: error }, 'db.after_commit_failed')
  }
}

/**
 * Runs `effect` once the transaction has been committed, and never when it is rolled back. Nobody waits for it and its
 * failure is only logged: it may wake somebody up, but nothing may depend on it.
 */
export function afterCommit(tx: Transaction, effect: () => unknown): void {
  present(bindingOf(tx).context, 'the transaction that afterCommit waits for').afterCommit.push(effect)
}
