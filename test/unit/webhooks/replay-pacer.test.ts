import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { makePacer } from '../../../src/webhooks/replay/pacer.ts'

/** Time that passes only by waiting, and sometimes longer than was asked for. */
function makeTime(lateMs: readonly number[] = []) {
  let nowMs = 1_000_000
  let waits = 0
  return {
    clock: { nowMs: () => nowMs },
    wait: (ms: number) => {
      nowMs += ms + (lateMs[waits % Math.max(1, lateMs.length)] ?? 0)
      waits += 1
      return Promise.resolve(true)
    },
  }
}

async function turnsOf(ratePerSecond: number, count: number, lateMs: readonly number[] = []) {
  const time = makeTime(lateMs)
  const pacer = makePacer(time.clock, ratePerSecond, time.wait)
  const atMs: number[] = []
  for (let i = 0; i < count; i += 1) {
    await pacer.turn()
    atMs.push(time.clock.nowMs())
  }
  return atMs
}

describe('a replay’s pace', () => {
  test('no second sees more than the rate and a tenth of it, however late timers fire', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 500 }),
        fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 5 }),
        async (rate, lateMs) => {
          const atMs = await turnsOf(rate, Math.min(1_200, 2 * rate + 10), lateMs)
          const most = rate + Math.max(1, rate / 10)
          for (const [index, from] of atMs.entries()) {
            const within = atMs.slice(index).filter((at) => at < from + 1_000).length
            expect(within).toBeLessThanOrEqual(Math.ceil(most) + 1)
          }
        },
      ),
      { numRuns: 40 },
    )
  })

  test('a hundred turns at fifty a second take two seconds of the clock', async () => {
    const atMs = await turnsOf(50, 101)
    const lasted = (atMs.at(-1) ?? 0) - (atMs[0] ?? 0)
    expect(lasted).toBeGreaterThanOrEqual(1_900)
    expect(lasted).toBeLessThanOrEqual(2_100)
  })

  test('turns are given in the order in which they were asked for', async () => {
    const time = makeTime()
    const pacer = makePacer(time.clock, 10, time.wait)
    const order: number[] = []
    await Promise.all([1, 2, 3, 4, 5].map((n) => pacer.turn().then(() => order.push(n))))
    expect(order).toEqual([1, 2, 3, 4, 5])
  })

  test('when nobody waits any more, turns end at once instead of spinning', async () => {
    const frozen = { nowMs: () => 0 }
    const pacer = makePacer(frozen, 1, () => Promise.resolve(false))
    await Promise.all(Array.from({ length: 20 }, () => pacer.turn()))
  })
})
