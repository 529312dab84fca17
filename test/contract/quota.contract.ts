import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { removeEndedWindows, runOnWindows, sql } from '../../src/db/index.ts'
import { memoryQuotas, postgresQuotas, redisQuotas } from '../../src/http/index.ts'
import type { Quota } from '../../src/http/quota/quota.ts'
import { makeLimiter } from '../../src/http/quota/spend-quota.ts'
import type { OpenQuotaStore, QuotaStore } from '../../src/http/quota/store.ts'
import { present, systemClock } from '../../src/kernel/index.ts'
import { openRedis } from '../../src/queue/index.ts'
import { openTestDatabase, quietLog, type TestDatabase } from '../support/database.ts'
import { forgetRedis, freshPrefix } from './queue.contract.ts'

export type QuotaStoreKind = 'memory' | 'pglite' | 'postgresql' | 'redis'

interface Opened {
  readonly open: OpenQuotaStore
  readonly database: TestDatabase | null
  close(): Promise<void>
}

async function openStore(kind: QuotaStoreKind): Promise<Opened> {
  if (kind === 'memory')
    return { open: memoryQuotas(systemClock), database: null, close: () => Promise.resolve() }
  if (kind === 'redis') {
    const redisUrl = present(process.env['REDIS_URL'], 'REDIS_URL')
    const prefix = freshPrefix()
    const redis = openRedis(redisUrl, quietLog)
    if (redis.status !== 'ready') await new Promise<void>((resolve) => redis.once('ready', () => resolve()))
    const close = async () => {
      redis.disconnect()
      await forgetRedis(redisUrl, prefix)
    }
    return { open: redisQuotas(redis, prefix), database: null, close }
  }
  const database = await openTestDatabase({ kind })
  const open = postgresQuotas((...statement) => runOnWindows(database.db.queries, ...statement))
  return { open, database, close: () => database.close() }
}

const quota = (max: number, name: Quota['name'] = 'installation'): Quota => ({ name, max, windowMs: 60_000 })
const neverBlind = {
  countRequest: () => expect.unreachable('a request that went on uncounted'),
  noteFailure: (error: unknown) => expect.unreachable(String(error)),
}

/** Whatever holds of quotas holds wherever the processes add them up. */
export function quotaContract(kind: QuotaStoreKind): void {
  describe(`quotas in ${kind}`, () => {
    let opened: Opened
    let count = 0
    const freshKey = () => {
      count += 1
      return `key ${count}`
    }

    beforeAll(async () => {
      opened = await openStore(kind)
    })
    afterAll(() => opened.close())

    const limiterOn = (store: QuotaStore, one: Quota) =>
      makeLimiter({ quota: one, store, clock: systemClock, blind: neverBlind })

    test('a store adds up what is asked for, per quota and key, and says when the window ends', async () => {
      const [first, other] = [opened.open(quota(100)), opened.open(quota(100, 'person'))]
      const key = freshKey()
      expect((await first.take(key, 5)).asked).toBe(5)
      const second = await first.take(key, 60)
      expect(second.asked).toBe(65)
      expect(second.msLeft).toBeGreaterThan(50_000)
      expect(second.msLeft).toBeLessThanOrEqual(60_000)
      expect((await other.take(key, 7)).asked).toBe(7)
      expect((await first.take(freshKey(), 1)).asked).toBe(1)
    })

    test('what goes beyond the quota is added up like the rest, so that who is refused knows until when', async () => {
      const store = opened.open(quota(10))
      const key = freshKey()
      await store.take(key, 8)
      const beyond = await store.take(key, 8)
      expect(beyond.asked).toBe(16)
      expect(beyond.msLeft).toBeGreaterThan(50_000)
    })

    test('two processes on one store admit together exactly the quota, however their requests mix', async () => {
      const one = quota(100)
      // On a server each has a store of its own, as two processes have; memory is one process.
      const stores = kind === 'memory' ? [opened.open(one)] : [opened.open(one), opened.open(one)]
      const limiters = [0, 1].map((index) =>
        limiterOn(present(stores[index % stores.length], 'a store'), one),
      )
      const key = freshKey()
      const requests = Array.from({ length: 150 }, () => limiters.map((limiter) => limiter.spend(key))).flat()
      const admitted = (await Promise.all(requests)).filter((standing) => standing !== null)
      expect(requests).toHaveLength(300)
      expect(admitted).toHaveLength(100)
      expect(limiters.map((limiter) => limiter.isUsedUp(key))).toEqual([true, true])
    })

    test('requests cost the store one question per portion', async () => {
      const one = quota(400)
      let questions = 0
      const store = opened.open(one)
      const counting: QuotaStore = {
        take(key, portion) {
          questions += 1
          return store.take(key, portion)
        },
      }
      const limiter = limiterOn(counting, one)
      const key = freshKey()
      for (let sent = 0; sent < 500; sent += 1) await limiter.spend(key)
      // Twenty portions; that the last one is the last is known from its answer.
      expect(questions).toBe(20)
    })

    test.runIf(kind === 'pglite' || kind === 'postgresql')(
      'windows that have ended are removed',
      async () => {
        const { queries } = present(opened.database, 'a database').db
        await opened.open(quota(10)).take('swept', 1)
        const left = async () =>
          (await sql(queries, 'select key from quota_window where key = $1', 'installation:swept')).length
        await removeEndedWindows(queries, systemClock.nowMs())
        expect(await left()).toBe(1)
        await removeEndedWindows(queries, systemClock.nowMs() + 61_000)
        expect(await left()).toBe(0)
      },
    )
  })
}
