/** The only source of time. Milliseconds since the epoch, UTC. */
export interface Clock {
  nowMs(): number
}

export const systemClock: Clock = { nowMs: () => Date.now() }

/** A timestamp as the database driver gives it: take `.getTime()`. */
export type DbTime = Date

/** A database timestamp. The only place besides the wire format where a date object exists. */
export function toDate(ms: number): Date {
  return new Date(ms)
}

/** RFC 3339 in UTC with milliseconds: the form of every time on the wire. */
export function toIso(ms: number): string {
  return new Date(ms).toISOString()
}

/**
 * Milliseconds of a time written as RFC 3339, as an HTTP date or in another way that JavaScript reads; null when it is
 * none. Forgiving: a day beyond its month rolls over, so what comes from outside is checked before.
 */
export function parseTime(text: string): number | null {
  const ms = Date.parse(text)
  return Number.isNaN(ms) ? null : ms
}

/** First millisecond (UTC) of the month that lies `offset` months after the one of `ms`. */
export function monthStartMs(ms: number, offset = 0): number {
  const date = new Date(ms)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + offset, 1)
}
