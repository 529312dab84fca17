import { assert } from '../kernel/index.ts'
import type { BoundVerdict, Charge, Exceeded } from './bound.ts'
import type { AppCaller, Caller } from './caller.ts'
import type { Operation } from './define.ts'
import { CapabilityErrors } from './errors.ts'

/** A call within its bounds: as whom it goes on, and what has to be counted before it does anything. */
export interface BoundedCall {
  readonly caller: Caller
  readonly charges: readonly Charge[]
}

function actingAt(caller: AppCaller, merchantId: string): AppCaller {
  assert(caller.installation !== null, 'only an installation has bounds')
  return { ...caller, installation: { ...caller.installation, merchantId } }
}

function verdictsOf(
  { bounds = [] }: Operation,
  app: AppCaller,
  input: unknown,
  nowMs: number,
): BoundVerdict[] {
  return bounds.flatMap(({ type, useOf }) => {
    const use = useOf(input)
    if (use === null) return []
    const details = app.bounds.filter((detail) => detail.type === type.type)
    return [type.check(details, use, nowMs)]
  })
}

/**
 * Holds a call against the authorization details of its grant. A shop of the organisation stands in for the
 * installation's own merchant from here on.
 * @throws capability.outside_bounds
 */
export function applyBounds(
  operation: Operation,
  caller: Caller,
  input: unknown,
  nowMs: number,
): BoundedCall {
  if (caller.kind !== 'app') return { caller, charges: [] }
  let acting: AppCaller = caller
  const charges: Charge[] = []
  for (const verdict of verdictsOf(operation, caller, input, nowMs)) {
    if (verdict.kind === 'outside') throw CapabilityErrors.outside_bounds(verdict.detail)
    if (verdict.merchantId !== undefined) acting = actingAt(acting, verdict.merchantId)
    charges.push(...verdict.charges)
  }
  assert(charges.length === 0 || operation.kind === 'write', `${operation.id} counts without writing`)
  return { caller: acting, charges }
}

/** The refusal of a call for which too little is left. */
export function boundExceeded({ charge, left }: Exceeded): Error {
  return CapabilityErrors.bound_exceeded(
    `${left} of ${charge.limit} is left, ${charge.amount} is asked for`,
    {
      members: { bound: { counter: charge.key, limit: charge.limit, left, asked: charge.amount } },
    },
  )
}
