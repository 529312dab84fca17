import { type Clock, type Log, limits, type Timers } from '../../../kernel/index.ts'
import type { EventStore } from '../../event-store.ts'
import type { Meters } from '../../meters.ts'

/** The exclusive right to send from one stream, renewed while it is held. */
export interface Lease {
  readonly appId: string
  readonly publisherId: string
  readonly epoch: bigint
  /** Somebody else may have the stream by now: nothing may be sent or recorded any more. */
  isLost(): boolean
  lose(): void
  /** Stops renewing and gives the stream back; nobody may have it before `notBeforeMs`, where that is given. */
  release(notBeforeMs: number | null): Promise<void>
}

export interface LeaseDependencies {
  readonly store: Pick<EventStore, 'takeLease' | 'renewLease' | 'releaseLease'>
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Log
  /** Names this process. */
  readonly owner: string
  readonly meters: Pick<Meters, 'leaseTakenOver'>
}

function keep(
  deps: LeaseDependencies,
  streamId: string,
  taken: Pick<Lease, 'epoch' | 'appId' | 'publisherId'> & { readonly untilMs: number },
): Lease {
  const { store, clock, timers, log } = deps
  const { epoch, appId, publisherId } = taken
  // What its row says, however long the statement took: from then on somebody else may have the stream.
  let { untilMs } = taken
  let lost = false

  async function renew(): Promise<void> {
    try {
      const nextMs = clock.nowMs() + limits.streamLeaseMs
      if (await store.renewLease(streamId, { epoch, untilMs: nextMs })) untilMs = Math.max(untilMs, nextMs)
      else lost = true
    } catch (error) {
      // The next round tries again; until then the old end holds.
      log.warn({ err: error, streamId }, 'events.lease_not_renewed')
    }
  }

  const cancelRenewal = timers.every(limits.streamLeaseRenewMs, () => void renew())
  return {
    appId,
    publisherId,
    epoch,
    isLost: () => lost || clock.nowMs() > untilMs,
    lose() {
      lost = true
    },
    async release(notBeforeMs) {
      cancelRenewal()
      try {
        await store.releaseLease(streamId, { epoch, notBeforeMs })
      } catch (error) {
        log.warn({ err: error, streamId }, 'events.lease_not_released')
      }
    },
  }
}

/** Takes the stream, or gives null when another drain has it. */
export async function openLease(deps: LeaseDependencies, streamId: string): Promise<Lease | null> {
  const nowMs = deps.clock.nowMs()
  const untilMs = nowMs + limits.streamLeaseMs
  const taken = await deps.store.takeLease(streamId, { owner: deps.owner, nowMs, untilMs })
  if (taken === null) return null
  if (taken.takenOver) deps.meters.leaseTakenOver()
  return keep(deps, streamId, { ...taken, untilMs })
}
