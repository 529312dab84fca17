import { sql } from '../../../db/index.ts'
import type { AttemptRecord } from '../../../events/index.ts'
import { type Queries, toDate } from '../../../kernel/index.ts'
import type { ReplayState } from '../replay.ts'

/** What came of sending one delivery once more. */
export interface SentAgain {
  readonly deliveryId: string
  readonly merchantId: string
  readonly sequence: bigint
  /** skipped: its permission is gone, or the platform holds it back. */
  readonly result: 'delivered' | 'failed' | 'skipped'
  /** Null: nothing was tried. */
  readonly attempt: AttemptRecord['attempt']
}

export interface ReplayBatch {
  readonly replayId: string
  readonly appId: string
  readonly epoch: bigint
  readonly untilMs: number
  /** Sequence of the last delivery that has been dealt with. */
  readonly cursor: bigint
  readonly nowMs: number
}

/**
 * Records a batch in one statement: the replay's progress and lease, the attempts, and what has arrived at last. Gives
 * the replay's state; null, and nothing is written, when the lease has gone to somebody else. What was in flight when
 * the replay was cancelled is still recorded.
 */
export async function recordReplayed(
  q: Queries,
  streamId: string,
  batch: ReplayBatch,
  sent: readonly SentAgain[],
): Promise<ReplayState | null> {
  const countOf = (result: SentAgain['result']) => sent.filter((each) => each.result === result).length
  const tried = sent.flatMap((of) => (of.attempt === null ? [] : [{ ...of.attempt, of }]))
  const [row] = await sql<{ state: ReplayState }>(
    q,
    // As the drain's: the guard comes first and locks the replay, so that of two owners one writes.
    `with guard as (
       update replay set cursor = greatest(cursor, $5::int8), lease_until = $4::timestamptz,
         delivered = delivered + $6::int, failed = failed + $7::int, skipped = skipped + $8::int
       where id = $1 and lease_epoch = $3::int8 returning state
     ), changed as (
       update delivery d set state = 'delivered', due_at = $9::timestamptz, finished_at = $9::timestamptz,
         last_outcome = 'delivered'
       from guard where d.stream_id = $2 and d.id = any($10::text[])
         and d.state in ('waiting', 'exhausted', 'parked', 'cancelled')
     ), tried as (
       insert into attempt (id, merchant_id, app_id, stream_id, delivery_id, number, started_at, duration_ms, outcome,
         status, error, response, log, replay_id)
       select t.id, t.merchant_id, $11, $2, t.delivery_id, t.number, t.started_at, t.duration_ms, t.outcome,
         t.status, t.error, t.response, t.log, $1
       from guard, unnest($12::text[], $13::text[], $14::text[], $15::int[], $16::timestamptz[], $17::int[],
           $18::text[], $19::int[], $20::text[], $21::text[], $22::text[])
         as t(id, merchant_id, delivery_id, number, started_at, duration_ms, outcome, status, error, response, log)
     )
     select state from guard`,
    batch.replayId,
    streamId,
    batch.epoch,
    toDate(batch.untilMs),
    batch.cursor,
    countOf('delivered'),
    countOf('failed'),
    countOf('skipped'),
    toDate(batch.nowMs),
    sent.filter(({ result }) => result === 'delivered').map(({ deliveryId }) => deliveryId),
    batch.appId,
    tried.map(({ id }) => id),
    tried.map(({ of }) => of.merchantId),
    tried.map(({ of }) => of.deliveryId),
    tried.map(({ number }) => number),
    tried.map(({ startedAtMs }) => toDate(startedAtMs)),
    tried.map(({ durationMs }) => durationMs),
    tried.map(({ outcome }) => outcome),
    tried.map(({ status }) => status),
    tried.map(({ error }) => error),
    tried.map(({ response }) => response),
    tried.map(({ log }) => log),
  )
  return row?.state ?? null
}
