import { sql } from '../../db/index.ts'
import type { Queries } from '../../kernel/index.ts'

/** What the newest version of an app asks for in its manifest. */
export interface Requested {
  readonly eventTypes: readonly string[]
  /** Required and optional ones. */
  readonly scopes: readonly string[]
}

/** Nothing, when no version has been uploaded yet. */
export async function findRequested(q: Queries, publisherId: string, appId: string): Promise<Requested> {
  const [row] = await sql<{ event_types: string[]; scopes: string[] }>(
    q,
    `select
       array(select e->>'type' from jsonb_array_elements(v.manifest->'stoa_events') e) as event_types,
       array(select s->>'name' from jsonb_array_elements(v.manifest->'stoa_scopes'->'required') s
         union select s->>'name' from jsonb_array_elements(v.manifest->'stoa_scopes'->'optional') s) as scopes
     from version v where v.publisher_id = $1 and v.app_id = $2 order by v.code desc limit 1`,
    publisherId,
    appId,
  )
  return row === undefined
    ? { eventTypes: [], scopes: [] }
    : { eventTypes: row.event_types, scopes: row.scopes }
}
