import { OrderErrors } from './errors.ts'

//  created ──pay──▶ paid ──ship──▶ shipped
export type OrderState = 'created' | 'paid' | 'shipped'
export type OrderAction = 'pay' | 'ship'

const transitions: Readonly<Record<OrderState, Partial<Record<OrderAction, OrderState>>>> = {
  created: { pay: 'paid' },
  paid: { ship: 'shipped' },
  shipped: {},
}

/** The state after the action; `order.bad_transition` where the diagram has no arrow. */
export function next(state: OrderState, action: OrderAction): OrderState {
  const after = transitions[state][action]
  if (after === undefined) throw OrderErrors.bad_transition(`an order that is ${state} cannot ${action}`)
  return after
}

export interface OrderLine {
  readonly name: string
  readonly quantity: number
  readonly unitPrice: { readonly amount: number; readonly currency: string }
}

export interface Customer {
  readonly name: string
  readonly phone?: string | undefined
  readonly address?: string | undefined
}

/** Sum of quantity × unit price in minor units; all lines must share one currency and stay a safe integer. */
export function totalOf(lines: readonly OrderLine[]): { readonly amount: number; readonly currency: string } {
  const [first] = lines
  if (first === undefined) throw OrderErrors.lines_refused('an order has at least one line')
  let amount = 0
  for (const { quantity, unitPrice } of lines) {
    if (unitPrice.currency !== first.unitPrice.currency)
      throw OrderErrors.lines_refused('all lines share one currency')
    amount += quantity * unitPrice.amount
  }
  if (!Number.isSafeInteger(amount)) throw OrderErrors.lines_refused('the total is too large')
  return { amount, currency: first.unitPrice.currency }
}
