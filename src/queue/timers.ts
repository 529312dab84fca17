import { setTimeout as sleep } from 'node:timers/promises'
import type { Log, Random } from '../kernel/index.ts'

/** Repeats `run` until the signal; resolves when the last run has ended. */
export async function repeat(
  name: string,
  intervalMs: number,
  run: () => Promise<void>,
  { signal, random, log }: { readonly signal: AbortSignal; readonly random: Random; readonly log: Log },
): Promise<void> {
  while (!signal.aborted) {
    // ± 10 %, so that the nodes of a cluster do not all ask at the same moment.
    const waitMs = intervalMs * (0.9 + random.fraction() * 0.2)
    await sleep(waitMs, undefined, { signal, ref: false }).catch(() => undefined)
    if (signal.aborted) return
    try {
      await run()
    } catch (error) {
      log.error({ err: error, timer: name }, 'queue.timer_failed')
    }
  }
}
