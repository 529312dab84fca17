/** Tokens for attempts: they come at an even rate, and few are kept, so that no second sees more than its share. */
export interface Bucket {
  readonly tokens: number
  readonly atMs: number
}

// A tenth of a second's worth: what a timer that fires late may make up for.
const keptShare = 0.1

/** A bucket with one token: whoever takes a stream over from another process must not begin with a burst. */
export function newBucket(nowMs: number): Bucket {
  return { tokens: 1, atMs: nowMs }
}

/** The bucket at a later time; a clock that went back adds nothing. */
export function refill(bucket: Bucket, ratePerSecond: number, nowMs: number): Bucket {
  const elapsedMs = Math.max(0, nowMs - bucket.atMs)
  const kept = Math.max(1, ratePerSecond * keptShare)
  return { tokens: Math.min(kept, bucket.tokens + (elapsedMs * ratePerSecond) / 1000), atMs: nowMs }
}

/** How long until there is a token, in whole milliseconds; 0: there is one. */
export function waitMs(bucket: Bucket, ratePerSecond: number): number {
  return bucket.tokens >= 1 ? 0 : Math.ceil(((1 - bucket.tokens) * 1000) / ratePerSecond)
}

/** The bucket without the token that an attempt takes. */
export function take(bucket: Bucket): Bucket {
  return { ...bucket, tokens: bucket.tokens - 1 }
}
