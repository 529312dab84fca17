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

/** A record with the place of its batch. */
interface Row extends AttemptRecord {
  readonly batch: number
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
  const all: readonly Row[] = batches.flatMap(({ records }, batch) =>
    records.map(({ deliveryId, merchantId, settled, attempt }) => ({
      batch,
      deliveryId,
      merchantId,
      settled,
      attempt,
    })),
  )
  const rows = await sql<{ id: string }>(
    q,
    // The streams are locked first, in the order in which everybody locks them: whoever takes a lease over waits for
    // this statement, and this statement, when it has waited for whoever did, finds another epoch and no row.
    // Deliveries are found by id: written with "=" and "in", the conditions beside it have indexes of their own, and
    // the planner, whose statistics lag behind a flood, would read the whole stream for each batch.
    // What is finished is finished when it is "due"; an attempt ends as its delivery does.
    `with held as materialized (
       select s.id, s.app_id, l.batch - 1 as batch
       from stream s join unnest($1::text[], $2::int8[]) with ordinality as l(id, epoch, batch)
         on s.id = l.id and s.lease_epoch = l.epoch
       order by s.id for no key update of s
     ), given as materialized (
       select h.id as stream_id, h.app_id, r.* from held h join unnest($3::int[], $4::text[], $5::text[], $6::text[],
           $7::int[], $8::timestamptz[], $9::text[], $10::text[], $11::int[], $12::timestamptz[], $13::int[],
           $14::int[], $15::text[], $16::text[], $17::text[])
         as r(batch, delivery_id, merchant_id, state, attempts, due_at, outcome, id, number, started_at, duration_ms,
           status, error, response, log)
         on h.batch = r.batch
     ), changed as (
       update delivery d set state = r.state, attempts = r.attempts, due_at = r.due_at, last_outcome = r.outcome,
         finished_at = case when r.state = any ($18::text[]) then r.due_at end
       from given r
       where d.id = r.delivery_id and d.stream_id is not distinct from r.stream_id and d.state <> all ($18::text[])
     ), tried as (
       insert into attempt (id, merchant_id, app_id, stream_id, delivery_id, number, started_at, duration_ms, outcome,
         status, error, response, log)
       select id, merchant_id, app_id, stream_id, delivery_id, number, started_at, duration_ms, outcome,
         status, error, response, log
       from given where id is not null
     )
     select id from held`,
    batches.map(({ streamId }) => streamId),
    batches.map(({ epoch }) => epoch),
    all.map(({ batch }) => batch),
    all.map(({ deliveryId }) => deliveryId),
    all.map(({ merchantId }) => merchantId),
    all.map(({ settled }) => settled.state),
    all.map(({ settled }) => settled.attempts),
    all.map(({ settled }) => toDate(settled.dueAtMs)),
    all.map(({ settled }) => settled.lastOutcome),
    all.map(({ attempt }) => attempt?.id ?? null),
    all.map(({ attempt }) => attempt?.number ?? null),
    all.map(({ attempt }) => (attempt === null ? null : toDate(attempt.startedAtMs))),
    all.map(({ attempt }) => attempt?.durationMs ?? null),
    all.map(({ attempt }) => attempt?.status ?? null),
    all.map(({ attempt }) => attempt?.error ?? null),
    all.map(({ attempt }) => attempt?.response ?? null),
    all.map(({ attempt }) => attempt?.log ?? null),
    finalStates,
  )
  return new Set(rows.map(({ id }) => id))
}
