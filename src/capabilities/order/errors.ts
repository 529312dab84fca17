import { defineErrors } from '../../kernel/index.ts'

export const OrderErrors = defineErrors('order', {
  not_found: {
    status: 404,
    title: 'There is no such order',
    fix: 'Check the id; it may belong to another merchant.',
  },
  merchant_not_found: {
    status: 404,
    title: 'There is no such merchant',
    fix: 'Make it by POST /host/v1/merchants first.',
  },
  bad_transition: {
    status: 409,
    title: 'The order is in a state that does not allow this',
    fix: 'An order is paid once and shipped once, in that order; read its state.',
  },
  refund_too_large: {
    status: 409,
    title: 'The order has not that much left to refund',
    fix: 'Refund at most refundable, in the currency of the order.',
  },
  lines_refused: {
    status: 422,
    title: 'The lines do not make an order',
    fix: 'One currency, at least one line, a sane total.',
  },
  external_id_taken: {
    status: 409,
    title: 'This merchant already has another order with that externalId',
    fix: 'Use one externalId per order; to repeat a request safely send an Idempotency-Key.',
  },
})
