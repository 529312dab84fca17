import { sql } from '../../../db/index.ts'
import { type Queries, toDate } from '../../../kernel/index.ts'
import { type AttemptOutcome, deliveryStates, isFinal, type Settled } from '../../delivery.ts'

/** An attempt that ended, as its two rows will say it. */
export interface AttemptRecord {
  readonly deliveryId: string
  readonly merchantId: string
  readonly settled: Settled
  /** Null for a delivery that was put off without an attempt. */
  readonly attempt: {
    readonly id: string
    readonly number: number
    readonly startedAtMs: number
    readonly durationMs: number
    readonly outcome: AttemptOutcome
    readonly status: number | null
    readonly error: string | null
    readonly response: string | null
    readonly log: string | null
  } | null
}

/** What one drain wants recorded, under its lease. */
export interface RecordBatch {
  readonly streamId: string
  readonly epoch: bigint
  readonly records: readonly AttemptRecord[]
}

const finalStates = deliveryStates.filter(isFinal)

/**
 * Records batches of different streams in one statement: attempts and new states. Gives the streams whose lease still
 * holds; for the others nothing is written. A delivery that was cancelled meanwhile stays cancelled.
 */
export async function recordBatches(
  q: Queries,
  batches: readonly RecordBatch[],
): Promise<ReadonlySet<string>> {
  const all = batches.flatMap(({ streamId, records }) =>
    records.map(({ deliveryId, merchantId, settled, attempt }) => ({
      streamId,
      deliveryId,
      merchantId,
      settled,
      attempt,
    })),
  )
  const tried = all.flatMap(({ streamId, deliveryId, merchantId, attempt }) =>
    attempt === null ? [] : [{ streamId, deliveryId, merchantId, attempt }],
  )
  const rows = await sql<{ id: string }>(
    q,
    // The streams are locked first, in the order in which everybody locks them: whoever takes a lease over waits for
    // this statement, and this statement, when it has waited for whoever did, finds another epoch and no row.
    // Deliveries are found by id: written with "=" and "in", the conditions beside it have indexes of their own, and
    // the planner, whose statistics lag behind a flood, would read the whole stream for each batch.
    `with held as materialized (
       select s.id, s.app_id from stream s join unnest($1::text[], $2::int8[]) as l(id, epoch)
         on s.id = l.id and s.lease_epoch = l.epoch
       order by s.id for no key update of s
     ), changed as (
       update delivery d set state = r.state, attempts = r.attempts, due_at = r.due_at, finished_at = r.finished_at,
         last_outcome = r.last_outcome
       from held h join unnest($3::text[], $4::text[], $5::text[], $6::int[], $7::timestamptz[], $8::timestamptz[],
           $9::text[]) as r(stream_id, id, state, attempts, due_at, finished_at, last_outcome)
         on h.id = r.stream_id
       where d.id = r.id and d.stream_id is not distinct from h.id and d.state <> all ($10::text[])
     ), tried as (
       insert into attempt (id, merchant_id, app_id, stream_id, delivery_id, number, started_at, duration_ms, outcome,
         status, error, response, log)
       select t.id, t.merchant_id, h.app_id, h.id, t.delivery_id, t.number, t.started_at, t.duration_ms, t.outcome,
         t.status, t.error, t.response, t.log
       from held h join unnest($11::text[], $12::text[], $13::text[], $14::text[], $15::int[], $16::timestamptz[],
           $17::int[], $18::text[], $19::int[], $20::text[], $21::text[], $22::text[])
         as t(stream_id, id, merchant_id, delivery_id, number, started_at, duration_ms, outcome, status, error,
           response, log)
         on h.id = t.stream_id
     )
     select id from held`,
    batches.map(({ streamId }) => streamId),
    batches.map(({ epoch }) => epoch),
    all.map(({ streamId }) => streamId),
    all.map(({ deliveryId }) => deliveryId),
    all.map(({ settled }) => settled.state),
    all.map(({ settled }) => settled.attempts),
    all.map(({ settled }) => toDate(settled.dueAtMs)),
    all.map(({ settled }) => (settled.finishedAtMs === null ? null : toDate(settled.finishedAtMs))),
    all.map(({ settled }) => settled.lastOutcome),
    finalStates,
    tried.map(({ streamId }) => streamId),
    tried.map(({ attempt }) => attempt.id),
    tried.map(({ merchantId }) => merchantId),
    tried.map(({ deliveryId }) => deliveryId),
    tried.map(({ attempt }) => attempt.number),
    tried.map(({ attempt }) => toDate(attempt.startedAtMs)),
    tried.map(({ attempt }) => attempt.durationMs),
    tried.map(({ attempt }) => attempt.outcome),
    tried.map(({ attempt }) => attempt.status),
    tried.map(({ attempt }) => attempt.error),
    tried.map(({ attempt }) => attempt.response),
    tried.map(({ attempt }) => attempt.log),
  )
  return new Set(rows.map(({ id }) => id))
}
