import { chmodSync } from 'node:fs'
import { PGlite, type Results, TransactionAbortedError } from '@electric-sql/pglite'
import type { SqlDriverAdapter } from '@prisma/driver-adapter-utils'
import { PrismaPGlite } from 'pglite-prisma-adapter'
import { assert, makeFolder } from '../kernel/index.ts'
import { assertCommitted, type BegunTransaction, type Driver } from './driver.ts'
import type { Executor } from './executor.ts'
import { makeStatements, type PgliteStatements, type RunStatement, toRows } from './pglite-statements.ts'
import { decoders, encode, type SqlValue } from './values.ts'

// PGlite makes its files readable and writable for everybody, and the data folder may have been there before us.
function keepToOurselves(folder: string): void {
  makeFolder(folder)
  chmodSync(folder, 0o700)
}

/**
 * Opens PGlite on a folder, or in memory. PGlite writes without fsync: what was committed survives the end of the
 * process in any way, but not the end of the machine's power; that needs a PostgreSQL server.
 */
export async function openPglite(folder: string | null, loadDataDir?: Blob): Promise<PGlite> {
  if (folder !== null) keepToOurselves(folder)
  return PGlite.create({
    ...(folder === null ? {} : { dataDir: folder }),
    ...(loadDataDir === undefined ? {} : { loadDataDir }),
  })
}

type Parsers = Readonly<Record<number, (text: string) => unknown>>

function executorOn(run: RunStatement): Executor {
  return {
    async run(text, values) {
      const result = await run(text, values)
      return { rows: toRows(result, decoders), affected: result.affected }
    },
  }
}

// The adapter needs nothing of its client but `query`, always with rows as arrays and with parsers for the types that
// it wants otherwise than PGlite.
function queryableOn(run: RunStatement, pglite: PGlite): Promise<SqlDriverAdapter> {
  const query = async (
    text: string,
    values: readonly SqlValue[],
    options: { readonly parsers: Parsers },
  ): Promise<Results> => {
    const { fields, rows, affected } = await run(text, values.map(encode))
    const parsers = fields.map(
      ({ dataTypeID: type }) => options.parsers[type] ?? pglite.parsers[type] ?? String,
    )
    return {
      fields: [...fields],
      rows: rows.map((row) => row.map((text, i): unknown => (text === null ? null : parsers[i]?.(text)))),
      affectedRows: affected,
    }
  }
  return new PrismaPGlite({ query } as unknown as PGlite).connect()
}

// One connection runs one transaction at a time, so every isolation level is serial here.
function begin(pglite: PGlite, run: RunStatement): Promise<BegunTransaction> {
  return new Promise((resolve, reject) => {
    const ended = pglite.transaction(async (tx) => {
      const runInside: RunStatement = (text, values) => {
        assert(!tx.closed, 'a statement on a transaction that has ended')
        return pglite.runExclusive(() => run(text, values))
      }
      const queryable = await queryableOn(runInside, pglite)
      await new Promise<void>((end) => {
        const commit = async () => {
          end()
          await ended.catch((error: unknown) => {
            assertCommitted('COMMIT', error instanceof TransactionAbortedError ? 'ROLLBACK' : 'COMMIT')
            throw error
          })
        }
        const rollback = async () => {
          await tx.rollback()
          end()
          await ended
        }
        resolve({ queryable, executor: executorOn(runInside), commit, rollback })
      })
    })
    ended.catch(reject)
  })
}

/** Prisma and our raw statements on the one connection of PGlite. */
export async function pgliteDriver(
  pglite: PGlite,
  { run, runAlone }: PgliteStatements = makeStatements(pglite),
): Promise<Driver & { readonly executor: Executor }> {
  return {
    root: await queryableOn(runAlone, pglite),
    executor: executorOn(runAlone),
    async runScript(script) {
      await pglite.exec(script)
    },
    begin: () => begin(pglite, run),
  }
}
