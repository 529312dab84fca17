import { newBucket, refill, take, waitMs } from '../../events/index.ts'
import type { Clock } from '../../kernel/index.ts'

/** Gives turns at an even rate, in the order in which they were asked for. */
export interface Pacer {
  turn(): Promise<void>
}

/** Makes a pacer. `wait` passes the time and may come back late; false: nobody waits any more, turns are given at once. */
export function makePacer(
  clock: Clock,
  ratePerSecond: number,
  wait: (ms: number) => Promise<boolean>,
): Pacer {
  let bucket = newBucket(clock.nowMs())
  let last: Promise<void> = Promise.resolve()

  async function next(): Promise<void> {
    for (;;) {
      bucket = refill(bucket, ratePerSecond, clock.nowMs())
      const ms = waitMs(bucket, ratePerSecond)
      if (ms === 0) break
      if (!(await wait(ms))) return
    }
    bucket = take(bucket)
  }

  return {
    turn() {
      last = last.then(next)
      return last
    },
  }
}
