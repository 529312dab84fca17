import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type DeliveryProgress,
  deliveryStates,
  type Ending,
  isFinal,
  next,
} from '../../../src/events/delivery.ts'
import { limits } from '../../../src/kernel/index.ts'

const tried = { status: null, error: null, response: null, log: null }
const ending: fc.Arbitrary<Ending> = fc.oneof(
  fc.constant<Ending>({ kind: 'delivered', ...tried }),
  fc
    .option(fc.integer({ min: 0, max: 10 ** 9 }))
    .map<Ending>((retryAfterMs) => ({ kind: 'failed', overloaded: false, retryAfterMs, ...tried })),
  fc.constant<Ending>({ kind: 'gone', ...tried }),
  fc.constant<Ending>({ kind: 'refused', ...tried }),
  fc.constant<Ending>({ kind: 'cancelled' }),
  fc
    .integer({ min: 0, max: 10_000 })
    .map<Ending>((delayMs) => ({ kind: 'deferred', delayMs, reason: 'busy' })),
)
const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

test('whatever happens to a delivery, it stays within its states and ends exactly once', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(ending, fraction), { maxLength: 40 }), (steps) => {
      let delivery: DeliveryProgress = { state: 'pending', attempts: 0, createdAtMs: 0 }
      let nowMs = 0
      for (const [what, chance] of steps) {
        if (isFinal(delivery.state)) {
          expect(() => next(delivery, what, { nowMs, fraction: chance })).toThrow()
          continue
        }
        const settled = next(delivery, what, { nowMs, fraction: chance })
        expect(deliveryStates).toContain(settled.state)
        expect(settled.finishedAtMs !== null).toBe(isFinal(settled.state))
        expect(settled.attempts).toBeLessThanOrEqual(limits.deliveryAttemptsMax)
        expect(settled.attempts - delivery.attempts).toBe(
          what.kind === 'cancelled' || what.kind === 'deferred' ? 0 : 1,
        )
        expect(settled.dueAtMs).toBeGreaterThanOrEqual(nowMs)
        delivery = { ...delivery, state: settled.state, attempts: settled.attempts }
        nowMs = settled.dueAtMs
      }
    }),
  )
})

test('a receiver that always fails is tried exactly as often as the table is long', () => {
  fc.assert(
    fc.property(fraction, (chance) => {
      let delivery: DeliveryProgress = { state: 'pending', attempts: 0, createdAtMs: 0 }
      let tries = 0
      while (!isFinal(delivery.state)) {
        const failed: Ending = { kind: 'failed', overloaded: false, retryAfterMs: null, ...tried }
        delivery = { ...delivery, ...next(delivery, failed, { nowMs: 0, fraction: chance }) }
        tries += 1
      }
      expect([tries, delivery.state]).toEqual([limits.deliveryAttemptsMax, 'exhausted'])
    }),
  )
})
