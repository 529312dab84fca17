import fc from 'fast-check'
import { expect, test } from 'vitest'
import { newBucket, refill, take, waitMs } from '../../../src/events/drain/bucket.ts'

/** Times of the attempts that begin when somebody always wants to begin the next one. */
function begun(ratePerSecond: number, count: number, lateMs: (index: number) => number = () => 0): number[] {
  let nowMs = 0
  let bucket = newBucket(nowMs)
  const times: number[] = []
  while (times.length < count) {
    bucket = refill(bucket, ratePerSecond, nowMs)
    const delayMs = waitMs(bucket, ratePerSecond)
    if (delayMs > 0) {
      nowMs += delayMs + lateMs(times.length)
      continue
    }
    bucket = take(bucket)
    times.push(nowMs)
  }
  return times
}

test('the rate is reached to the tenth, over ten seconds', () => {
  for (const rate of [1, 3, 10, 100, 1_000]) {
    const times = begun(rate, rate * 10)
    const tookMs = times.at(-1) ?? 0
    expect(tookMs).toBeGreaterThanOrEqual(9_000 - 1)
    expect(tookMs).toBeLessThanOrEqual(11_000)
  }
})

test('no second sees more than the rate and a tenth, however late the timers are', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 500 }),
      fc.array(fc.integer({ min: 0, max: 3_000 }), { minLength: 1, maxLength: 20 }),
      (rate, delays) => {
        const times = begun(rate, 3 * rate, (index) =>
          index % 7 === 0 ? (delays[index % delays.length] ?? 0) : 0,
        )
        const most = Math.floor(rate + Math.max(1, rate * 0.1))
        for (const [index, atMs] of times.entries()) {
          const within = times.filter((other, i) => i >= index && other < atMs + 1_000).length
          expect(within).toBeLessThanOrEqual(most)
        }
      },
    ),
    { numRuns: 50 },
  )
})

test('a wait is never shorter than it must be, and a whole number of milliseconds', () => {
  const empty = take(newBucket(0))
  expect(waitMs(empty, 3)).toBe(334)
  expect(waitMs(refill(empty, 3, 334), 3)).toBe(0)
  expect(waitMs(refill(empty, 3, 333), 3)).toBe(1)
})

test('a clock that goes back gives nothing away', () => {
  const empty = take(newBucket(10_000))
  expect(refill(empty, 100, 5_000).tokens).toBe(0)
})
