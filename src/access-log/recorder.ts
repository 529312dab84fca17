import type { Recorder } from '../capability/index.ts'
import {
  type Clock,
  KernelErrors,
  type Log,
  limits,
  newId,
  type Queries,
  type Random,
} from '../kernel/index.ts'
import { type AccessEntry, insertAccessRecords } from './store.ts'

export interface RecorderDependencies {
  readonly queries: Queries
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

interface Waiting extends AccessEntry {
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

// A database that did not answer is asked again at this pace; meanwhile the buffer fills and callers are refused.
const retryMs = 1_000

/**
 * Writes access records: a write's in its own transaction, all others in groups of one statement each, at most
 * `limits.accessRecordBufferMs` apart. What could not be written stays and is tried again; a full buffer refuses the
 * call instead of losing a record.
 */
export function makeRecorder(deps: RecorderDependencies): Recorder & { close(): Promise<void> } {
  let waiting: Waiting[] = []
  let timer: NodeJS.Timeout | null = null
  let flushing: Promise<void> = Promise.resolve()

  const write = (entries: readonly AccessEntry[]) => insertAccessRecords(deps.queries, entries)

  async function writeEach(batch: readonly Waiting[]): Promise<Waiting[]> {
    const left: Waiting[] = []
    for (const entry of batch) {
      await write([entry]).then(entry.resolve, (error: unknown) => {
        left.push(entry)
        entry.reject(KernelErrors.unavailable('the access log cannot be written now', { cause: error }))
      })
    }
    return left
  }

  /** Gives what must be tried again. */
  async function writeBatch(batch: readonly Waiting[]): Promise<Waiting[]> {
    try {
      await write(batch)
      for (const { resolve } of batch) resolve()
      return []
    } catch (error) {
      deps.log.error({ err: error, records: batch.length }, 'access_log.flush_failed')
      const left = await writeEach(batch)
      if (left.length === batch.length) return left
      // The database answers: what is left is a record that it will never take, and must not hold up the others.
      for (const { record } of left) deps.log.error({ record }, 'access_log.record_refused')
      return []
    }
  }

  function wake(delayMs: number): void {
    timer ??= setTimeout(() => void flush(), delayMs)
  }

  function flush(): Promise<void> {
    if (timer !== null) clearTimeout(timer)
    timer = null
    flushing = flushing.then(async () => {
      const batch = waiting
      waiting = []
      const left = batch.length === 0 ? [] : await writeBatch(batch)
      if (left.length === 0) return
      waiting = [...left, ...waiting]
      wake(retryMs)
    })
    return flushing
  }

  return {
    record: (tx, record) => insertAccessRecords(tx, [{ id: newId('accessRecord', deps), record }]),
    buffer(record) {
      if (waiting.length >= limits.accessRecordBufferMax)
        throw KernelErrors.unavailable('the access log is behind; try again')
      const durable = new Promise<void>((resolve, reject) => {
        waiting.push({ id: newId('accessRecord', deps), record, resolve, reject })
      })
      // Most callers do not wait; the failure has been logged by then.
      durable.catch(() => undefined)
      wake(limits.accessRecordBufferMs)
      return durable
    },
    async close() {
      await flush()
      if (timer !== null) clearTimeout(timer)
      timer = null
      for (const { record } of waiting) deps.log.error({ record }, 'access_log.record_lost')
    },
  }
}
