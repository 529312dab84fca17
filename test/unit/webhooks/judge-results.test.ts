import { describe, expect, test } from 'vitest'
import type { DeliveryState, Outcome, RecordedResult } from '../../../src/events/index.ts'
import { isFault, pauseReasonOf } from '../../../src/webhooks/state/judge-results.ts'

const tried = { status: null, error: null, response: null, log: null }
const delivered: Outcome = { kind: 'delivered', ...tried }
const failed: Outcome = { kind: 'failed', retryAfterMs: null, overloaded: false, ...tried }
const refused = (error: string): Outcome => ({ kind: 'refused', ...tried, error })
const deferred: Outcome = { kind: 'deferred', delayMs: 1, reason: 'kernel.unavailable' }

const recorded = (outcome: Outcome, state: DeliveryState): RecordedResult => ({ outcome, state })
const hour = 60 * 60_000
const nowMs = 1_000 * hour
const judge = (results: readonly RecordedResult[], failingHours: number | null = null) =>
  pauseReasonOf(results, {
    nowMs,
    failingSinceMs: failingHours === null ? null : nowMs - failingHours * hour,
  })

describe('an endpoint is paused', () => {
  test('after the first delivery without an attempt left, though others are received', () => {
    expect(judge([recorded(delivered, 'delivered'), recorded(failed, 'exhausted')])).toBe('exhausted')
  })

  test('after 72 hours without a 2xx, not a moment before', () => {
    expect(judge([recorded(failed, 'waiting')], 72)).toBe('failing')
    expect(judge([recorded(failed, 'waiting')], 71.999)).toBeNull()
  })

  test('when its address is not public', () => {
    const refusal = refused('webhooks.address_refused: 10.0.0.1 is not public')
    expect(judge([recorded(refusal, 'exhausted')])).toBe('address_refused')
  })
})

describe('an endpoint is not paused', () => {
  test.each<[string, readonly RecordedResult[], number | null]>([
    ['by a failure', [recorded(failed, 'waiting')], null],
    [
      'when something was received after 72 hours',
      [recorded(delivered, 'delivered'), recorded(failed, 'waiting')],
      73,
    ],
    ['by 72 hours without anything tried', [recorded(deferred, 'waiting')], 100],
    [
      'by a delivery that its receiver refused on purpose',
      [recorded(refused('webhooks.message_aborted'), 'exhausted')],
      100,
    ],
    ['by nothing', [], 100],
  ])('%s', (_what, results, failingHours) => expect(judge(results, failingHours)).toBeNull())
})

test('only failures and refused addresses speak against an endpoint', () => {
  expect([delivered, deferred, refused('webhooks.message_aborted')].some(isFault)).toBe(false)
  expect([failed, refused('webhooks.address_refused: x')].every(isFault)).toBe(true)
})
