import { type Clock, type Log, limits } from '../../kernel/index.ts'
import {
  isUsedUp,
  portionOf,
  type Quota,
  type Share,
  type Standing,
  shareAfter,
  standingOf,
} from './quota.ts'
import { type QuotaStore, remember } from './store.ts'

/** Counts requests of one quota, of all keys. */
export interface Limiter {
  /** Counts one request. Null: nothing was left, and it is not counted. */
  spend(key: string): Promise<Standing | null>
  /** Where the key stands, as far as this process knows; costs nothing. */
  standing(key: string): Standing
  /** Whether this process knows that nothing is left; costs nothing. */
  isUsedUp(key: string): boolean
}

export interface LimiterDependencies {
  readonly quota: Quota
  readonly store: QuotaStore
  readonly clock: Clock
  readonly blind: Blind
}

/** What becomes known of a store that does not answer. */
export interface Blind {
  /** A request went on uncounted. */
  countRequest(): void
  noteFailure(error: unknown): void
}

function inTime<T>(work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(
      () => reject(new Error(`no answer in ${limits.quotaStoreMs} ms`)),
      limits.quotaStoreMs,
    )
    work.then(resolve, reject).finally(() => clearTimeout(late))
  })
}

/**
 * A limiter of one process. It takes quota from the store in portions and spends them here: a request costs no
 * statement, a portion does. Processes that share a store admit together never more than the quota in one of its
 * windows (grantOf says why); windows begin with a key's first request, so any span of a window's length sees at most
 * twice as much. Without the store requests go on uncounted: answering matters more than counting.
 */
export function makeLimiter({ quota, store, clock, blind }: LimiterDependencies): Limiter {
  const shares = new Map<string, Share>()
  const taking = new Map<string, Promise<boolean>>()
  let blindUntilMs = Number.NEGATIVE_INFINITY

  function liveShare(key: string): Share | undefined {
    const share = shares.get(key)
    return share !== undefined && share.endsAtMs > clock.nowMs() ? share : undefined
  }

  async function take(key: string): Promise<boolean> {
    const askedAtMs = clock.nowMs()
    if (askedAtMs < blindUntilMs) return false
    try {
      const taken = await inTime(store.take(key, portionOf(quota)))
      remember(shares, key, shareAfter(quota, taken, askedAtMs))
      return true
    } catch (error) {
      blindUntilMs = clock.nowMs() + limits.quotaBlindMs
      blind.noteFailure(error)
      return false
    }
  }

  /** One at a time per key: who comes meanwhile spends of the same portion. False: the store is away. */
  function takeOnce(key: string): Promise<boolean> {
    const running = taking.get(key)
    if (running !== undefined) return running
    const started = take(key).finally(() => taking.delete(key))
    taking.set(key, started)
    return started
  }

  return {
    async spend(key) {
      for (;;) {
        const share = liveShare(key)
        if (share !== undefined && share.left > 0) {
          const spent = { ...share, left: share.left - 1 }
          shares.set(key, spent)
          return standingOf(quota, spent, clock.nowMs())
        }
        if (isUsedUp(share, clock.nowMs())) return null
        if (!(await takeOnce(key))) {
          blind.countRequest()
          return standingOf(quota, share, clock.nowMs())
        }
      }
    },
    standing: (key) => standingOf(quota, shares.get(key), clock.nowMs()),
    isUsedUp: (key) => isUsedUp(shares.get(key), clock.nowMs()),
  }
}

/** Counts what goes on uncounted, and tells the log of it at most once a minute. */
export function makeBlind({
  clock,
  log,
}: {
  readonly clock: Clock
  readonly log: Log
}): Blind & { count(): number } {
  let toldAtMs = Number.NEGATIVE_INFINITY
  let count = 0
  return {
    count: () => count,
    countRequest() {
      count += 1
    },
    noteFailure(error) {
      if (clock.nowMs() - toldAtMs < limits.quotaLogMs) return
      toldAtMs = clock.nowMs()
      log.warn({ err: error }, 'http.quota_store_away')
    },
  }
}
