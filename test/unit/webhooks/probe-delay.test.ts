import { expect, test } from 'vitest'
import { probeDelayMs } from '../../../src/webhooks/state/probe-delay.ts'

const minute = 60_000

test.each([
  [0, 5],
  [1, 10],
  [2, 20],
  [6, 320],
  [7, 360],
  [8, 360],
  [10_000, 360],
])('after %i failed probes the next one waits %i minutes', (failures, minutes) =>
  expect(probeDelayMs(failures, null)).toBe(minutes * minute),
)

test('a receiver that asks for more time gets it, up to six hours', () => {
  expect(probeDelayMs(0, 30 * minute)).toBe(30 * minute)
  expect(probeDelayMs(3, minute)).toBe(40 * minute)
  expect(probeDelayMs(0, 7 * 24 * 60 * minute)).toBe(360 * minute)
})
