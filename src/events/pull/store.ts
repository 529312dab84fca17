import { execute, sql } from '../../db/index.ts'
import { present, type Queries, type Transaction, toDate } from '../../kernel/index.ts'
import {
  type DueDelivery,
  type DueRow,
  deliveryColumns,
  toDueDelivery,
  withPermissions,
} from '../drain/store.ts'
import type { Partition } from './partition.ts'

/** An app's stream for its backend. */
export interface PullStream {
  readonly id: string
  readonly publisherId: string
  readonly nextSequence: bigint
  /** Everything up to here has been acknowledged. */
  readonly cursor: bigint
}

/** Null: the app has had neither an installation nor an endpoint yet. */
export async function findPullStream(q: Queries, appId: string): Promise<PullStream | null> {
  const [row] = await sql<{ id: string; publisher_id: string; next_sequence: bigint; cursor: bigint }>(
    q,
    `select s.id, a.publisher_id, s.next_sequence, s.cursor from stream s join app a on a.id = s.app_id
     where s.app_id = $1 and s.owner_kind = 'app' and s.sink = 'backend'`,
    appId,
  )
  if (row === undefined) return null
  const { id, publisher_id: publisherId, next_sequence: nextSequence, cursor } = row
  return { id, publisherId, nextSequence, cursor }
}

/** For each of these apps, the highest sequence number of its backend stream: one statement for all that wait. */
export async function listLastSequences(
  q: Queries,
  appIds: readonly string[],
): Promise<readonly { readonly appId: string; readonly lastSequence: bigint }[]> {
  const rows = await sql<{ app_id: string; last_sequence: bigint }>(
    q,
    `select app_id, next_sequence - 1 as last_sequence from stream
     where app_id = any($1::text[]) and owner_kind = 'app' and sink = 'backend'`,
    appIds,
  )
  return rows.map((row) => ({ appId: row.app_id, lastSequence: row.last_sequence }))
}

/** SQL: the merchant is in the partition whose index and count these parameters hold. */
function isInPartition(index: string, count: string): string {
  const hash = `('x' || left(encode(sha256(convert_to(merchant_id, 'UTF8')), 'hex'), 8))::bit(32)::int8`
  return `(${count}::int = 1 or ${hash} % ${count}::int = ${index}::int)`
}

export interface Range {
  /** From the next one on. */
  readonly after: bigint
  /** Up to the one before. */
  readonly before: bigint
  readonly partition: Partition
  readonly rowsMax: number
  /** Of bodies together; the first row comes however large it is. */
  readonly bytesMax: number
}

/**
 * Deliveries of the stream in the order of their sequence, whatever became of them, with what their grants hold now.
 * `isWhole`: the range holds no more.
 */
export async function listRange(
  q: Queries,
  streamId: string,
  { after, before, partition, rowsMax, bytesMax }: Range,
): Promise<{ readonly deliveries: readonly DueDelivery[]; readonly isWhole: boolean }> {
  const rows = await sql<DueRow & { readonly found: bigint }>(
    q,
    `with due as materialized (
       select ${deliveryColumns} from delivery
       where stream_id = $1 and sequence > $2::int8 and sequence < $3::int8 and ${isInPartition('$4', '$5')}
       order by sequence limit $6::int
     ), whole as (${withPermissions}
     ), sized as (
       select w.*, count(*) over () as found,
         sum(octet_length(coalesce(text, ''))) over (order by sequence) - octet_length(coalesce(text, ''))
           as bytes_before
       from whole w
     )
     select * from sized where bytes_before < $7::int order by sequence`,
    streamId,
    after,
    before,
    partition.index,
    partition.count,
    rowsMax,
    bytesMax,
  )
  const found = Number(rows[0]?.found ?? 0)
  return {
    deliveries: rows.map((row) => toDueDelivery(streamId, row)),
    isWhole: found === rows.length && found < rowsMax,
  }
}

export interface Acknowledgement {
  readonly through: bigint
  readonly partition: Partition
  /** Of them nothing has been shown. */
  readonly exceptMerchantIds: readonly string[]
  readonly deliveriesMax: number
  readonly nowMs: number
}

/** What has not been delivered otherwise is delivered by having been pulled. Lock the stream before. */
export async function markPulled(
  tx: Transaction,
  streamId: string,
  { through, partition, exceptMerchantIds, deliveriesMax, nowMs }: Acknowledgement,
): Promise<number> {
  const isOpen = `stream_id = $1 and state in ('pending', 'waiting') and sequence <= $2::int8
    and ${isInPartition('$3', '$4')} and merchant_id <> all($5::text[])`
  // A bound and no join: without statistics a join of these rows with themselves was quadratic, 10 s for 5,000.
  return execute(
    tx,
    `update delivery set state = 'delivered', finished_at = $7::timestamptz, last_outcome = 'delivered'
     where ${isOpen} and sequence <=
       (select max(sequence) from (select sequence from delivery where ${isOpen} order by sequence limit $6::int) first)`,
    streamId,
    through,
    partition.index,
    partition.count,
    exceptMerchantIds,
    deliveriesMax,
    toDate(nowMs),
  )
}

/**
 * Moves the cursor forward to `through`, but not past a delivery that is still open: another partition's, or one that
 * is held back. Gives where it stands. Lock the stream before.
 */
export async function moveCursor(tx: Transaction, streamId: string, through: bigint): Promise<bigint> {
  const [row] = await sql<{ cursor: bigint }>(
    tx,
    `update stream set cursor = greatest(cursor, coalesce(
       (select min(sequence) - 1 from delivery
        where stream_id = $1 and state in ('pending', 'waiting') and sequence <= $2::int8),
       $2::int8))
     where id = $1 returning cursor`,
    streamId,
    through,
  )
  return present(row, `stream ${streamId}`).cursor
}
