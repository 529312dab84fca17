import { sql } from '../../db/index.ts'
import { type AttemptOutcome, neverDueMs } from '../../events/index.ts'
import { type DbTime, limits, type Queries, toDate } from '../../kernel/index.ts'
import type { EndpointState } from '../endpoint.ts'

/** How an endpoint has been doing, by the attempts of live traffic. */
export interface EndpointStats {
  readonly state: EndpointState
  /** The oldest attempt that was looked at; null: there was none. */
  readonly sinceMs: number | null
  readonly attempts: Readonly<Partial<Record<AttemptOutcome, number>>>
  /** Null: nothing was sent. */
  readonly p50Ms: number | null
  readonly p95Ms: number | null
  /** Deliveries that wait to be sent, counted up to `limits.endpointBacklogMax`. */
  readonly backlog: number
  readonly oldestDueAtMs: number | null
  readonly nextProbeAtMs: number | null
}

interface StatsRow {
  readonly state: EndpointState
  readonly probe_at: DbTime | null
  readonly since: DbTime | null
  readonly outcomes: Partial<Record<AttemptOutcome, number>> | null
  readonly p50: number | null
  readonly p95: number | null
  readonly backlog: number
  readonly oldest_due: DbTime | null
}

/**
 * The statistics of an endpoint of these publishers, in one statement whose cost is bounded: it reads two spans of an
 * index, each up to its limit. Null: there is no such endpoint.
 */
export async function findStats(
  q: Queries,
  publisherIds: readonly string[],
  search: { readonly appId: string; readonly endpointId: string; readonly nowMs: number },
): Promise<EndpointStats | null> {
  const [row] = await sql<StatsRow>(
    q,
    `with own as (
       select stream_id, state, probe_at, start_sequence from endpoint
       where publisher_id = any($1::text[]) and app_id = $2 and id = $3
     ), latest as (
       select outcome, duration_ms, started_at, replay_id from attempt
       where stream_id = (select stream_id from own) and started_at >= $4::timestamptz
       order by started_at desc limit $5::int
     ), recent as materialized (
       select outcome, duration_ms, started_at from latest where replay_id is null
     )
     select own.state, case when own.state = 'paused' then own.probe_at end as probe_at,
       (select min(started_at) from recent) as since,
       (select jsonb_object_agg(outcome, n) from (select outcome, count(*) as n from recent group by outcome) c)
         as outcomes,
       (select percentile_disc(0.5) within group (order by duration_ms) from recent where outcome <> 'cancelled') as p50,
       (select percentile_disc(0.95) within group (order by duration_ms) from recent where outcome <> 'cancelled') as p95,
       (select count(*)::int from (
         select 1 from delivery where stream_id = own.stream_id and state in ('pending', 'waiting')
           and sequence >= own.start_sequence limit $6::int) open) as backlog,
       (select min(due_at) from delivery where stream_id = own.stream_id and state in ('pending', 'waiting')
         and sequence >= own.start_sequence) as oldest_due
     from own`,
    publisherIds,
    search.appId,
    search.endpointId,
    toDate(search.nowMs - limits.endpointStatsMs),
    limits.endpointStatsAttemptsMax,
    limits.endpointBacklogMax,
  )
  if (row === undefined) return null
  const oldestDueAtMs = row.oldest_due?.getTime() ?? null
  return {
    state: row.state,
    sinceMs: row.since?.getTime() ?? null,
    attempts: row.outcomes ?? {},
    p50Ms: row.p50,
    p95Ms: row.p95,
    backlog: row.backlog,
    oldestDueAtMs: oldestDueAtMs === null || oldestDueAtMs >= neverDueMs ? null : oldestDueAtMs,
    nextProbeAtMs: row.probe_at?.getTime() ?? null,
  }
}
