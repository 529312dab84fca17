import { type Clock, type Log, limits, type Queries } from '../kernel/index.ts'
import { readQueues } from './store.ts'

/** What waits in the event path, in all processes together. Counts stop at `limits.metricsCountMax`. */
export interface Backlog {
  /** Events that the relay has not had yet. */
  readonly unrelayed: number
  /** Age of the oldest of them; 0: none waits. */
  readonly unrelayedAgeMs: number
  /** Deliveries that could be sent now: what a paused or missing endpoint keeps waiting is not counted. */
  readonly due: number
  /** For how long the oldest of them has been due; 0: none is. */
  readonly dueAgeMs: number
}

/** Gives the backlog, read at most every `limits.metricsFreshMs` however many ask; null: the database does not answer. */
export function makeBacklogReader(deps: {
  readonly queries: Queries
  readonly clock: Clock
  readonly log: Log
}): () => Promise<Backlog | null> {
  const { queries, clock, log } = deps
  let known: Backlog | null = null
  let readAtMs = Number.NEGATIVE_INFINITY
  let reading: Promise<void> | null = null

  async function read(): Promise<void> {
    const nowMs = clock.nowMs()
    try {
      const queues = await readQueues(queries, { nowMs, countMax: limits.metricsCountMax })
      const ageOf = (atMs: number | null) => (atMs === null ? 0 : Math.max(0, nowMs - atMs))
      known = {
        unrelayed: queues.unrelayed,
        unrelayedAgeMs: ageOf(queues.oldestUnrelayedMs),
        due: queues.due,
        dueAgeMs: ageOf(queues.oldestDueMs),
      }
    } catch (error) {
      log.warn({ err: error }, 'events.backlog_not_read')
      known = null
    }
    readAtMs = nowMs
  }

  return async () => {
    if (clock.nowMs() - readAtMs >= limits.metricsFreshMs) {
      reading ??= read().finally(() => {
        reading = null
      })
      await reading
    }
    return known
  }
}
