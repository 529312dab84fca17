import { sql } from '../../db/index.ts'
import { type Queries, toDate } from '../../kernel/index.ts'
import type { EndpointState } from '../endpoint.ts'
import type { SealedSecret } from '../secrets/store.ts'

/** The endpoint of a stream, whatever its state, with what signs for it. */
export interface DirectEndpoint {
  readonly endpointId: string
  readonly streamId: string
  readonly publisherId: string
  readonly url: string
  readonly state: EndpointState
  readonly fifo: boolean
  /** Live ones, newest first. */
  readonly secrets: readonly SealedSecret[]
}

/** Null: the stream has no endpoint. */
export async function findDirectEndpoint(
  q: Queries,
  streamId: string,
  nowMs: number,
): Promise<DirectEndpoint | null> {
  const rows = await sql<{
    id: string
    publisher_id: string
    url: string
    state: EndpointState
    fifo: boolean
    secret_id: string | null
    sealed: string | null
  }>(
    q,
    `select e.id, e.publisher_id, e.url, e.state, e.fifo, s.id as secret_id, s.sealed
     from endpoint e left join endpoint_secret s
       on s.endpoint_id = e.id and (s.expires_at is null or s.expires_at > $2::timestamptz)
     where e.stream_id = $1 order by s.created_at desc`,
    streamId,
    toDate(nowMs),
  )
  const [first] = rows
  if (first === undefined) return null
  return {
    endpointId: first.id,
    streamId,
    publisherId: first.publisher_id,
    url: first.url,
    state: first.state,
    fifo: first.fifo,
    secrets: rows.flatMap(({ secret_id: id, sealed }) =>
      id === null || sealed === null ? [] : [{ id, sealed }],
    ),
  }
}
