import { setTimeout as sleep } from 'node:timers/promises'
import type { Again, DueDelivery } from '../../events/index.ts'
import { limits } from '../../kernel/index.ts'
import type { SendingDependencies } from '../dependencies.ts'
import { openDirect } from '../direct/open-direct.ts'
import { toAgainFilter } from './filter.ts'
import { openReplay, type ReplayLease } from './lease.ts'
import { makePacer, type Pacer } from './pacer.ts'
import { pauseMsAfter } from './pause-after.ts'
import { recordReplayed } from './record/store.ts'
import { type SentBatch, sendBatch } from './send-batch.ts'
import { endReplay } from './store.ts'

export interface ReplayDependencies extends SendingDependencies {
  readonly again: Again
  /** Names this process in leases. */
  readonly owner: string
}

/** A replay at work, from outside. */
export interface RunningReplay {
  /** Resolves to how many deliveries it has dealt with. */
  readonly ended: Promise<number>
  /** Begins nothing new; ends when what is in flight has been recorded. */
  close(): void
  /** Ends now: what is in flight will be sent again by whoever goes on. */
  abandon(): void
}

interface Run {
  readonly deps: ReplayDependencies
  readonly lease: ReplayLease
  readonly pacer: Pacer
  /** Aborted: nothing new is begun. */
  readonly closing: AbortController
  readonly abandoned: Promise<void>
  cursor: bigint
  pauseMs: number
  done: number
}

/** Passes the time; false, and earlier, when the replay is being closed. */
async function pass(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(ms, undefined, { signal })
    return true
  } catch {
    return false
  }
}

function goesOn(run: Run): boolean {
  return !run.closing.signal.aborted && !run.lease.isLost()
}

// Half a second's worth: progress is seen, a cancellation is noticed, and a killed process repeats little.
function batchSizeOf(ratePerSecond: number): number {
  return Math.min(limits.replayBatchMax, Math.ceil(ratePerSecond / 2))
}

function nextBatch({ deps, lease, cursor }: Run): Promise<readonly DueDelivery[]> {
  const { replay, untilSequence } = lease.taken
  return deps.again.list(replay.streamId, {
    filter: toAgainFilter(replay.filter),
    span: { afterSequence: cursor, untilSequence },
    deliveriesMax: batchSizeOf(replay.ratePerSecond),
  })
}

async function record(run: Run, { sent }: SentBatch): Promise<void> {
  const { deps, lease } = run
  const last = sent.at(-1)
  if (last === undefined) return
  const { replay, epoch } = lease.taken
  const nowMs = deps.clock.nowMs()
  const untilMs = nowMs + limits.streamLeaseMs
  const batch = { replayId: replay.id, appId: replay.appId, epoch, untilMs, cursor: last.sequence, nowMs }
  const state = await recordReplayed(deps.db.queries, replay.streamId, batch, sent)
  if (state !== null) {
    run.cursor = last.sequence
    run.done += sent.length
  }
  if (state === 'running') lease.extendTo(untilMs)
  else lease.lose()
}

async function end({ deps, lease }: Run, state: 'done' | 'cancelled'): Promise<void> {
  const { replay, epoch } = lease.taken
  await endReplay(deps.db.queries, replay.id, { epoch, state, nowMs: deps.clock.nowMs() })
  deps.log.info({ replayId: replay.id, appId: replay.appId, state }, 'webhooks.replay_ended')
}

/** One batch. False: nothing more can be done now. */
async function step(run: Run): Promise<boolean> {
  const { deps, lease } = run
  const { replay } = lease.taken
  const direct = await openDirect(deps, replay.streamId)
  if (direct === null || direct.state === 'stopped') {
    await end(run, 'cancelled')
    return false
  }
  const app = { appId: replay.appId, publisherId: replay.publisherId }
  if (direct.state !== 'active' || (await deps.again.isHeld(app))) return false
  const batch = await nextBatch(run)
  if (batch.length === 0) {
    await end(run, 'done')
    return false
  }
  const by = { publisherId: replay.publisherId, replayId: replay.id }
  const batchDeps = { ...deps, pacer: run.pacer, abandoned: run.abandoned, goesOn: () => goesOn(run) }
  const result = await sendBatch(batchDeps, direct.receiver, batch, by)
  await record(run, result)
  // The sweep comes back to it.
  if (result.deferred) return false
  run.pauseMs = pauseMsAfter(result.endings, run.pauseMs)
  if (run.pauseMs > 0) await pass(run.pauseMs, run.closing.signal)
  return true
}

async function work(run: Run): Promise<number> {
  try {
    while (goesOn(run) && (await step(run)));
  } finally {
    await run.lease.release()
  }
  return run.done
}

/**
 * Goes on with one replay from its cursor: takes its lease, sends batch after batch at its rate, and records each with
 * the progress. `ended` rejects when the database fails; the sweep comes back to the replay then.
 */
export function runReplay(deps: ReplayDependencies, replayId: string): RunningReplay {
  const closing = new AbortController()
  let abandon: () => void = () => undefined
  const abandoned = new Promise<void>((resolve) => {
    abandon = resolve
  })

  async function run(): Promise<number> {
    const { db, clock, log, owner } = deps
    const onLost = () => closing.abort()
    const lease = await openReplay({ queries: db.queries, clock, log, owner, onLost }, replayId)
    if (lease === null) return 0
    const { replay, cursor } = lease.taken
    const pacer = makePacer(clock, replay.ratePerSecond, (ms) => pass(ms, closing.signal))
    return work({ deps, lease, pacer, closing, abandoned, cursor, pauseMs: 0, done: 0 })
  }

  return {
    ended: run(),
    close: () => closing.abort(),
    abandon() {
      closing.abort()
      abandon()
    },
  }
}
