import { messages, type PGlite, protocol } from '@electric-sql/pglite'
import { statementName } from './statement-names.ts'
import type { EncodedValue } from './values.ts'

const { serialize } = protocol

export interface Field {
  readonly name: string
  readonly dataTypeID: number
}

/** An answer in PostgreSQL's text form. */
export interface RawResult {
  readonly fields: readonly Field[]
  readonly rows: readonly (readonly EncodedValue[])[]
  /** Rows inserted, updated or deleted. */
  readonly affected: number
}

/** Runs one statement; the caller sees to it that nobody else is at the connection. */
export type RunStatement = (text: string, values: readonly EncodedValue[]) => Promise<RawResult>

type BackendMessage = Awaited<ReturnType<PGlite['execProtocolStream']>>[number]

function affectedBy(commandTag: string): number {
  // "INSERT 0 5", "UPDATE 3", "SELECT 2", "CREATE TABLE"
  const [, count] = /^(?:INSERT \d+|UPDATE|DELETE|MERGE) (\d+)$/.exec(commandTag) ?? []
  return Number(count ?? 0)
}

function readAnswer(answer: readonly BackendMessage[]): RawResult {
  let fields: readonly Field[] = []
  let affected = 0
  const rows: (readonly EncodedValue[])[] = []
  for (const message of answer) {
    if (message instanceof messages.DatabaseError) throw message
    if (message instanceof messages.RowDescriptionMessage) fields = message.fields
    else if (message instanceof messages.DataRowMessage) rows.push(message.fields)
    else if (message instanceof messages.CommandCompleteMessage) affected = affectedBy(message.text)
  }
  return { fields, rows, affected }
}

type Decoders = Readonly<Record<number, (text: string) => unknown>>

/** The rows as objects; a type without decoder stays a text. */
export function toRows({ fields, rows }: RawResult, decoders: Decoders): object[] {
  const columns = fields.map(({ name, dataTypeID }) => ({ name, decode: decoders[dataTypeID] }))
  const read = (text: EncodedValue, decode: Decoders[number] | undefined) =>
    text === null || decode === undefined ? text : decode(text)
  return rows.map((row) =>
    Object.fromEntries(columns.map(({ name, decode }, i) => [name, read(row[i] ?? null, decode)])),
  )
}

export interface PgliteStatements {
  /** For whoever has the connection to itself. */
  readonly run: RunStatement
  /** A statement of its own: it waits until no transaction has the connection. */
  readonly runAlone: RunStatement
}

/**
 * Statements on PGlite in one round and with names, as node-postgres does it: PGlite's own `query` takes six rounds and
 * parses the text each time, three times the time of a small read.
 */
export function makeStatements(pglite: PGlite): PgliteStatements {
  const parsed = new Set<string>()
  const run: RunStatement = async (text, values) => {
    const name = statementName(text) ?? ''
    const batch = [
      ...(parsed.has(name) ? [] : [serialize.parse({ name, text })]),
      serialize.bind({ statement: name, values: [...values] }),
      serialize.describe({ type: 'P' }),
      serialize.execute({}),
      serialize.sync(),
    ]
    const answer = await pglite.execProtocolStream(Buffer.concat(batch), {
      syncToFs: false,
      throwOnError: false,
    })
    // A name stays taken when the statement parses and fails afterwards, also when the transaction is rolled back.
    if (name !== '' && answer.some((message) => message.name === 'parseComplete')) parsed.add(name)
    return readAnswer(answer)
  }
  const runAlone: RunStatement = async (text, values) => {
    await pglite._checkReady()
    // The lock that PGlite's own query() takes: it keeps single statements out of transactions.
    return pglite._runExclusiveTransaction(() => run(text, values))
  }
  return { run, runAlone }
}
