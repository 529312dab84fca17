import { limits } from '../../../kernel/index.ts'
import type { EventStore } from '../../event-store.ts'
import type { RecordBatch } from './store.ts'

type RecordStore = Pick<EventStore, 'recordBatches'>

/** Records what the drains of this process have sent: those that come together share a statement and its commit. */
export interface Recorder {
  /** Resolves to whether it was recorded; false: the lease has gone to somebody else, and nothing is written. */
  record(batch: RecordBatch): Promise<boolean>
}

interface Waiting {
  readonly batch: RecordBatch
  resolve(held: boolean): void
  reject(error: unknown): void
}

// While two are with the database, what comes meanwhile gathers for the next.
const statementsMax = 2

function settle({ batch, resolve }: Waiting, held: ReadonlySet<string>): void {
  resolve(held.has(batch.streamId))
}

/** Each by itself: what is wrong with one batch must not fail the others, and each learns what became of its own. */
async function recordAlone(store: RecordStore, waiting: readonly Waiting[]): Promise<void> {
  for (const one of waiting) {
    try {
      settle(one, await store.recordBatches([one.batch]))
    } catch (error) {
      one.reject(error)
    }
  }
}

async function recordTogether(store: RecordStore, waiting: readonly Waiting[]): Promise<void> {
  if (waiting.length === 1) return recordAlone(store, waiting)
  let held: ReadonlySet<string>
  try {
    held = await store.recordBatches(waiting.map(({ batch }) => batch))
  } catch {
    return recordAlone(store, waiting)
  }
  for (const one of waiting) settle(one, held)
}

/** As many of the first as one statement takes; no stream twice: of two leases on one, at most one holds. */
function takeSome(queue: Waiting[]): readonly Waiting[] {
  const streamIds = new Set<string>()
  let size = 0
  for (const { batch } of queue) {
    size += batch.records.length
    if (streamIds.has(batch.streamId) || (streamIds.size > 0 && size > limits.drainRecordMax)) break
    streamIds.add(batch.streamId)
  }
  return queue.splice(0, streamIds.size)
}

/** Makes the recorder of one process. */
export function makeRecorder(store: RecordStore): Recorder {
  const queue: Waiting[] = []
  let running = 0

  async function work(): Promise<void> {
    running += 1
    while (queue.length > 0) await recordTogether(store, takeSome(queue))
    running -= 1
  }

  return {
    record: (batch) =>
      new Promise((resolve, reject) => {
        queue.push({ batch, resolve, reject })
        if (running < statementsMax) void work()
      }),
  }
}
