import { sql } from '../../../src/db/index.ts'
import type { TestPlatform } from '../../support/platform.ts'
import type { Tokens } from '../../support/story.ts'

interface Order {
  readonly id: string
  readonly refunded: { readonly amount: number; readonly currency: string }
}

export type Refunded = Order & { readonly code: string; readonly bound?: object }

/** The widest bounds that the test app's manifest asks for. */
export const declared = {
  ...{ type: 'refund', max_amount_per_order: 2_000, max_amount_per_day: 3_000, currency: 'CNY' },
}

/** Of an app that may refund within bounds, and reach shops. */
export const boundedManifest = {
  ...{ name: 'Refunder', required: ['order:read'], optional: ['order:refund'] },
  details: [declared, { type: 'shops' }],
}

/** The parameter of an authorization or token request. */
export const asking = (...details: object[]) => ({ authorization_details: JSON.stringify(details) })

/** A paid order of 50.00 at the merchant; gives its id. */
export async function paidOrder(at: TestPlatform, merchantId: string, currency = 'CNY'): Promise<string> {
  const orders = `/host/v1/merchants/${merchantId}/orders`
  const lines = [{ name: 'Tea', quantity: 1, unitPrice: { amount: 5_000, currency } }]
  const { id } = await at.host.call<Order>('POST', orders, { lines })
  await at.host.call('POST', `${orders}/${id}:pay`)
  return id
}

export interface RefundOptions {
  readonly currency?: string
  readonly key?: string
  readonly shopId?: string
}

export function refund(
  at: TestPlatform,
  tokens: Pick<Tokens, 'access_token'>,
  orderId: string,
  amount: number,
  { currency = 'CNY', key, shopId }: RefundOptions = {},
) {
  const json = { amount: { amount, currency }, ...(shopId === undefined ? {} : { shopId }) }
  const headers = key === undefined ? {} : { 'idempotency-key': key }
  return at
    .bearer(tokens.access_token)
    .request<Refunded>('POST', `/v1/orders/${orderId}:refund`, { json, headers })
}

export async function refundedOf(at: TestPlatform, orderId: string): Promise<number> {
  const [row] = await sql<{ refunded_amount: bigint }>(
    at.db.queries,
    'select refunded_amount from "order" where id = $1',
    orderId,
  )
  return Number(row?.refunded_amount)
}
