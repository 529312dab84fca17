import { execute, sql } from '../../db/index.ts'
import { type DbTime, type Queries, type Transaction, toDate } from '../../kernel/index.ts'

// What is old is found from one end of an index, never by looking through a table: seq of events, created_at of bodies,
// the sequence of each stream. Two nodes may do all of this at once: rows that the other has locked are left to it.

/** Across tenants: when the oldest event was published that has not left the outbox; null: there is none. */
export async function findOldestUnrelayed(q: Queries): Promise<number | null> {
  const [row] = await sql<{ created_at: DbTime | null }>(
    q,
    'select min(created_at) as created_at from event where relayed_at is null',
  )
  return row?.created_at?.getTime() ?? null
}

/** Across tenants: whether this transaction is the only one that thins events. Held until it ends. */
export async function tryThinLock(tx: Transaction): Promise<boolean> {
  const [row] = await sql<{ taken: boolean }>(
    tx,
    `select pg_try_advisory_xact_lock(hashtext('stoa.events.thin')) as taken`,
  )
  return row?.taken === true
}

export interface ThinSearch {
  /** Events up to here are done. */
  readonly afterSeq: bigint
  readonly beforeMs: number
  readonly rowsMax: number
  /** Types without personal data. */
  readonly exceptTypes: readonly string[]
}

export interface Thinned {
  /** The last event that was looked at; null: none was old enough. */
  readonly lastSeq: bigint | null
  readonly seen: number
  readonly thinned: number
}

/**
 * Across tenants: goes through the events that follow, and takes away their data unless their type has no personal data.
 * Ends at the first one that is too young or still in the outbox.
 */
export async function thinEvents(tx: Transaction, search: ThinSearch): Promise<Thinned> {
  const [row] = await sql<{ last: bigint | null; seen: bigint; thinned: bigint }>(
    tx,
    `with head as (
       select id, seq, type, data is not null as whole, created_at < $2::timestamptz and relayed_at is not null as old
       from event where seq > $1::int8 order by seq limit $3::int
     ), due as (
       select * from head where seq < coalesce((select min(seq) from head where not old), 9223372036854775807)
     ), thinned as (
       update event set data = null
       where id in (select id from due where whole and type <> all($4::text[])) returning 1
     )
     select max(seq) as last, count(*) as seen, (select count(*) from thinned) as thinned from due`,
    search.afterSeq,
    toDate(search.beforeMs),
    search.rowsMax,
    search.exceptTypes,
  )
  return {
    lastSeq: row?.last ?? null,
    seen: Number(row?.seen ?? 0),
    thinned: Number(row?.thinned ?? 0),
  }
}

/** Rows of one step: from when to when they were published, and how many at once. */
export interface Batch {
  /** Inclusive. */
  readonly fromMs: number
  /** Exclusive. */
  readonly beforeMs: number
  readonly rowsMax: number
}

/** Across tenants: removes texts that hold personal data; gives how many. */
export async function removePersonalBodies(tx: Transaction, batch: Batch): Promise<number> {
  return execute(
    tx,
    `delete from body where hash in
       (select hash from body where created_at >= $1::timestamptz and created_at < $2::timestamptz and personal
        order by created_at limit $3::int for update skip locked)`,
    toDate(batch.fromMs),
    toDate(batch.beforeMs),
    batch.rowsMax,
  )
}

type Older = Omit<Batch, 'fromMs'>

/** Across tenants: removes the oldest texts of any kind; gives how many. */
export async function removeBodies(tx: Transaction, batch: Older): Promise<number> {
  return execute(
    tx,
    `delete from body where hash in
       (select hash from body where created_at < $1::timestamptz
        order by created_at limit $2::int for update skip locked)`,
    toDate(batch.beforeMs),
    batch.rowsMax,
  )
}

/** Across tenants: removes those of the oldest events that are old enough and have been relayed; gives how many. */
export async function removeEvents(tx: Transaction, batch: Older): Promise<number> {
  return execute(
    tx,
    `delete from event where id in
       (select id from (select id, created_at, relayed_at from event order by seq limit $2::int for update skip locked) e
        where created_at < $1::timestamptz and relayed_at is not null)`,
    toDate(batch.beforeMs),
    batch.rowsMax,
  )
}

/** Across tenants: streams whose oldest open delivery is older than that. */
export async function listStreamsToExpire(q: Queries, beforeMs: number): Promise<readonly string[]> {
  const rows = await sql<{ id: string }>(
    q,
    `select s.id from stream s
     where (select d.created_at from delivery d where d.stream_id = s.id and d.state in ('pending', 'waiting')
            order by d.sequence limit 1) < $1::timestamptz`,
    toDate(beforeMs),
  )
  return rows.map(({ id }) => id)
}

/** Ends the stream's oldest open deliveries, which nobody took in time; gives how many. */
export async function expireDeliveries(
  tx: Transaction,
  streamId: string,
  batch: Older & { readonly nowMs: number },
): Promise<number> {
  return execute(
    tx,
    `update delivery set state = 'exhausted', last_outcome = 'expired', finished_at = $4::timestamptz where id in
       (select id from (select id, created_at from delivery where stream_id = $1 and state in ('pending', 'waiting')
          order by sequence limit $3::int for update skip locked) d
        where created_at < $2::timestamptz)`,
    streamId,
    toDate(batch.beforeMs),
    batch.rowsMax,
    toDate(batch.nowMs),
  )
}

/** Across tenants: streams whose oldest delivery is older than that. */
export async function listStreamsToClear(q: Queries, beforeMs: number): Promise<readonly string[]> {
  const rows = await sql<{ id: string }>(
    q,
    `select s.id from stream s
     where (select d.created_at from delivery d where d.stream_id = s.id order by d.sequence limit 1)
       < $1::timestamptz`,
    toDate(beforeMs),
  )
  return rows.map(({ id }) => id)
}

/** Removes those of the stream's oldest deliveries that are old enough and have ended; gives how many. */
export async function removeDeliveries(tx: Transaction, streamId: string, batch: Older): Promise<number> {
  return execute(
    tx,
    `delete from delivery where id in
       (select id from (select id, created_at, state from delivery where stream_id = $1
          order by sequence limit $3::int for update skip locked) d
        where created_at < $2::timestamptz and state not in ('pending', 'waiting'))`,
    streamId,
    toDate(batch.beforeMs),
    batch.rowsMax,
  )
}
