import { describe, expect, test } from 'vitest'
import {
  jitterShare,
  nextAttemptAtMs,
  retryDelayMs,
  retryDelaysMs,
  retryHorizonMs,
} from '../../../src/events/retry-schedule.ts'
import { limits } from '../../../src/kernel/index.ts'

const first = { attempts: 1, createdAtMs: 0, nowMs: 0, retryAfterMs: null, fraction: 0.5 }

test('the table is the one of the specification: ten attempts within 75 h 35 min 5 s', () => {
  expect(retryDelaysMs).toHaveLength(limits.deliveryAttemptsMax)
  expect(retryHorizonMs).toBe(((75 * 60 + 35) * 60 + 5) * 1000)
})

test('after the last attempt there is none', () => {
  expect(retryDelayMs(limits.deliveryAttemptsMax, 0.5)).toBeNull()
  expect(nextAttemptAtMs({ ...first, attempts: limits.deliveryAttemptsMax })).toBeNull()
})

test('chance moves a delay by a fifth at most, in both directions', () => {
  expect(retryDelayMs(1, 0)).toBe(4_000)
  expect(retryDelayMs(1, 0.5)).toBe(5_000)
  expect(retryDelayMs(1, 0.999_999)).toBe(6_000)
  expect(jitterShare).toBe(0.2)
})

describe('Retry-After', () => {
  test('is honoured to the millisecond, whether sooner or later than the table', () => {
    expect(nextAttemptAtMs({ ...first, attempts: 3, retryAfterMs: 7_000 })).toBe(7_000)
    expect(nextAttemptAtMs({ ...first, retryAfterMs: 3_600_000 })).toBe(3_600_000)
  })

  test('is honoured up to the very end of the horizon, and not beyond', () => {
    expect(nextAttemptAtMs({ ...first, retryAfterMs: retryHorizonMs })).toBe(retryHorizonMs)
    expect(nextAttemptAtMs({ ...first, retryAfterMs: retryHorizonMs + 1 })).toBe(retryHorizonMs)
  })

  test('behind the horizon the table decides', () => {
    const late = { ...first, attempts: 9, nowMs: retryHorizonMs + 5, retryAfterMs: 1_000 }
    expect(nextAttemptAtMs(late)).toBe(late.nowMs + (retryDelaysMs[9] ?? 0))
  })

  test('of nothing is a second: ten attempts at once would help nobody', () => {
    expect(nextAttemptAtMs({ ...first, retryAfterMs: 0 })).toBe(1_000)
  })

  test('does not add an attempt', () => {
    expect(nextAttemptAtMs({ ...first, attempts: 10, retryAfterMs: 5_000 })).toBeNull()
  })
})
