import { performance } from 'node:perf_hooks'
import type { EngineClock } from '../engine/index.ts'

/** Node's monotonic clock and timers. */
export const nodeClock: EngineClock = {
  monotonicMs: () => performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
}
