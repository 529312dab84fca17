import { describe, expect, test } from 'vitest'
import type { Ending } from '../../../src/events/index.ts'
import { limits } from '../../../src/kernel/index.ts'
import { pauseMsAfter } from '../../../src/webhooks/replay/pause-after.ts'

const tried = { status: null, error: null, response: null, log: null }
const delivered: Ending = { kind: 'delivered', ...tried }
const cancelled: Ending = { kind: 'cancelled' }
const failed = (retryAfterMs: number | null = null, overloaded = false): Ending => ({
  ...{ kind: 'failed', retryAfterMs, overloaded },
  ...tried,
})

describe('after a batch a replay', () => {
  test('goes on at once when something got through, or nothing was tried', () => {
    expect(pauseMsAfter([delivered, failed()], 0)).toBe(0)
    expect(pauseMsAfter([delivered], 16_000)).toBe(0)
    expect(pauseMsAfter([cancelled], 16_000)).toBe(0)
    expect(pauseMsAfter([], 16_000)).toBe(0)
  })

  test('waits twice as long each time nothing gets through, up to a bound', () => {
    const pauses: number[] = []
    for (let pauseMs = 0; pauses.length < 8; pauses.push(pauseMs)) pauseMs = pauseMsAfter([failed()], pauseMs)
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
  })

  test('waits as long as the receiver asks, up to the same bound', () => {
    expect(pauseMsAfter([delivered, failed(7_000)], 0)).toBe(7_000)
    expect(pauseMsAfter([failed(3_600_000)], 0)).toBe(limits.replayPauseMsMax)
  })

  test('slows down for 429, 502 and 504 although others get through', () => {
    expect(pauseMsAfter([delivered, failed(null, true)], 0)).toBe(1_000)
  })
})
