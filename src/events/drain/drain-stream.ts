import type { Sink } from '../sink.ts'
import { claimDeliveries } from './claim-deliveries.ts'
import {
  close,
  type Drain,
  type DrainDependencies,
  isDone,
  mustClaim,
  mustRecord,
  newDrain,
} from './drain.ts'
import { openLease } from './lease/lease.ts'
import { recordResults } from './record/record-results.ts'
import { sendNext } from './send-deliveries.ts'
import { makeSignal } from './signal.ts'
import type { Tempos } from './tempos.ts'

export type DrainEnd =
  /** Another drain has the stream, or its receiver wants nothing yet. */
  | { readonly kind: 'held' }
  | { readonly kind: 'drained'; readonly recorded: number; readonly nextDueMs: number | null }

/** A drain from outside. */
export interface RunningDrain {
  readonly ended: Promise<DrainEnd>
  /** There may be more to send. */
  poke(): void
  /** Takes nothing new; ends when what is in flight has been recorded. */
  close(): void
  /** Ends now: what is in flight will be sent again by whoever drains next. */
  abandon(): void
}

/** Work beside the sending: one claim and one recording at a time, each on its own. */
function run(d: Drain, part: 'claiming' | 'recording', work: (d: Drain) => Promise<void>): void {
  d[part] = work(d)
    .catch((error: unknown) => {
      d.failure ??= { error }
    })
    .finally(() => {
      d[part] = null
      d.signal.raise()
    })
}

function step(d: Drain): void {
  if (d.failure !== null || d.lease.isLost()) return
  if (mustClaim(d)) run(d, 'claiming', claimDeliveries)
  if (mustRecord(d)) run(d, 'recording', recordResults)
  sendNext(d)
}

async function loop(d: Drain): Promise<void> {
  step(d)
  while (!isDone(d)) {
    await d.signal.wait()
    step(d)
  }
  if (d.failure !== null) throw d.failure.error
}

/** When to come back: not before the receiver wants more, nor in the very millisecond. */
async function findNextTurn(d: Drain): Promise<number | null> {
  const dueMs = await d.deps.store.findNextDue(d.streamId, d.deps.clock.nowMs())
  return dueMs === null ? null : Math.max(dueMs, (d.heldUntilMs ?? 0) + 1)
}

async function drainWith(d: Drain): Promise<DrainEnd> {
  try {
    await loop(d)
  } finally {
    close(d)
    d.cancelRecordTimer?.()
    d.cancelRateTimer?.()
    await d.lease.release(d.heldUntilMs)
  }
  // After the release: whoever was turned away by this lease had its delivery committed before, so it is seen here.
  return { kind: 'drained', recorded: d.recorded, nextDueMs: await findNextTurn(d) }
}

/**
 * Empties one stream: takes its lease, sends what is due with as many attempts in flight as the receiver bears,
 * records the results in batches. `ended` rejects when the database fails; the sweeper comes back to the stream then.
 */
export function drainStream(
  deps: DrainDependencies,
  tempos: Tempos,
  { streamId, sink }: { readonly streamId: string; readonly sink: Sink },
): RunningDrain {
  const signal = makeSignal()
  const wishes = { close: false, abandon: false }
  let drain: Drain | null = null

  async function start(): Promise<DrainEnd> {
    const lease = await openLease(deps, streamId)
    if (lease === null) return { kind: 'held' }
    const tempo = tempos.of(streamId, deps.clock.nowMs())
    drain = newDrain({ deps, streamId, sink, lease, signal, tempo }, wishes)
    return drainWith(drain)
  }

  return {
    ended: start(),
    poke() {
      if (drain !== null) drain.mayHaveMore = true
      signal.raise()
    },
    close() {
      wishes.close = true
      if (drain !== null) close(drain)
      signal.raise()
    },
    abandon() {
      wishes.abandon = true
      if (drain !== null) drain.abandoned = true
      signal.raise()
    },
  }
}
