import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  jitterShare,
  nextAttemptAtMs,
  retryDelayMs,
  retryDelaysMs,
  retryHorizonMs,
} from '../../../src/events/retry-schedule.ts'

const attempts = fc.integer({ min: 1, max: retryDelaysMs.length - 1 })
const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

test('delays grow: the longest of one row is not longer than the shortest of the next but for the jitter', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: retryDelaysMs.length - 2 }), fraction, (row, chance) => {
      const [here, next] = [retryDelayMs(row, chance) ?? 0, retryDelayMs(row + 1, chance) ?? 0]
      expect(here).toBeLessThan(next)
    }),
  )
})

test('a delay stays within its jitter', () => {
  fc.assert(
    fc.property(attempts, fraction, (row, chance) => {
      const table = retryDelaysMs[row] ?? 0
      const delay = retryDelayMs(row, chance) ?? 0
      expect(delay).toBeGreaterThanOrEqual(Math.floor(table * (1 - jitterShare)))
      expect(delay).toBeLessThanOrEqual(Math.ceil(table * (1 + jitterShare)))
    }),
  )
})

test('the next attempt is never before now plus a second, and no later than the horizon or the table says', () => {
  const ms = fc.integer({ min: 0, max: 2 * retryHorizonMs })
  fc.assert(
    fc.property(
      attempts,
      ms,
      ms,
      fc.option(ms),
      fraction,
      (tried, createdAtMs, ageMs, retryAfterMs, chance) => {
        const nowMs = createdAtMs + ageMs
        const at = nextAttemptAtMs({ attempts: tried, createdAtMs, nowMs, retryAfterMs, fraction: chance })
        expect(at).not.toBeNull()
        const byTable = nowMs + (retryDelayMs(tried, chance) ?? 0)
        expect(at).toBeGreaterThanOrEqual(nowMs + 1_000)
        expect(at).toBeLessThanOrEqual(Math.max(byTable, createdAtMs + retryHorizonMs))
      },
    ),
  )
})
