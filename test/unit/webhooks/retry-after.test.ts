import { expect, test } from 'vitest'
import { parseRetryAfterMs } from '../../../src/webhooks/retry-after.ts'

const nowMs = Date.UTC(2026, 10, 22, 3, 0, 0)

test.each([
  ['120', 120_000],
  [' 0 ', 0],
  ['Sun, 22 Nov 2026 03:00:30 GMT', 30_000],
  ['Sunday, 22-Nov-26 03:00:30 GMT', 30_000],
  ['Sun, 22 Nov 2026 02:00:00 GMT', 0],
])('%s asks for %i ms', (value, ms) => expect(parseRetryAfterMs(value, nowMs)).toBe(ms))

test.each([undefined, '', '-5', '1.5', 'soon', '99999999999999999999', '2026-11-22T03:00:30Z'])(
  '%s asks for nothing',
  (value) => expect(parseRetryAfterMs(value, nowMs)).toBeNull(),
)
