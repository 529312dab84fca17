import { execute, sql } from '../../db/index.ts'
import { type DbTime, type Queries, type Transaction, toDate } from '../../kernel/index.ts'

/** A notice as it is stored: members that its kind no longer knows stay as they are. */
export interface MerchantNoticeRow {
  readonly id: string
  readonly merchant_id: string
  readonly kind: string
  readonly data: Readonly<Record<string, unknown>>
  readonly created_at: DbTime
  readonly read_at: DbTime | null
}

const columns = 'id, merchant_id, kind, data, created_at, read_at'

/** A notice for whoever runs the merchant. */
export async function insertMerchantNotice(
  tx: Transaction,
  merchantId: string,
  row: { readonly id: string; readonly kind: string; readonly data: object; readonly nowMs: number },
): Promise<void> {
  await execute(
    tx,
    'insert into notice (id, merchant_id, kind, data, created_at) values ($2, $1, $3, $4::jsonb, $5)',
    merchantId,
    row.id,
    row.kind,
    JSON.stringify(row.data),
    toDate(row.nowMs),
  )
}

export interface MerchantNoticeSearch {
  /** Only those that nobody of the merchant has marked as read. */
  readonly unread: boolean
  /** Only older ones. */
  readonly before: { readonly atMs: number; readonly id: string } | null
  readonly rowsMax: number
}

/** The notices of a merchant, newest first. */
export function listMerchantNotices(
  q: Queries,
  merchantId: string,
  { unread, before, rowsMax }: MerchantNoticeSearch,
): Promise<MerchantNoticeRow[]> {
  return sql<MerchantNoticeRow>(
    q,
    `select ${columns} from notice
     where merchant_id = $1 and (not $2::bool or read_at is null)
       and ($3::timestamptz is null or (created_at, id) < ($3::timestamptz, $4::text))
     order by created_at desc, id desc limit $5::int`,
    merchantId,
    unread,
    before === null ? null : toDate(before.atMs),
    before?.id ?? '',
    rowsMax,
  )
}

/** Marks one notice as read; the first time stays. Null when these merchants have none such. */
export async function markMerchantNoticeRead(
  tx: Transaction,
  merchantIds: readonly string[],
  { noticeId, nowMs }: { readonly noticeId: string; readonly nowMs: number },
): Promise<MerchantNoticeRow | null> {
  const [row] = await sql<MerchantNoticeRow>(
    tx,
    `update notice set read_at = coalesce(read_at, $3::timestamptz)
     where merchant_id = any($1::text[]) and id = $2 returning ${columns}`,
    [...merchantIds],
    noticeId,
    toDate(nowMs),
  )
  return row ?? null
}
