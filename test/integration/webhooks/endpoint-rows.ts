import { sql } from '../../../src/db/index.ts'
import { present } from '../../../src/kernel/index.ts'
import type { Fixture, Installed } from '../events/fixture.ts'

export interface EndpointRow {
  readonly id: string
  readonly state: string
  readonly state_reason: string | null
  readonly paused_at: Date | null
  readonly probe_at: Date | null
  readonly probe_failures: number
  readonly failing_since: Date | null
  readonly last_success_at: Date | null
}

export async function endpointRowOf({ db }: Fixture, { streamId }: Installed): Promise<EndpointRow> {
  const rows = await sql<EndpointRow>(
    db.queries,
    `select id, state, state_reason, paused_at, probe_at, probe_failures, failing_since, last_success_at
     from endpoint where stream_id = $1`,
    streamId,
  )
  return present(rows[0], 'the endpoint')
}

/** `kind reason` of each of the publisher's notices, oldest first. */
export async function noticesTo({ db }: Fixture, { publisherId }: Installed): Promise<readonly string[]> {
  const rows = await sql<{ kind: string; data: { reason: string } }>(
    db.queries,
    'select kind, data from notice where publisher_id = $1 order by created_at, id',
    publisherId,
  )
  return rows.map(({ kind, data }) => `${kind} ${data.reason}`)
}
