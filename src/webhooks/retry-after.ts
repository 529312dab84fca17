import { parseTime } from '../kernel/index.ts'

// RFC 9110 §10.2.3: Retry-After = HTTP-date / delay-seconds. A date begins with the name of a day; anything else that
// a date parser would take is not one.
const delaySeconds = /^\d{1,9}$/
const httpDate = /^[A-Z][a-z]{2,8},? /

/** Milliseconds that a receiver asks to wait, or null when it does not ask in a form the standard knows. */
export function parseRetryAfterMs(value: string | undefined, nowMs: number): number | null {
  const text = value?.trim() ?? ''
  if (delaySeconds.test(text)) return Number(text) * 1000
  if (!httpDate.test(text)) return null
  const atMs = parseTime(text)
  return atMs === null ? null : Math.max(0, atMs - nowMs)
}
