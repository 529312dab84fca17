import { EventEmitter } from 'node:events'
import type { PGlite, Results } from '@electric-sql/pglite'
import { assert } from '../kernel/index.ts'
import { type PgliteStatements, type RunStatement, toRows } from './pglite-statements.ts'
import { decoders, type EncodedValue, encode, type SqlValue } from './values.ts'

/** What BullMQ's PostgreSQL backend uses of a result of node-postgres. */
export interface PoolResult<Row> {
  rows: Row[]
  readonly rowCount: number | null
}

export interface PoolClient extends EventEmitter {
  query<Row>(text: string, values?: readonly unknown[]): Promise<PoolResult<Row>>
  release(destroy?: boolean): void
}

/** The part of a pg.Pool that BullMQ's PostgreSQL backend uses. */
export interface Pool extends EventEmitter {
  query<Row>(text: string, values?: readonly unknown[]): Promise<PoolResult<Row>>
  connect(): Promise<PoolClient>
  end(): Promise<void>
}

// As node-postgres: what is missing is null, an object is JSON.
function encodeParameter(value: unknown): EncodedValue {
  if (value === undefined || value === null) return null
  const isPlain = typeof value === 'object' && !Array.isArray(value) && !(value instanceof Uint8Array)
  return encode(isPlain ? JSON.stringify(value) : (value as SqlValue))
}

// As node-postgres: an int8 stays a text.
const int8 = 20
const poolDecoders = { ...decoders, [int8]: (text: string) => text }

/** The ways to run a text on one connection: one statement with parameters, or a script without. */
interface Connection {
  readonly run: RunStatement
  exec(script: string): Promise<readonly Results[]>
}

async function runOn<Row>(
  { run, exec }: Connection,
  text: string,
  values: readonly unknown[],
): Promise<PoolResult<Row>> {
  if (values.length > 0) {
    const result = await run(text, values.map(encodeParameter))
    return { rows: toRows(result, poolDecoders) as Row[], rowCount: result.affected }
  }
  const last = (await exec(text)).at(-1) as Results<Row> | undefined
  return { rows: last?.rows ?? [], rowCount: last?.affectedRows ?? null }
}

interface OpenTransaction {
  readonly connection: Connection
  end(command: 'COMMIT' | 'ROLLBACK'): Promise<void>
}

// From BEGIN to COMMIT the one connection belongs to this client alone: PGlite's own transaction() holds its lock, so
// that no statement of anybody else ends up inside.
function beginOn(pglite: PGlite, run: RunStatement): Promise<OpenTransaction> {
  return new Promise((resolve, reject) => {
    const ended = pglite.transaction(
      (tx) =>
        new Promise<void>((done) => {
          resolve({
            connection: {
              run: (text, values) => pglite.runExclusive(() => run(text, values)),
              exec: (text) => tx.exec(text),
            },
            async end(command) {
              if (command === 'ROLLBACK') await tx.rollback()
              done()
              await ended
            },
          })
        }),
    )
    ended.catch(reject)
  })
}

/** First word and rest of a command, without the comments that BullMQ's texts begin with. */
function splitCommand(text: string): readonly [word: string, rest: string] {
  const [, word = '', rest = ''] = /^(?:\s|--.*\n)*([a-z]+)\s*([^;]*)/i.exec(text) ?? []
  return [word.toUpperCase(), rest.trim()]
}

function makeClient(pglite: PGlite, run: RunStatement, alone: Connection): PoolClient {
  const events = new EventEmitter()
  const unlisten: (() => Promise<void>)[] = []
  let open: OpenTransaction | null = null
  let released = false

  const listen = async (channel: string) => {
    const notify = (payload: string) => events.emit('notification', { channel, payload })
    unlisten.push(await pglite.listen(channel, notify))
  }
  const end = async (command: 'COMMIT' | 'ROLLBACK') => {
    const ending = open
    open = null
    await ending?.end(command)
  }
  const query = async <Row>(text: string, values: readonly unknown[] = []): Promise<PoolResult<Row>> => {
    assert(!released, 'a query on a client that was given back to the pool')
    const [command, rest] = splitCommand(text)
    if (command === 'LISTEN') await listen(rest)
    else if (command === 'COMMIT' || command === 'ROLLBACK') await end(command)
    else if (command === 'BEGIN') open = await beginOn(pglite, run)
    else return runOn(open?.connection ?? alone, text, values)
    return { rows: [], rowCount: null }
  }
  const release = () => {
    released = true
    void Promise.allSettled([...unlisten.map((stop) => stop()), ...(open === null ? [] : [end('ROLLBACK')])])
  }
  return Object.assign(events, { query, release })
}

/** The one connection of PGlite in the shape of a pg.Pool. Closing PGlite is its owner's business, not `end`'s. */
export function pglitePool(pglite: PGlite, { run, runAlone }: PgliteStatements): Pool {
  const alone: Connection = { run: runAlone, exec: (script) => pglite.exec(script) }
  // Each queue and each worker listens for its errors.
  return Object.assign(new EventEmitter().setMaxListeners(0), {
    // BullMQ asks it to know whether it would notice a lost LISTEN connection: there is none to lose.
    options: { keepAlive: true },
    query: <Row>(text: string, values: readonly unknown[] = []) => runOn<Row>(alone, text, values),
    connect: () => Promise.resolve(makeClient(pglite, run, alone)),
    end: () => Promise.resolve(),
  })
}
