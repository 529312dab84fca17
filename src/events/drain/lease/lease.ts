import { type Clock, type Log, limits, type Queries } from '../../../kernel/index.ts'
import type { Meters } from '../../meters.ts'
import { releaseLease, renewLease, takeLease } from './store.ts'

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
  readonly queries: Queries
  readonly clock: Clock
  readonly log: Log
  /** Names this process. */
  readonly owner: string
  readonly meters: Pick<Meters, 'leaseTakenOver'>
}

function keep(
  deps: LeaseDependencies,
  streamId: string,
  { epoch, appId, publisherId }: Pick<Lease, 'epoch' | 'appId' | 'publisherId'>,
): Lease {
  const { queries, clock, log } = deps
  let untilMs = clock.nowMs() + limits.streamLeaseMs
  let lost = false

  async function renew(): Promise<void> {
    try {
      const nextMs = clock.nowMs() + limits.streamLeaseMs
      if (await renewLease(queries, streamId, { epoch, untilMs: nextMs })) untilMs = nextMs
      else lost = true
    } catch (error) {
      // The next round tries again; until then the old end holds.
      log.warn({ err: error, streamId }, 'events.lease_not_renewed')
    }
  }

  const timer = setInterval(() => void renew(), limits.streamLeaseRenewMs)
  return {
    appId,
    publisherId,
    epoch,
    isLost: () => lost || clock.nowMs() > untilMs,
    lose() {
      lost = true
    },
    async release(notBeforeMs) {
      clearInterval(timer)
      try {
        await releaseLease(queries, streamId, { epoch, notBeforeMs })
      } catch (error) {
        log.warn({ err: error, streamId }, 'events.lease_not_released')
      }
    },
  }
}

/** Takes the stream, or gives null when another drain has it. */
export async function openLease(deps: LeaseDependencies, streamId: string): Promise<Lease | null> {
  const nowMs = deps.clock.nowMs()
  const taken = await takeLease(deps.queries, streamId, {
    owner: deps.owner,
    nowMs,
    untilMs: nowMs + limits.streamLeaseMs,
  })
  if (taken === null) return null
  if (taken.takenOver) deps.meters.leaseTakenOver()
  return keep(deps, streamId, taken)
}
