import { execute, sql } from '../db/index.ts'
import { type DbTime, type Queries, type Transaction, toDate } from '../kernel/index.ts'
import type { StoredNotice } from './notice.ts'

interface NoticeRow {
  readonly id: string
  readonly publisher_id: string
  readonly kind: string
  readonly data: Readonly<Record<string, unknown>>
  readonly created_at: DbTime
  readonly read_at: DbTime | null
}

const columns = 'id, publisher_id, kind, data, created_at, read_at'

function toNotice(row: NoticeRow): StoredNotice {
  return {
    id: row.id,
    publisherId: row.publisher_id,
    kind: row.kind,
    data: row.data,
    createdAtMs: row.created_at.getTime(),
    readAtMs: row.read_at?.getTime() ?? null,
  }
}

/** A notice for everybody of the publisher. */
export async function insertPublisherNotice(
  tx: Transaction,
  publisherId: string,
  row: { readonly id: string; readonly kind: string; readonly data: object; readonly nowMs: number },
): Promise<void> {
  await execute(
    tx,
    `insert into notice (id, publisher_id, kind, data, created_at)
     values ($2, $1, $3, $4::jsonb, $5::timestamptz)`,
    publisherId,
    row.id,
    row.kind,
    JSON.stringify(row.data),
    toDate(row.nowMs),
  )
}

export interface NoticeSearch {
  /** Only those that nobody of the publisher has marked as read. */
  readonly unread: boolean
  /** Only older ones. */
  readonly before: { readonly atMs: number; readonly id: string } | null
  readonly rowsMax: number
}

/** The notices of these publishers, newest first. */
export async function listPublisherNotices(
  q: Queries,
  publisherIds: readonly string[],
  { unread, before, rowsMax }: NoticeSearch,
): Promise<readonly StoredNotice[]> {
  const rows = await sql<NoticeRow>(
    q,
    `select ${columns} from notice
     where publisher_id = any($1::text[]) and (not $2::bool or read_at is null)
       and ($3::timestamptz is null or (created_at, id) < ($3::timestamptz, $4::text))
     order by created_at desc, id desc limit $5::int`,
    publisherIds,
    unread,
    before === null ? null : toDate(before.atMs),
    before?.id ?? '',
    rowsMax,
  )
  return rows.map(toNotice)
}

/** Marks one notice as read; the first time stays. Null when these publishers have none such. */
export async function markPublisherNoticeRead(
  tx: Transaction,
  publisherIds: readonly string[],
  { noticeId, nowMs }: { readonly noticeId: string; readonly nowMs: number },
): Promise<StoredNotice | null> {
  const [row] = await sql<NoticeRow>(
    tx,
    `update notice set read_at = coalesce(read_at, $3::timestamptz)
     where publisher_id = any($1::text[]) and id = $2 returning ${columns}`,
    publisherIds,
    noticeId,
    toDate(nowMs),
  )
  return row === undefined ? null : toNotice(row)
}
