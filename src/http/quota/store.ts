import {
  type RateLimiterAbstract,
  RateLimiterPostgres,
  RateLimiterRedis,
  RateLimiterRes,
} from 'rate-limiter-flexible'
import { type Clock, limits } from '../../kernel/index.ts'
import type { Quota, Taken } from './quota.ts'

/** Where the processes of a platform add up what they take. One instance per quota. */
export interface QuotaStore {
  /** Adds to what was asked for in the key's window, or begins one. */
  take(key: string, portion: number): Promise<Taken>
}

export type OpenQuotaStore = (quota: Quota) => QuotaStore

/** Runs one statement of the library's. */
export type RunQuotaStatement = (text: string, values: readonly (string | number)[]) => Promise<QuotaRow[]>

export interface QuotaRow {
  readonly points: number
  /** Milliseconds since 1970. */
  readonly expire: number
}

const secondMs = 1000

function ofLibrary(limiter: RateLimiterAbstract): QuotaStore {
  return {
    async take(key, portion) {
      // The library refuses what goes beyond the limit with the same numbers: how much is granted is decided here.
      const answer: unknown = await limiter.consume(key, portion).catch((error: unknown) => error)
      if (!(answer instanceof RateLimiterRes)) throw answer
      return { asked: answer.consumedPoints, msLeft: answer.msBeforeNext }
    },
  }
}

/** In the table quota_window, which the hourly maintenance sweeps. */
export function postgresQuotas(run: RunQuotaStatement): OpenQuotaStore {
  const storeClient = {
    async query({ text, values }: { readonly text: string; readonly values: readonly (string | number)[] }) {
      return { rows: await run(text, values) }
    },
  }
  return ({ name, max, windowMs }) =>
    ofLibrary(
      new RateLimiterPostgres({
        ...{ storeClient, storeType: 'pool', tableName: 'quota_window' },
        ...{ tableCreated: true, clearExpiredByTimeout: false },
        ...{ keyPrefix: name, points: max, duration: windowMs / secondMs },
      }),
    )
}

/** In Redis, which forgets by itself. `redis`: an ioredis client; `prefix` keeps platforms on one server apart. */
export function redisQuotas(redis: object, prefix: string): OpenQuotaStore {
  return ({ name, max, windowMs }) =>
    ofLibrary(
      new RateLimiterRedis({
        ...{ storeClient: redis, rejectIfRedisNotReady: true },
        ...{ keyPrefix: `${prefix}:quota:${name}`, points: max, duration: windowMs / secondMs },
      }),
    )
}

/**
 * For a platform that is one process. Not the library's: that one has a timer per key and a clock of its own, which no
 * test can set forward.
 */
export function memoryQuotas(clock: Clock): OpenQuotaStore {
  return ({ windowMs }) => {
    const windows = new Map<string, { asked: number; readonly endsAtMs: number }>()
    return {
      take(key, portion) {
        const nowMs = clock.nowMs()
        const known = windows.get(key)
        const window = known !== undefined && known.endsAtMs > nowMs ? known : null
        const { asked, endsAtMs } = window ?? { asked: 0, endsAtMs: nowMs + windowMs }
        remember(windows, key, { asked: asked + portion, endsAtMs })
        return Promise.resolve({ asked: asked + portion, msLeft: endsAtMs - nowMs })
      },
    }
  }
}

/** Sets a key of a map that holds a bounded number of them: the one that was not set for longest is forgotten. */
export function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key)
  if (map.size >= limits.quotaKeysMax) {
    const [first] = map.keys()
    if (first !== undefined) map.delete(first)
  }
  map.set(key, value)
}
