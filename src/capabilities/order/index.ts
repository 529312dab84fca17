import { type Capability, defineCapability } from '../../capability/index.ts'
import { orderEvents } from './events.ts'
import { orderOperations } from './operations.ts'
import { refundBound } from './refund-bound.ts'
import { refundOrder } from './refund-order.ts'
import { orderScopes } from './scopes.ts'

export const orderCapability: Capability = defineCapability({
  id: 'order',
  summary: 'Orders of a merchant',
  scopes: orderScopes,
  eventTypes: orderEvents,
  boundTypes: [refundBound],
  operations: [...orderOperations, refundOrder],
})
