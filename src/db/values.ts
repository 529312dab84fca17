import { types as nodeTypes } from 'node:util'
import pg from 'pg'
import { assert, parseTime, present, toDate, toIso } from '../kernel/index.ts'

/** A parameter of a raw statement. JSON travels as `JSON.stringify(value)` with `$1::jsonb`. */
export type SqlValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | ReturnType<typeof toDate>
  | Uint8Array
  | readonly SqlValue[]

/** PostgreSQL's text form: the same on both drivers, whose own conversions differ. */
export type EncodedValue = string | null

function encodeElement(value: SqlValue): string {
  const text = encode(value)
  if (text === null) return 'NULL'
  if (typeof value === 'number' || Array.isArray(value)) return text
  // Most have nothing to escape, and arrays are what batches are made of.
  return /["\\]/.test(text) ? `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"` : `"${text}"`
}

// The times of a batch lie within a few milliseconds.
let lastMs = Number.NaN
let lastIso = ''

function encodeTime(ms: number): string {
  if (ms !== lastMs) {
    lastIso = toIso(ms)
    lastMs = ms
  }
  return lastIso
}

/** The text form of one parameter. */
export function encode(value: SqlValue): EncodedValue {
  assert(value !== undefined, 'a parameter of a raw statement is undefined; write null')
  if (value === null) return null
  if (typeof value === 'string') return value
  if (nodeTypes.isDate(value)) return encodeTime(value.getTime())
  if (value instanceof Uint8Array)
    return `\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`
  if (Array.isArray(value)) return `{${value.map(encodeElement).join(',')}}`
  return String(value)
}

type Decoder = (text: string) => unknown

let lastText = ''
let lastTextMs = Number.NaN

function decodeTimestamp(text: string): unknown {
  if (text !== lastText) {
    // The session's time zone is UTC, so the offset is +00 or, without time zone, missing.
    const iso = `${text.replace(' ', 'T').replace(/\+00$/, '')}Z`
    lastTextMs = present(parseTime(iso), `a time in ${text}`)
    lastText = text
  }
  return toDate(lastTextMs)
}

function decodeBytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.slice(2), 'hex'))
}

const asIs: Decoder = (text) => text
const textArray = 1009 as number as Parameters<typeof pg.types.getTypeParser>[0]
const splitArray: (text: string) => unknown = pg.types.getTypeParser(textArray, 'text')

function mapNested(value: unknown, decode: Decoder): unknown {
  if (Array.isArray(value)) return value.map((item) => mapNested(item, decode))
  return typeof value === 'string' ? decode(value) : value
}

function arrayOf(decode: Decoder): Decoder {
  return (text) => mapNested(splitArray(text), decode)
}

// Object ids of types are fixed for all time: PostgreSQL's src/include/catalog/pg_type.dat.
const scalars: readonly (readonly [oid: number, arrayOid: number, decode: Decoder])[] = [
  [16, 1000, (text) => text === 't'], // bool
  [17, 1001, decodeBytes], // bytea
  [18, 1002, asIs], // "char"
  [19, 1003, asIs], // name
  [20, 1016, BigInt], // int8
  [21, 1005, Number], // int2
  [23, 1007, Number], // int4
  [25, 1009, asIs], // text
  [26, 1028, Number], // oid
  [114, 199, (text) => JSON.parse(text) as unknown], // json
  [700, 1021, Number], // float4
  [701, 1022, Number], // float8
  [869, 1041, asIs], // inet
  [1042, 1014, asIs], // bpchar
  [1043, 1015, asIs], // varchar
  [1082, 1182, asIs], // date
  [1083, 1183, asIs], // time
  [1114, 1115, decodeTimestamp], // timestamp
  [1184, 1185, decodeTimestamp], // timestamptz
  [1186, 1187, asIs], // interval
  [1700, 1231, asIs], // numeric: exact, so a text
  [2205, 2210, asIs], // regclass
  [2950, 2951, asIs], // uuid
  [3802, 3807, (text) => JSON.parse(text) as unknown], // jsonb
]

/** By object id of a column's type: its text form → the value our code sees. Any other type stays a text. */
export const decoders: Readonly<Record<number, Decoder>> = Object.fromEntries(
  scalars.flatMap(([oid, arrayOid, decode]) => [
    [oid, decode],
    [arrayOid, arrayOf(decode)],
  ]),
)
