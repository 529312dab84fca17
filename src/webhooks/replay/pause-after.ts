import type { Ending } from '../../events/index.ts'
import { limits } from '../../kernel/index.ts'

const firstPauseMs = 1_000

/**
 * How long a replay waits before its next batch: as long as the receiver asks; twice as long each time when nothing got
 * through at all, so that a receiver that is down does not see the whole replay fail; else not at all.
 */
export function pauseMsAfter(endings: readonly Ending[], lastPauseMs: number): number {
  const failures = endings.filter((ending) => ending.kind === 'failed')
  const askedMs = Math.max(0, ...failures.map(({ retryAfterMs }) => retryAfterMs ?? 0))
  const easing = failures.some(({ overloaded }) => overloaded)
  const nothingWent = failures.length > 0 && !endings.some(({ kind }) => kind === 'delivered')
  const ownMs = easing || nothingWent ? Math.max(firstPauseMs, 2 * lastPauseMs) : 0
  return Math.min(Math.max(askedMs, ownMs), limits.replayPauseMsMax)
}
