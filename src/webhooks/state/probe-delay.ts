import { limits } from '../../kernel/index.ts'

/**
 * How long a paused endpoint is left alone after that many failed probes: twice as long each time, up to a bound. A
 * receiver that asks for more time (Retry-After) gets it within that bound.
 */
export function probeDelayMs(failures: number, retryAfterMs: number | null): number {
  // 2 ** 1024 would be Infinity, which the bound catches as well.
  const delayMs = limits.webhookProbeMs * 2 ** failures
  return Math.min(Math.max(delayMs, retryAfterMs ?? 0), limits.webhookProbeMsMax)
}
