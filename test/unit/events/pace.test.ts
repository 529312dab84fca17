import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { firstPace, next, type Pace, type PaceSign } from '../../../src/events/drain/pace.ts'
import { limits } from '../../../src/kernel/index.ts'

const at = (nowMs: number) => ({ nowMs, limitMax: limits.drainConcurrencyMax })
const success = (startedAtMs = 0, wasFull = true): PaceSign => ({ kind: 'success', startedAtMs, wasFull })
const trouble = (startedAtMs = 0): PaceSign => ({ kind: 'trouble', startedAtMs, wasFull: true })

function paceAfter(pace: Pace, count: number, sign: PaceSign): Pace {
  let result = pace
  for (let i = 0; i < count; i += 1) result = next(result, sign, at(sign.startedAtMs + 1))
  return result
}

describe('the pace', () => {
  test('grows by one per window of successes, and by one only', () => {
    expect(paceAfter(firstPace, 7, success()).limit).toBe(8)
    expect(paceAfter(firstPace, 8, success()).limit).toBe(9)
    expect(paceAfter(firstPace, 8 + 9, success()).limit).toBe(10)
  })

  test('does not grow while it is not used up: that says nothing about more', () => {
    expect(paceAfter(firstPace, 1_000, success(0, false)).limit).toBe(8)
  })

  test('halves at trouble, once for all attempts that were in flight then', () => {
    const eased = next(firstPace, trouble(100), at(200))
    expect(eased).toMatchObject({ kind: 'easing', limit: 4 })
    expect(paceAfter(eased, 7, { ...trouble(), startedAtMs: 150 }).limit).toBe(4)
    expect(next(eased, trouble(201), at(300)).limit).toBe(2)
  })

  test('is steady again with the first success of an attempt that began after the decrease', () => {
    const eased = next(firstPace, trouble(100), at(200))
    expect(next(eased, success(150), at(250))).toEqual(eased)
    expect(next(eased, success(201), at(250))).toMatchObject({ kind: 'steady', limit: 4, successes: 1 })
  })

  test('comes back from one to its maximum', () => {
    let pace: Pace = { ...firstPace, limit: 1 }
    let successes = 0
    while (pace.limit < 32) {
      pace = next(pace, success(), at(1))
      successes += 1
    }
    expect(successes).toBe((31 * 32) / 2)
  })

  test('never leaves its bounds, whatever comes', () => {
    const signs = fc.record({
      kind: fc.constantFrom('success' as const, 'trouble' as const),
      startedAtMs: fc.integer({ min: 0, max: 1_000 }),
      wasFull: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(signs, { maxLength: 400 }), fc.integer({ min: 8, max: 32 }), (all, limitMax) => {
        let pace = firstPace
        for (const [index, sign] of all.entries()) {
          const before = pace.limit
          pace = next(pace, sign, { nowMs: index * 3, limitMax })
          expect(pace.limit).toBeGreaterThanOrEqual(1)
          expect(pace.limit).toBeLessThanOrEqual(limitMax)
          expect(pace.limit).toBeLessThanOrEqual(before + 1)
        }
      }),
    )
  })
})
