import { execute, sql } from '../../db/index.ts'
import { type DbTime, type Queries, type Transaction, toDate } from '../../kernel/index.ts'

/** A notice as it is stored: members that its kind no longer knows stay as they are. */
export interface PersonNoticeRow {
  readonly id: string
  readonly kind: string
  readonly data: Readonly<Record<string, unknown>>
  readonly created_at: DbTime
}

/** A notice for one person. */
export async function insertPersonNotice(
  tx: Transaction,
  personId: string,
  row: { readonly id: string; readonly kind: string; readonly data: object; readonly nowMs: number },
): Promise<void> {
  await execute(
    tx,
    'insert into notice (id, person_id, kind, data, created_at) values ($2, $1, $3, $4::jsonb, $5)',
    personId,
    row.id,
    row.kind,
    JSON.stringify(row.data),
    toDate(row.nowMs),
  )
}

/** The notices of a person, newest first. */
export function listPersonNotices(
  q: Queries,
  personId: string,
  {
    before,
    rowsMax,
  }: { readonly before: { readonly atMs: number; readonly id: string } | null; readonly rowsMax: number },
): Promise<PersonNoticeRow[]> {
  return sql<PersonNoticeRow>(
    q,
    `select id, kind, data, created_at from notice
     where person_id = $1
       and ($2::timestamptz is null or (created_at, id) < ($2::timestamptz, $3::text))
     order by created_at desc, id desc limit $4::int`,
    personId,
    before === null ? null : toDate(before.atMs),
    before?.id ?? '',
    rowsMax,
  )
}
