import { defineEventType, type EventType, money, schema } from '../../capability/index.ts'
import { customer, orderId, orderLine } from './schema.ts'

const data = schema.object({
  orderId,
  externalId: schema.nullable(schema.string({ maxLength: 100 })),
  lines: schema.array(orderLine, { minItems: 1, maxItems: 200 }),
  total: money,
  tracking: schema.nullable(schema.string({ maxLength: 200 })),
  customer: schema.optional(customer),
})

const example = {
  orderId: 'ord_01JD0000000000000000000001',
  externalId: 'A-1001',
  lines: [{ name: 'Jasmine tea', quantity: 2, unitPrice: { amount: 1250, currency: 'CNY' } }],
  total: { amount: 2500, currency: 'CNY' },
  tracking: null,
  customer: { name: 'Lin Yue', phone: '+86 10 5555 0100' },
}

function orderEvent(type: string, en: string, zh: string): EventType {
  return defineEventType({
    type,
    version: 1,
    summary: { en, 'zh-CN': zh },
    scope: 'order:read',
    subject: 'The order’s id',
    resourcePath: '/v1/orders/{subject}',
    data,
    fieldScopes: { customer: 'customer:read' },
    example,
  })
}

const refunded = schema.object({
  orderId,
  externalId: schema.nullable(schema.string({ maxLength: 100 })),
  refund: money,
  refunded: money,
  total: money,
  reason: schema.nullable(schema.string({ maxLength: 500 })),
})

const orderRefunded = defineEventType({
  type: 'order.refunded',
  version: 1,
  summary: { en: 'An order was refunded, wholly or in part', 'zh-CN': '订单已全额或部分退款' },
  scope: 'order:read',
  subject: 'The order’s id',
  resourcePath: '/v1/orders/{subject}',
  data: refunded,
  example: {
    orderId: 'ord_01JD0000000000000000000001',
    externalId: 'A-1001',
    refund: { amount: 500, currency: 'CNY' },
    refunded: { amount: 500, currency: 'CNY' },
    total: { amount: 2500, currency: 'CNY' },
    reason: 'one cup arrived broken',
  },
})

export const orderEvents = [
  orderEvent('order.created', 'An order was placed', '有新订单'),
  orderEvent('order.paid', 'An order was paid', '订单已付款'),
  orderEvent('order.shipped', 'An order was handed to the carrier', '订单已发货'),
  orderRefunded,
]
