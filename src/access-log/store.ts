import type { AccessRecord } from '../capability/index.ts'
import { sql } from '../db/index.ts'
import { type DbTime, type Queries, toDate, toIso } from '../kernel/index.ts'

function callerColumns({ caller }: AccessRecord) {
  const app = caller.kind === 'app' ? caller : null
  return {
    actor: caller.kind,
    appId: app?.appId ?? null,
    installationId: app?.installation?.installationId ?? null,
    personId: caller.kind === 'person' ? caller.personId : (app?.personId ?? null),
  }
}

/** A record on its way to the table. */
export interface AccessEntry {
  readonly id: string
  readonly record: AccessRecord
}

/** One statement for the whole batch: a row per record, one for an entry that is written twice. */
export async function insertAccessRecords(q: Queries, entries: readonly AccessEntry[]): Promise<void> {
  const rows = entries.map(({ id, record }) => ({
    id,
    ...callerColumns(record),
    merchant_id: record.merchantId,
    at: toIso(record.atMs),
    operation: record.operation,
    via: record.via,
    outcome: record.outcome,
    code: record.code,
    rows: record.rows,
    personal: record.personal,
    request_id: record.requestId,
    duration_ms: Math.max(0, Math.round(record.durationMs)),
  }))
  const json = JSON.stringify(
    rows.map(({ appId, installationId, personId, ...rest }) => ({
      ...rest,
      app_id: appId,
      installation_id: installationId,
      person_id: personId,
    })),
  )
  await sql(
    q,
    `insert into access_record (id, merchant_id, at, app_id, installation_id, person_id, actor, operation, via, outcome,
       code, rows, personal, request_id, duration_ms)
     select id, merchant_id, at, app_id, installation_id, person_id, actor, operation, via, outcome,
       code, rows, personal, request_id, duration_ms
     from jsonb_to_recordset($1::jsonb) as r(id text, merchant_id text, at timestamptz, app_id text, installation_id text,
       person_id text, actor text, operation text, via text, outcome text, code text, rows int, personal bool,
       request_id text, duration_ms int)
     on conflict (id, at) do nothing`,
    json,
  )
}

export interface AccessRow {
  readonly id: string
  readonly at: DbTime
  readonly app_id: string | null
  readonly installation_id: string | null
  readonly person_id: string | null
  readonly actor: string
  readonly operation: string
  readonly via: string
  readonly outcome: string
  readonly code: string | null
  readonly rows: number
  readonly personal: boolean
}

/** A merchant's records, newest first, older than the cursor's. */
export function listAccessRecords(
  q: Queries,
  merchantId: string,
  page: { readonly limit: number; readonly before: { readonly atMs: number; readonly id: string } | null },
): Promise<AccessRow[]> {
  return sql<AccessRow>(
    q,
    `select id, at, app_id, installation_id, person_id, actor, operation, via, outcome, code, rows, personal
     from access_record
     where merchant_id = $1 and ($2::timestamptz is null or (at, id) < ($2::timestamptz, $3::text))
     order by at desc, id desc limit $4::int`,
    merchantId,
    page.before === null ? null : toDate(page.before.atMs),
    page.before?.id ?? '',
    page.limit,
  )
}
