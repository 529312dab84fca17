import type { AppCaller, Caller } from '../../capability/index.ts'
import type { OrderView } from './store.ts'

/** Whether the answer holds personal data of customers. */
export function seesCustomers(caller: Caller): boolean {
  return caller.kind === 'app' && caller.scopes.has('customer:read')
}

/** The order as this app may see it. */
export function visible(view: OrderView, caller: AppCaller): OrderView {
  if (seesCustomers(caller)) return view
  const { customer: _hidden, ...rest } = view
  return rest
}

/** `data` of the events that tell of the whole order. */
export function eventData(view: OrderView) {
  const { id, externalId, lines, total, tracking } = view
  return {
    orderId: id,
    externalId,
    lines,
    total,
    tracking,
    ...(view.customer === undefined ? {} : { customer: view.customer }),
  }
}
