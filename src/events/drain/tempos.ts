import { limits } from '../../kernel/index.ts'
import { type Bucket, newBucket } from './bucket.ts'
import { firstPace, type Pace } from './pace.ts'

/** What this process has learned about the receiver of one stream; the drain that has the stream changes it. */
export interface Tempo {
  pace: Pace
  bucket: Bucket
  /** How many deliveries a claim asks for, and how long their bodies were on average the last time. */
  claimSize: number
  bodyLength: number
}

/** Where a stream goes on whose receiver was too slow for what had been claimed: no more than it may have to drop again. */
export const claimSizeMin = 32

// Where every stream begins. With 200 streams of 100 deliveries each, three claims of 32, 64 and 4 were half of all
// statements; what a slow receiver leaves of the first one is dropped at no cost but reading it.
const claimSizeFirst = 128

/** The tempos of this process, so that a drain goes on at the pace at which the one before it ended. */
export interface Tempos {
  of(streamId: string, nowMs: number): Tempo
}

function newTempo(nowMs: number): Tempo {
  return { pace: firstPace, bucket: newBucket(nowMs), claimSize: claimSizeFirst, bodyLength: 0 }
}

/** Keeps the tempos of the streams that were drained last, at most `limits.drainTemposMax`. */
export function makeTempos(): Tempos {
  const kept = new Map<string, Tempo>()
  return {
    of(streamId, nowMs) {
      const tempo = kept.get(streamId) ?? newTempo(nowMs)
      // A map keeps the order of insertion: the first one is the one that was not used for longest.
      kept.delete(streamId)
      kept.set(streamId, tempo)
      for (const oldest of kept.keys()) {
        if (kept.size <= limits.drainTemposMax) break
        kept.delete(oldest)
      }
      return tempo
    },
  }
}
