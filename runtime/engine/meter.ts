import type { RunFailureCode } from '../abi/index.ts'

/**
 * Fuel units charged for one interrupt. QuickJS polls once per 10,000 loop turns, calls and constructions; a turn of a
 * plain loop costs about 34 function entries and loop turns of the Wasm code, the unit that an engine with fuel in
 * the binary counts. Limits written in that unit stay true when the engine is exchanged.
 */
const fuelPerInterrupt = 340_000

export interface Meter {
  /** Why the run must end, once it must. Authoritative: the guest can catch an interrupt and go on for a while. */
  readonly tripped: RunFailureCode | undefined
  /** Called at each interrupt: charges fuel, looks at the deadline; true ends the guest's code. */
  poll(): boolean
  /** Looks at the deadline only. */
  isLate(): boolean
  trip(code: RunFailureCode): void
  remainingMs(): number
}

/** The budget of one run or one load, counted from now. */
export function makeMeter(
  limits: { readonly fuelMax: number; readonly wallMsMax: number },
  monotonicMs: () => number,
): Meter {
  const deadlineMs = monotonicMs() + limits.wallMsMax
  let fuelLeft = limits.fuelMax
  let tripped: RunFailureCode | undefined
  const trip = (code: RunFailureCode): void => {
    tripped ??= code
  }
  const isLate = (): boolean => {
    if (monotonicMs() > deadlineMs) trip('sandbox.time_exceeded')
    return tripped !== undefined
  }
  return {
    get tripped() {
      return tripped
    },
    poll() {
      fuelLeft -= fuelPerInterrupt
      if (fuelLeft < 0) trip('sandbox.fuel_exhausted')
      return isLate()
    },
    isLate,
    trip,
    remainingMs: () => Math.max(0, deadlineMs - monotonicMs()),
  }
}
