import { sql } from '../../db/index.ts'
import { type Queries, toDate } from '../../kernel/index.ts'
import type { DeliveryState } from '../delivery.ts'
import {
  type DueDelivery,
  type DueRow,
  deliveryColumns,
  toDueDelivery,
  withPermissions,
} from '../drain/store.ts'

/** Which deliveries of a stream are meant; null: any. */
export interface AgainFilter {
  /** Made at or after. */
  readonly fromMs: number | null
  /** Made before. */
  readonly toMs: number | null
  readonly states: readonly DeliveryState[]
  readonly eventTypes: readonly string[] | null
  readonly merchantId: string | null
}

// $1 is the stream, $2 to $6 the filter, $7 and $8 the sequence numbers between which it looks.
const meant = `stream_id = $1 and ($2::timestamptz is null or created_at >= $2::timestamptz)
  and ($3::timestamptz is null or created_at < $3::timestamptz) and state = any($4::text[])
  and ($5::text[] is null or event_type = any($5::text[])) and ($6::text is null or merchant_id = $6)
  and sequence > $7::int8 and sequence <= $8::int8`

/** A span of a stream: after one sequence number, up to another. */
export interface AgainSpan {
  readonly afterSequence: bigint
  readonly untilSequence: bigint
}

function valuesOf(filter: AgainFilter, span: AgainSpan) {
  return [
    filter.fromMs === null ? null : toDate(filter.fromMs),
    filter.toMs === null ? null : toDate(filter.toMs),
    filter.states,
    filter.eventTypes,
    filter.merchantId,
    span.afterSequence,
    span.untilSequence,
  ] as const
}

/** How many deliveries of the stream are meant. */
export async function countAgain(
  q: Queries,
  streamId: string,
  { filter, span }: { readonly filter: AgainFilter; readonly span: AgainSpan },
): Promise<number> {
  const [row] = await sql<{ total: number }>(
    q,
    `select count(*)::int as total from delivery where ${meant}`,
    streamId,
    ...valuesOf(filter, span),
  )
  return row?.total ?? 0
}

/** The next of them by sequence, with what their grants hold now. */
export async function listAgain(
  q: Queries,
  streamId: string,
  search: { readonly filter: AgainFilter; readonly span: AgainSpan; readonly deliveriesMax: number },
): Promise<readonly DueDelivery[]> {
  const rows = await sql<DueRow>(
    q,
    `with due as materialized (
       select ${deliveryColumns} from delivery where ${meant} order by sequence limit $9::int)
     ${withPermissions} order by d.sequence`,
    streamId,
    ...valuesOf(search.filter, search.span),
    search.deliveriesMax,
  )
  return rows.map((row) => toDueDelivery(streamId, row))
}

/** One delivery of the stream, with what its grant holds now. */
export async function findAgain(
  q: Queries,
  streamId: string,
  deliveryId: string,
): Promise<DueDelivery | null> {
  const [row] = await sql<DueRow>(
    q,
    `with due as materialized (select ${deliveryColumns} from delivery where stream_id = $1 and id = $2)
     ${withPermissions}`,
    streamId,
    deliveryId,
  )
  return row === undefined ? null : toDueDelivery(streamId, row)
}
