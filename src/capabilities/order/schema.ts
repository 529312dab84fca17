import { idOf, money, schema } from '../../capability/index.ts'

export const orderId = idOf('order')
export const merchantId = idOf('merchant')

export const orderLine = schema.named(
  'OrderLine',
  schema.object({
    name: schema.string({ minLength: 1, maxLength: 200 }),
    quantity: schema.integer({ minimum: 1, maximum: 100_000 }),
    unitPrice: money,
  }),
)

export const customer = schema.named(
  'Customer',
  schema.object({
    name: schema.string({ minLength: 1, maxLength: 200 }),
    phone: schema.optional(schema.string({ maxLength: 40 })),
    address: schema.optional(schema.string({ maxLength: 500 })),
  }),
)

export const order = schema.named(
  'Order',
  schema.object({
    id: orderId,
    externalId: schema.nullable(schema.string({ maxLength: 100 })),
    state: schema.oneOf(['created', 'paid', 'shipped']),
    lines: schema.array(orderLine, { minItems: 1, maxItems: 200 }),
    total: money,
    refunded: money,
    customer: schema.optional(customer),
    tracking: schema.nullable(schema.string({ maxLength: 200 })),
    createdAt: schema.time(),
    paidAt: schema.nullable(schema.time()),
    shippedAt: schema.nullable(schema.time()),
  }),
)
