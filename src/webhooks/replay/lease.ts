import { type Clock, type Log, limits, type Queries } from '../../kernel/index.ts'
import { releaseReplay, renewReplay, type TakenReplay, takeReplay } from './store.ts'

/** The exclusive right to go on with a replay, renewed while it is held. */
export interface ReplayLease {
  readonly taken: TakenReplay
  /** Somebody else may have the replay by now, or it was cancelled: nothing more may be sent. */
  isLost(): boolean
  lose(): void
  /** A statement that recorded something has moved the lease's end. */
  extendTo(untilMs: number): void
  /** Stops renewing and gives the replay back. */
  release(): Promise<void>
}

export interface LeaseDependencies {
  readonly queries: Queries
  readonly clock: Clock
  readonly log: Log
  /** Names this process. */
  readonly owner: string
  /** Called once, when the lease is found to be lost. */
  onLost(): void
}

function keep({ queries, clock, log, onLost }: LeaseDependencies, taken: TakenReplay): ReplayLease {
  const { epoch } = taken
  const { id: replayId } = taken.replay
  let untilMs = clock.nowMs() + limits.streamLeaseMs
  let lost = false

  function lose(): void {
    if (lost) return
    lost = true
    onLost()
  }

  async function renew(): Promise<void> {
    try {
      const nextMs = clock.nowMs() + limits.streamLeaseMs
      if (await renewReplay(queries, replayId, { epoch, untilMs: nextMs })) untilMs = nextMs
      else lose()
    } catch (error) {
      // The next round tries again; until then the old end holds.
      log.warn({ err: error, replayId }, 'webhooks.replay_not_renewed')
    }
  }

  const timer = setInterval(() => void renew(), limits.streamLeaseRenewMs)
  return {
    taken,
    isLost: () => lost || clock.nowMs() > untilMs,
    lose,
    extendTo(nextMs) {
      untilMs = nextMs
    },
    async release() {
      clearInterval(timer)
      try {
        await releaseReplay(queries, replayId, epoch)
      } catch (error) {
        log.warn({ err: error, replayId }, 'webhooks.replay_not_released')
      }
    },
  }
}

/** Takes the replay, or gives null when it does not run or another process has it. */
export async function openReplay(deps: LeaseDependencies, replayId: string): Promise<ReplayLease | null> {
  const nowMs = deps.clock.nowMs()
  const taken = await takeReplay(deps.queries, replayId, {
    ...{ owner: deps.owner, nowMs },
    untilMs: nowMs + limits.streamLeaseMs,
  })
  return taken === null ? null : keep(deps, taken)
}
