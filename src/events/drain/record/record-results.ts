import { isUniqueViolation } from '../../../db/index.ts'
import { sleep } from '../../../kernel/index.ts'
import type { RecordedResult } from '../../sink.ts'
import { type Drain, type DrainResult, isInOrder } from '../drain.ts'

const retryMs = 200

/** What the receiver is told: a delivery that was cancelled never reached it. */
function toRecorded({ ending, record }: DrainResult): readonly RecordedResult[] {
  return ending.kind === 'cancelled' ? [] : [{ outcome: ending, state: record.settled.state }]
}

/** Stores the batch; false when the lease has gone. A database that is away for a moment costs no result. */
async function store(d: Drain, batch: readonly DrainResult[]): Promise<boolean> {
  const records = batch.map(({ record }) => record)
  for (;;) {
    try {
      return await d.deps.recorder.record({ streamId: d.streamId, epoch: d.lease.epoch, records })
    } catch (error) {
      // The try before this one had been stored, only its answer was lost.
      if (isUniqueViolation(error)) return true
      if (d.lease.isLost() || d.abandoned) throw error
      d.deps.log.warn({ err: error, streamId: d.streamId }, 'events.batch_not_recorded')
      await sleep(d.deps.timers, retryMs)
    }
  }
}

/** Records what has ended, and tells the receiver. */
export async function recordResults(d: Drain): Promise<void> {
  d.cancelRecordTimer?.()
  d.cancelRecordTimer = null
  d.recordNow = false
  const batch = d.results
  d.results = []
  const startedAtMs = d.deps.clock.nowMs()
  if (!(await store(d, batch))) return d.lease.lose()
  d.recordMs = d.deps.clock.nowMs() - startedAtMs
  for (const { delivery } of batch) d.line.release(delivery)
  // In order: of a subject that was in hand nothing else was claimed.
  if (d.line.tookLeave() && isInOrder(d)) d.mayHaveMore = true
  d.recorded += batch.length
  try {
    await d.receiver?.recorded?.(batch.flatMap(toRecorded))
  } catch (error) {
    d.deps.log.warn({ err: error, streamId: d.streamId }, 'events.outcomes_not_noted')
  }
}
