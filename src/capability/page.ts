import { type IdKind, idPattern, limits, parseTime, toIso } from '../kernel/index.ts'
import { CapabilityErrors } from './errors.ts'
import { type Schema, schema } from './schema.ts'

const idLengthMax = 30
const cursorLengthMax = 256

/** The id of one kind of row. */
export function idOf(kind: IdKind): Schema<string> {
  return schema.string({ maxLength: idLengthMax, pattern: idPattern(kind) })
}

const limit = schema.optional(
  schema.integer({ minimum: 1, maximum: limits.pageSizeMax, default: limits.pageSizeDefault }),
)

/** `limit` and `after` of a list whose cursor is the id of the last row. */
export function pageInput(kind: IdKind) {
  return { limit, after: schema.optional(idOf(kind)) } as const
}

/** `limit` and `after` of a list whose cursor is a text of ours. */
export const cursorPageInput = {
  limit,
  after: schema.optional(schema.string({ maxLength: cursorLengthMax })),
} as const

export interface PageRequest {
  /** Rows to read: one more than the page holds, which tells whether there is a next one. */
  readonly rowsMax: number
  /** Cursor of the last row of the page before. */
  readonly after: string | null
}

interface PageInput {
  readonly limit?: number | undefined
  readonly after?: string | undefined
}

/** What the store must read for this page. */
export function pageRequestOf(input: PageInput): PageRequest {
  return { rowsMax: (input.limit ?? limits.pageSizeDefault) + 1, after: input.after ?? null }
}

/** The page of the wire from rows read by `pageRequestOf`. `cursorOf` gives what `after` of the next page is. */
export function toPage<Row, Item>(
  input: PageInput,
  rows: readonly Row[],
  { toItem, cursorOf }: { readonly toItem: (row: Row) => Item; readonly cursorOf: (row: Row) => string },
) {
  const shown = rows.slice(0, input.limit ?? limits.pageSizeDefault)
  const last = shown.at(-1)
  const hasMore = rows.length > shown.length
  return {
    data: shown.map(toItem),
    hasMore,
    nextCursor: hasMore && last !== undefined ? cursorOf(last) : null,
  }
}

/** The cursor of rows that are their own id's page mark. */
export function byId(row: { readonly id: string }): string {
  return row.id
}

/** A place in a list ordered by time, then id. */
export interface TimePlace {
  readonly atMs: number
  readonly id: string
}

// Years of four digits: the database does not know every year that a date object can hold.
const timeCursorForm = /^(\d{4}-\d\d-\d\dT[\d:.]+Z)\|(\w+)$/

/** The cursor of a list ordered by time, then id. */
export function timeCursor({ atMs, id }: TimePlace): string {
  return Buffer.from(`${toIso(atMs)}|${id}`).toString('base64url')
}

/** The place such a cursor names; null without a cursor. @throws capability.invalid_input */
export function parseTimeCursor(cursor: string | null): TimePlace | null {
  if (cursor === null) return null
  const [, at = '', id = ''] = timeCursorForm.exec(Buffer.from(cursor, 'base64url').toString('utf8')) ?? []
  const atMs = parseTime(at)
  if (atMs !== null) return { atMs, id }
  throw CapabilityErrors.invalid_input('the cursor is not one of ours', {
    errors: [{ pointer: '/after', code: 'cursor', message: 'must be a nextCursor of this list' }],
  })
}
