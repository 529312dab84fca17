import { appOf, defineOperation, installationOf, schema } from '../../capability/index.ts'
import { present, type StoaError, type Transaction } from '../../kernel/index.ts'
import { boundByShops, shopMember } from '../shop/index.ts'
import { OrderErrors } from './errors.ts'
import { boundByRefund } from './refund-bound.ts'
import { order, orderId } from './schema.ts'
import { addRefund, findOrder } from './store.ts'
import { seesCustomers, visible } from './view.ts'

const amount = schema.object({
  amount: schema.integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: 'Minor units' }),
  currency: schema.string({
    maxLength: 3,
    pattern: '^[A-Z]{3}$',
    description: 'ISO 4217, that of the order',
  }),
})

/** Why the conditional statement has changed nothing. */
async function refusalOf(tx: Transaction, merchantId: string, id: string): Promise<StoaError> {
  const found = await findOrder(tx, merchantId, id)
  if (found === null) return OrderErrors.not_found()
  const { state, total, refunded } = found
  if (state === 'created') return OrderErrors.bad_transition('only a paid order can be refunded')
  const refundable = { amount: total.amount - refunded.amount, currency: total.currency }
  return OrderErrors.refund_too_large(`${refundable.amount} ${refundable.currency} can still be refunded`, {
    members: { refundable },
  })
}

/** Gives money back: at most what was paid and not refunded yet, and within the bounds of the grant. */
export const refundOrder = defineOperation({
  id: 'order.refund',
  summary: 'Refund a paid order, wholly or in part',
  description:
    'At most what was paid and not refunded yet, and within the authorization details of the grant: a refund beyond them is capability.bound_exceeded with what is left. Send an Idempotency-Key: a repeated request then refunds and counts once.',
  method: 'POST',
  path: '/v1/orders/{orderId}:refund',
  audience: 'app',
  access: { kind: 'scope', scope: 'order:refund' },
  kind: 'write',
  hostFunction: 'refund',
  input: schema.object({
    orderId,
    amount,
    reason: schema.optional(schema.string({ minLength: 1, maxLength: 500 })),
    ...shopMember,
  }),
  bounds: [boundByShops, boundByRefund],
  output: order,
  errors: [OrderErrors.not_found, OrderErrors.bad_transition, OrderErrors.refund_too_large],
  personalData: seesCustomers,
  async handle({ caller, tx, publish, input }) {
    const { merchantId } = installationOf(caller)
    const { orderId: id, amount: refund } = input
    if (!(await addRefund(tx, merchantId, { orderId: id, ...refund })))
      throw await refusalOf(tx, merchantId, id)
    const after = present(await findOrder(tx, merchantId, id), 'the order just refunded')
    const { externalId, refunded, total } = after
    await publish({
      type: 'order.refunded',
      merchantId,
      subject: id,
      data: { orderId: id, externalId, refund, refunded, total, reason: input.reason ?? null },
    })
    return visible(after, appOf(caller))
  },
})
