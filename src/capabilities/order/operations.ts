import {
  appOf,
  cursorPageInput,
  defineOperation,
  installationOf,
  type Publish,
  pageOf,
  pageRequestOf,
  parseTimeCursor,
  schema,
  timeCursor,
  toPage,
} from '../../capability/index.ts'
import { limits, newId, parseTime, present, type Transaction } from '../../kernel/index.ts'
import { boundByShops, shopMember } from '../shop/index.ts'
import { OrderErrors } from './errors.ts'
import { next, type OrderAction, totalOf } from './order.ts'
import { customer, merchantId, order, orderId, orderLine } from './schema.ts'
import {
  findOrder,
  insertOrder,
  listOrders,
  lockOrder,
  merchantExists,
  type OrderView,
  updateOrderState,
} from './store.ts'
import { eventData, seesCustomers, visible } from './view.ts'

interface Change {
  readonly tx: Transaction
  readonly publish: Publish
  readonly nowMs: number
  readonly merchantId: string
  readonly orderId: string
  readonly action: OrderAction
  readonly tracking: string | null
}

const eventOf: Readonly<Record<OrderAction, string>> = { pay: 'order.paid', ship: 'order.shipped' }

/** Moves an order along its diagram and publishes what happened, in one transaction. */
async function changeState(change: Change): Promise<OrderView> {
  const { tx, action } = change
  const before = await lockOrder(tx, change.merchantId, change.orderId)
  if (before === null) throw OrderErrors.not_found()
  const state = next(before.state, action)
  await updateOrderState(tx, change.merchantId, {
    orderId: before.id,
    state,
    atMs: change.nowMs,
    tracking: change.tracking,
  })
  const after = present(await findOrder(tx, change.merchantId, before.id), 'the order just changed')
  await change.publish({
    type: eventOf[action],
    merchantId: change.merchantId,
    subject: after.id,
    data: eventData(after),
  })
  return after
}

export const orderOperations = [
  defineOperation({
    id: 'order.list',
    summary: 'List orders, newest first',
    method: 'GET',
    path: '/v1/orders',
    audience: 'app',
    access: { kind: 'scope', scope: 'order:read' },
    kind: 'read',
    hostFunction: 'list',
    input: schema.object({
      state: schema.optional(schema.oneOf(['created', 'paid', 'shipped'])),
      ...shopMember,
      ...cursorPageInput,
    }),
    bounds: [boundByShops],
    output: pageOf(order, limits.pageSizeMax),
    errors: [],
    personalData: seesCustomers,
    async handle({ caller, queries, input }) {
      const { rowsMax, after } = pageRequestOf(input)
      const page = { limit: rowsMax, state: input.state ?? null, after: parseTimeCursor(after) }
      const rows = await listOrders(queries, installationOf(caller).merchantId, page)
      return toPage(input, rows, {
        cursorOf: ({ createdAt, id }) => timeCursor({ atMs: present(parseTime(createdAt), 'its time'), id }),
        toItem: (row) => visible(row, appOf(caller)),
      })
    },
  }),

  defineOperation({
    id: 'order.get',
    summary: 'Read one order',
    method: 'GET',
    path: '/v1/orders/{orderId}',
    audience: 'app',
    access: { kind: 'scope', scope: 'order:read' },
    kind: 'read',
    hostFunction: 'get',
    input: schema.object({ orderId, ...shopMember }),
    bounds: [boundByShops],
    output: order,
    errors: [OrderErrors.not_found],
    personalData: seesCustomers,
    async handle({ caller, queries, input }) {
      const found = await findOrder(queries, installationOf(caller).merchantId, input.orderId)
      if (found === null) throw OrderErrors.not_found()
      return visible(found, appOf(caller))
    },
  }),

  defineOperation({
    id: 'order.mark_shipped',
    summary: 'Mark a paid order as shipped',
    method: 'POST',
    path: '/v1/orders/{orderId}:ship',
    audience: 'app',
    access: { kind: 'scope', scope: 'order:write' },
    kind: 'write',
    hostFunction: 'markShipped',
    input: schema.object({
      orderId,
      tracking: schema.optional(schema.string({ minLength: 1, maxLength: 200 })),
      ...shopMember,
    }),
    bounds: [boundByShops],
    output: order,
    errors: [OrderErrors.not_found, OrderErrors.bad_transition],
    personalData: seesCustomers,
    async handle({ caller, tx, publish, input, clock }) {
      const after = await changeState({
        tx,
        publish,
        nowMs: clock.nowMs(),
        merchantId: installationOf(caller).merchantId,
        orderId: input.orderId,
        action: 'ship',
        tracking: input.tracking ?? null,
      })
      return visible(after, appOf(caller))
    },
  }),

  defineOperation({
    id: 'order.create',
    summary: 'Report a new order of a merchant',
    method: 'POST',
    path: '/host/v1/merchants/{merchantId}/orders',
    audience: 'host',
    access: { kind: 'host' },
    kind: 'write',
    input: schema.object({
      merchantId,
      externalId: schema.optional(schema.string({ minLength: 1, maxLength: 100 })),
      lines: schema.array(orderLine, { minItems: 1, maxItems: 200 }),
      customer: schema.optional(customer),
    }),
    output: order,
    status: 201,
    errors: [OrderErrors.merchant_not_found, OrderErrors.lines_refused, OrderErrors.external_id_taken],
    async handle({ tx, publish, input, clock, random }) {
      if (!(await merchantExists(tx, input.merchantId))) throw OrderErrors.merchant_not_found()
      const id = newId('order', { clock, random })
      const inserted = await insertOrder(tx, input.merchantId, {
        id,
        externalId: input.externalId ?? null,
        lines: input.lines,
        total: totalOf(input.lines),
        customer: input.customer ?? null,
        createdAtMs: clock.nowMs(),
      })
      if (!inserted) throw OrderErrors.external_id_taken()
      const created = present(await findOrder(tx, input.merchantId, id), 'the order just made')
      await publish({
        type: 'order.created',
        merchantId: input.merchantId,
        subject: id,
        data: eventData(created),
      })
      return created
    },
  }),

  defineOperation({
    id: 'order.pay',
    summary: 'Report that an order was paid',
    method: 'POST',
    path: '/host/v1/merchants/{merchantId}/orders/{orderId}:pay',
    audience: 'host',
    access: { kind: 'host' },
    kind: 'write',
    input: schema.object({ merchantId, orderId }),
    output: order,
    errors: [OrderErrors.not_found, OrderErrors.bad_transition],
    handle: ({ tx, publish, input, clock }) =>
      changeState({
        tx,
        publish,
        nowMs: clock.nowMs(),
        merchantId: input.merchantId,
        orderId: input.orderId,
        action: 'pay',
        tracking: null,
      }),
  }),
]
