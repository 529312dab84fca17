import { execute, sql } from '../../db/index.ts'
import { type DbTime, type Queries, type Transaction, toDate, toIso } from '../../kernel/index.ts'
import type { Customer, OrderLine, OrderState } from './order.ts'

interface OrderRow {
  readonly id: string
  readonly external_id: string | null
  readonly state: OrderState
  readonly lines: readonly OrderLine[]
  readonly total_amount: bigint
  readonly refunded_amount: bigint
  readonly currency: string
  readonly customer: Customer | null
  readonly tracking: string | null
  readonly created_at: DbTime
  readonly paid_at: DbTime | null
  readonly shipped_at: DbTime | null
}

/** An order as it travels on the wire, with everything in it. */
export interface OrderView {
  readonly id: string
  readonly externalId: string | null
  readonly state: OrderState
  readonly lines: readonly OrderLine[]
  readonly total: { readonly amount: number; readonly currency: string }
  readonly refunded: { readonly amount: number; readonly currency: string }
  readonly customer?: Customer
  readonly tracking: string | null
  readonly createdAt: string
  readonly paidAt: string | null
  readonly shippedAt: string | null
}

const columns =
  'id, external_id, state, lines, total_amount, refunded_amount, currency, customer, tracking, created_at, paid_at, shipped_at'

function isoOrNull(time: DbTime | null): string | null {
  return time === null ? null : toIso(time.getTime())
}

function toView(row: OrderRow): OrderView {
  return {
    id: row.id,
    externalId: row.external_id,
    state: row.state,
    lines: row.lines,
    total: { amount: Number(row.total_amount), currency: row.currency },
    refunded: { amount: Number(row.refunded_amount), currency: row.currency },
    ...(row.customer === null ? {} : { customer: row.customer }),
    tracking: row.tracking,
    createdAt: toIso(row.created_at.getTime()),
    paidAt: isoOrNull(row.paid_at),
    shippedAt: isoOrNull(row.shipped_at),
  }
}

export async function findOrder(q: Queries, merchantId: string, orderId: string): Promise<OrderView | null> {
  const [row] = await sql<OrderRow>(
    q,
    `select ${columns} from "order" where merchant_id = $1 and id = $2`,
    merchantId,
    orderId,
  )
  return row === undefined ? null : toView(row)
}

/** The same, locked until the transaction ends: two changes of state cannot both see the old one. */
export async function lockOrder(
  tx: Transaction,
  merchantId: string,
  orderId: string,
): Promise<OrderView | null> {
  const [row] = await sql<OrderRow>(
    tx,
    `select ${columns} from "order" where merchant_id = $1 and id = $2 for update`,
    merchantId,
    orderId,
  )
  return row === undefined ? null : toView(row)
}

export interface OrderPage {
  readonly limit: number
  readonly state: OrderState | null
  readonly after: { readonly atMs: number; readonly id: string } | null
}

/** Newest first. */
export async function listOrders(q: Queries, merchantId: string, page: OrderPage): Promise<OrderView[]> {
  const rows = await sql<OrderRow>(
    q,
    `select ${columns} from "order"
     where merchant_id = $1 and ($2::text is null or state = $2::text)
       and ($3::timestamptz is null or (created_at, id) < ($3::timestamptz, $4::text))
     order by created_at desc, id desc limit $5::int`,
    merchantId,
    page.state,
    page.after === null ? null : toDate(page.after.atMs),
    page.after?.id ?? '',
    page.limit,
  )
  return rows.map(toView)
}

export async function merchantExists(q: Queries, merchantId: string): Promise<boolean> {
  const rows = await sql(q, 'select id from merchant where id = $1', merchantId)
  return rows.length > 0
}

export interface NewOrder {
  readonly id: string
  readonly externalId: string | null
  readonly lines: readonly OrderLine[]
  readonly total: { readonly amount: number; readonly currency: string }
  readonly customer: Customer | null
  readonly createdAtMs: number
}

/** False when the merchant has another order with that externalId. */
export async function insertOrder(tx: Transaction, merchantId: string, order: NewOrder): Promise<boolean> {
  const inserted = await sql(
    tx,
    `insert into "order" (merchant_id, id, external_id, state, lines, total_amount, currency, customer, created_at)
     values ($1, $2, $3, 'created', $4::jsonb, $5::bigint, $6, $7::jsonb, $8)
     on conflict (merchant_id, external_id) do nothing returning id`,
    merchantId,
    order.id,
    order.externalId,
    JSON.stringify(order.lines),
    BigInt(order.total.amount),
    order.total.currency,
    order.customer === null ? null : JSON.stringify(order.customer),
    toDate(order.createdAtMs),
  )
  return inserted.length > 0
}

export async function updateOrderState(
  tx: Transaction,
  merchantId: string,
  change: {
    readonly orderId: string
    readonly state: OrderState
    readonly atMs: number
    readonly tracking: string | null
  },
): Promise<void> {
  await execute(
    tx,
    `update "order" set state = $3, tracking = coalesce($4, tracking),
       paid_at = case when $3 = 'paid' then $5 else paid_at end,
       shipped_at = case when $3 = 'shipped' then $5 else shipped_at end
     where merchant_id = $1 and id = $2`,
    merchantId,
    change.orderId,
    change.state,
    change.tracking,
    toDate(change.atMs),
  )
}

/**
 * Adds to what was refunded of a paid order, as far as that much was paid and not refunded yet: one conditional
 * statement, so that two at once cannot refund more. False: nothing was changed.
 */
export async function addRefund(
  tx: Transaction,
  merchantId: string,
  refund: { readonly orderId: string; readonly amount: number; readonly currency: string },
): Promise<boolean> {
  const affected = await execute(
    tx,
    `update "order" set refunded_amount = refunded_amount + $3::bigint
     where merchant_id = $1 and id = $2 and currency = $4 and state in ('paid', 'shipped')
       and refunded_amount + $3::bigint <= total_amount`,
    merchantId,
    refund.orderId,
    BigInt(refund.amount),
    refund.currency,
  )
  return affected === 1
}
