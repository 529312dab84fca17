import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { type Log, limits, present } from '../kernel/index.ts'
import { assertCommitted, type BegunTransaction, type Driver } from './driver.ts'
import type { Executor, StatementResult } from './executor.ts'
import { makeSerial } from './serial.ts'
import { statementName } from './statement-names.ts'
import { decoders, type EncodedValue } from './values.ts'

const types: pg.CustomTypesConfig = {
  getTypeParser: (oid: number) => decoders[oid] ?? ((text: string) => text),
}

async function runOn(
  client: pg.Pool | pg.PoolClient,
  text: string,
  values: readonly EncodedValue[],
): Promise<StatementResult> {
  const name = statementName(text)
  const query = { text, values: [...values], types, ...(name === undefined ? {} : { name }) }
  const result = await client.query<object>(query)
  return { rows: result.rows, affected: result.rowCount ?? 0 }
}

interface PoolOptions {
  readonly connectionString: string
  readonly max: number
  /** Statements that prepare each new connection. */
  readonly onConnect: string
  readonly log: Log
}

/** A pool whose connections may be killed at any time without an unhandled error. */
export function openPool({ connectionString, max, onConnect, log }: PoolOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString,
    max,
    keepAlive: true,
    connectionTimeoutMillis: limits.transactionWaitMs,
    idleTimeoutMillis: 30_000,
    // Awaited by pg before the connection is handed out, which its type does not say.
    onConnect: (client) => {
      client.on('error', (error) => log.warn({ err: error }, 'db.connection_lost'))
      return client.query(onConnect) as unknown as undefined
    },
  })
  pool.setMaxListeners(0) // each queue and each worker listens for its errors
  pool.on('error', (error) => log.warn({ err: error }, 'db.connection_lost'))
  return pool
}

// Prisma's adapter reads and writes timestamps as if the session's time zone were UTC, whatever it is.
// The timeouts end what Prisma's own can only abandon: a statement that waits for a lock.
export const session = `
  SET timezone TO 'UTC';
  SET search_path TO public;
  SET statement_timeout TO ${limits.transactionMs};
  SET idle_in_transaction_session_timeout TO ${limits.transactionMs * 2}`

/** BullMQ's statements name its tables without a schema. */
export const queueSession = `SET timezone TO 'UTC'; SET search_path TO bullmq`

// Prisma's adapter keeps the connection of a transaction to itself; raw statements of the same transaction need it.
function connectionOf(transaction: unknown): pg.PoolClient {
  return present(
    (transaction as { readonly client?: pg.PoolClient }).client,
    'the connection of a transaction',
  )
}

/** Prisma and our raw statements on one pool. */
export async function postgresqlDriver(pool: pg.Pool): Promise<Driver & { readonly executor: Executor }> {
  const root = await new PrismaPg(pool, {
    statementNameGenerator: ({ sql }) => statementName(sql) ?? '',
  }).connect()
  return {
    root,
    executor: { run: (text, values) => runOn(pool, text, values) },
    async runScript(script) {
      await pool.query(script)
    },
    async begin(isolation): Promise<BegunTransaction> {
      const inner = await root.startTransaction(isolation)
      const client = connectionOf(inner)
      // One statement at a time: pg calls queueing on a client deprecated.
      const serial = makeSerial()
      const finish = async (command: 'COMMIT' | 'ROLLBACK') => {
        const result = await client.query(command).catch((error: unknown) => {
          client.release(true)
          throw error
        })
        await inner.commit() // gives the connection back, nothing more
        assertCommitted(command, result.command)
      }
      return {
        queryable: {
          provider: inner.provider,
          adapterName: inner.adapterName,
          queryRaw: (query) => serial(() => inner.queryRaw(query)),
          executeRaw: (query) => serial(() => inner.executeRaw(query)),
        },
        executor: { run: (text, values) => serial(() => runOn(client, text, values)) },
        commit: () => serial(() => finish('COMMIT')),
        rollback: () => serial(() => finish('ROLLBACK')),
      }
    },
  }
}
