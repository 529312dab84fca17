import { execute, sql } from '../../db/index.ts'
import { type Queries, type Transaction, toDate } from '../../kernel/index.ts'
import type { PauseReason, StopReason } from '../endpoint.ts'

// What the platform changes by itself. Each statement names the state it starts from, and the URL that was tried: of
// two nodes that find the same out, one changes the row; and a person's change made meanwhile stays.

/** An endpoint as the sink had it in hand. */
export interface TriedEndpoint {
  readonly endpointId: string
  readonly streamId: string
  readonly url: string
}

/** Whom a change must be told, and about what. */
export interface ChangedEndpoint {
  readonly publisherId: string
  readonly appId: string
  readonly appName: string
  readonly endpointId: string
  readonly url: string
}

interface ChangedRow {
  readonly publisher_id: string
  readonly app_id: string
  readonly app_name: string
  readonly id: string
  readonly url: string
}

const changedColumns = `e.publisher_id, e.app_id, (select a.name from app a where a.id = e.app_id) as app_name, e.id, e.url`

function toChanged([row]: readonly ChangedRow[]): ChangedEndpoint | null {
  if (row === undefined) return null
  return {
    publisherId: row.publisher_id,
    appId: row.app_id,
    appName: row.app_name,
    endpointId: row.id,
    url: row.url,
  }
}

/**
 * Pauses an active endpoint, to be probed at `probeAtMs`. Null when it was not active any more, or (with
 * `failingSinceMsMax`) has not been failing for so long.
 */
export async function markPaused(
  tx: Transaction,
  { streamId, endpointId, url }: TriedEndpoint,
  change: {
    readonly reason: PauseReason
    readonly nowMs: number
    readonly probeAtMs: number
    readonly failingSinceMsMax: number | null
  },
): Promise<ChangedEndpoint | null> {
  const { failingSinceMsMax } = change
  return toChanged(
    await sql<ChangedRow>(
      tx,
      `update endpoint e set state = 'paused', state_reason = $4, paused_at = $5::timestamptz,
         probe_at = $6::timestamptz, probe_failures = 0
       where stream_id = $1 and id = $2 and url = $3 and state = 'active'
         and ($7::timestamptz is null or failing_since <= $7::timestamptz)
       returning ${changedColumns}`,
      streamId,
      endpointId,
      url,
      change.reason,
      toDate(change.nowMs),
      toDate(change.probeAtMs),
      failingSinceMsMax === null ? null : toDate(failingSinceMsMax),
    ),
  )
}

/** A probe was answered with 2xx. Null when somebody has resumed, paused or changed the endpoint meanwhile. */
export async function markResumed(
  tx: Transaction,
  { streamId, endpointId, url }: TriedEndpoint,
  nowMs: number,
): Promise<ChangedEndpoint | null> {
  return toChanged(
    await sql<ChangedRow>(
      tx,
      `update endpoint e set state = 'active', state_reason = null, paused_at = null, probe_at = null,
         probe_failures = 0, failing_since = null, last_success_at = $4::timestamptz
       where stream_id = $1 and id = $2 and url = $3 and state = 'paused' and probe_at is not null
       returning ${changedColumns}`,
      streamId,
      endpointId,
      url,
      toDate(nowMs),
    ),
  )
}

/** A probe failed: the next one at `probeAtMs`. A probe that another node has counted is not counted again. */
export async function postponeProbe(
  q: Queries,
  { streamId, endpointId, url }: TriedEndpoint,
  probe: { readonly failuresBefore: number; readonly probeAtMs: number },
): Promise<void> {
  await execute(
    q,
    `update endpoint set probe_at = $5::timestamptz, probe_failures = probe_failures + 1
     where stream_id = $1 and id = $2 and url = $3 and state = 'paused' and probe_at is not null
       and probe_failures = $4::int`,
    streamId,
    endpointId,
    url,
    probe.failuresBefore,
    toDate(probe.probeAtMs),
  )
}

/** The receiver wants nothing any more. Null when the endpoint was neither active nor paused. */
export async function markStopped(
  tx: Transaction,
  { streamId, endpointId, url }: TriedEndpoint,
  reason: StopReason,
): Promise<ChangedEndpoint | null> {
  return toChanged(
    await sql<ChangedRow>(
      tx,
      `update endpoint e set state = 'stopped', state_reason = $4, paused_at = null, probe_at = null
       where stream_id = $1 and id = $2 and url = $3 and state in ('active', 'paused')
       returning ${changedColumns}`,
      streamId,
      endpointId,
      url,
      reason,
    ),
  )
}

/** Notes a success (nothing fails any more) or the first failure since one. */
export async function noteHealth(
  q: Queries,
  { streamId, endpointId }: TriedEndpoint,
  health: { readonly delivered: boolean; readonly nowMs: number },
): Promise<void> {
  await execute(
    q,
    `update endpoint set
       last_success_at = case when $3::bool then $4::timestamptz else last_success_at end,
       failing_since = case when $3::bool then null else coalesce(failing_since, $4::timestamptz) end
     where stream_id = $1 and id = $2`,
    streamId,
    endpointId,
    health.delivered,
    toDate(health.nowMs),
  )
}

/**
 * Takes the right to challenge an unverified endpoint now; the next one not before `againAtMs`. False when it was
 * challenged a moment ago.
 */
export async function claimChallenge(
  q: Queries,
  publisherId: string,
  claim: { readonly endpointId: string; readonly nowMs: number; readonly againAtMs: number },
): Promise<boolean> {
  // probe_at: a paused endpoint is probed then, an unverified one may be challenged again then.
  const claimed = await execute(
    q,
    `update endpoint set probe_at = $4::timestamptz
     where publisher_id = $1 and id = $2 and state = 'unverified' and (probe_at is null or probe_at <= $3::timestamptz)`,
    publisherId,
    claim.endpointId,
    toDate(claim.nowMs),
    toDate(claim.againAtMs),
  )
  return claimed > 0
}

/** The endpoint has answered its challenge. False when it is another URL's or another state's by now. */
export async function markVerified(
  tx: Transaction,
  publisherId: string,
  proof: { readonly endpointId: string; readonly url: string; readonly nowMs: number },
): Promise<boolean> {
  const verified = await execute(
    tx,
    `update endpoint set state = 'active', state_reason = null, verified_at = $4::timestamptz, probe_at = null
     where publisher_id = $1 and id = $2 and url = $3 and state = 'unverified'`,
    publisherId,
    proof.endpointId,
    proof.url,
    toDate(proof.nowMs),
  )
  return verified > 0
}
