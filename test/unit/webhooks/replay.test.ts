import { describe, expect, test } from 'vitest'
import { StoaError } from '../../../src/kernel/index.ts'
import { parseRange } from '../../../src/webhooks/history/time-range.ts'
import { doneOf, etaSecondsOf, type ReplayView } from '../../../src/webhooks/replay/replay.ts'

const replay: ReplayView = {
  ...{ id: 'rpl_1', publisherId: 'pub_1', appId: 'app_1', streamId: 'str_1', createdBy: 'per_1' },
  filter: { from: null, to: null, states: [], eventTypes: null, merchantId: null, deliveryId: null },
  ...{ ratePerSecond: 50, state: 'running', total: 1_000, delivered: 90, failed: 5, skipped: 5 },
  ...{ createdAtMs: 0, finishedAtMs: null },
}

describe('the progress of a replay', () => {
  test('is what was delivered, failed and skipped', () => expect(doneOf(replay)).toBe(100))

  test('its end is told by the rate, rounded up, and never before now', () => {
    expect(etaSecondsOf(replay)).toBe(18)
    expect(etaSecondsOf({ ...replay, total: 101 })).toBe(1)
    // Deliveries that became exhausted while it ran are sent too.
    expect(etaSecondsOf({ ...replay, total: 50 })).toBe(0)
  })

  test('one that has ended has no end to come', () => {
    expect(etaSecondsOf({ ...replay, state: 'done' })).toBeNull()
    expect(etaSecondsOf({ ...replay, state: 'cancelled' })).toBeNull()
  })
})

describe('a range of time', () => {
  test('is open where nothing is said', () => {
    expect(parseRange({})).toEqual({ fromMs: null, toMs: null })
    expect(parseRange({ from: '1970-01-01T00:00:01Z' })).toEqual({ fromMs: 1_000, toMs: null })
  })

  test('begins in 1970 at the earliest: the database knows no year 0', () =>
    expect(parseRange({ from: '0000-01-01T00:00:00Z' }).fromMs).toBe(0))

  test.each([
    [{ from: '2026-01-02T00:00:00Z', to: '2026-01-01T00:00:00Z' }, '/filter/to'],
    // A leap second: allowed by RFC 3339, unknown to the clock.
    [{ from: '2016-12-31T23:59:60Z' }, '/filter/from'],
  ])('%j is refused with a pointer', (input, pointer) => {
    const refusal = (() => {
      try {
        return parseRange(input, '/filter')
      } catch (error) {
        return error
      }
    })()
    expect(refusal).toBeInstanceOf(StoaError)
    expect((refusal as StoaError).options.errors?.[0]?.pointer).toBe(pointer)
  })
})
