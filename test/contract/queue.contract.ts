import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { execute, sql } from '../../src/db/index.ts'
import { seededRandom } from '../../src/kernel/index.ts'
import { makeQueue, type Queue, type QueueOptions } from '../../src/queue/index.ts'
import { openTestDatabase, quietLog, type TestDatabase } from '../support/database.ts'

export type QueueKind = Queue['kind']

/** A prefix of its own keeps the tests apart on a shared Redis. */
export function freshPrefix(): string {
  return `stoa-test-${process.pid}-${Math.random().toString(36).slice(2)}`
}

/** Removes what the queues with this prefix left in Redis. */
export async function forgetRedis(redisUrl: string, prefix: string): Promise<void> {
  const client = new Redis(redisUrl)
  const keys = await client.keys(`${prefix}:*`)
  if (keys.length > 0) await client.del(...keys)
  client.disconnect()
}

/** Whatever holds of the queue holds wherever BullMQ keeps its jobs. */
export function queueContract(kind: QueueKind): void {
  describe(`queue on ${kind}`, () => {
    const redisUrl = kind === 'redis' ? process.env['REDIS_URL'] : undefined
    const prefix = freshPrefix()
    const open: Queue[] = []
    let opened: TestDatabase

    beforeAll(async () => {
      opened = await openTestDatabase({ kind: kind === 'postgresql' ? 'postgresql' : 'pglite' })
    })
    afterEach(async () => {
      await Promise.all(open.splice(0).map((queue) => queue.close()))
    })
    afterAll(async () => {
      await opened.close()
      if (redisUrl !== undefined) await forgetRedis(redisUrl, prefix)
    })

    function start(options: Partial<QueueOptions> = {}): Queue {
      const queue = makeQueue({ db: opened.db, redisUrl, log: quietLog, prefix, ...options })
      open.push(queue)
      return queue
    }

    test('names where it keeps its jobs', () => {
      expect(start().kind).toBe(kind)
    })

    test('a wake reaches its handler with its key, and no other name’s', async () => {
      const queue = start()
      const seen: string[] = []
      queue.work('basic', async (key) => void seen.push(key), { concurrency: 2 })
      queue.work('other', async () => void seen.push('wrong'), { concurrency: 1 })
      await queue.ready()
      const keys = ['str_1', 'str_2', 'with:colon', '中文', 'x'.repeat(200)]
      const taken = await Promise.all(keys.map((key) => queue.wake('basic', { key })))
      expect(taken).toStrictEqual(keys.map(() => true))
      await vi.waitFor(() => expect(seen.toSorted()).toStrictEqual(keys.toSorted()), 5_000)
    })

    test('a wake given before anybody works waits', async () => {
      const queue = start()
      expect(await queue.wake('early', { key: 'k' })).toBe(true)
      const seen: string[] = []
      queue.work('early', async (key) => void seen.push(key), { concurrency: 1 })
      await vi.waitFor(() => expect(seen).toStrictEqual(['k']), 5_000)
    })

    test('no more keys at a time than allowed', async () => {
      const queue = start()
      let now = 0
      let most = 0
      let done = 0
      const handler = async () => {
        now += 1
        most = Math.max(most, now)
        await sleep(20)
        now -= 1
        done += 1
      }
      queue.work('bounded', handler, { concurrency: 3 })
      await Promise.all(Array.from({ length: 30 }, (_, i) => queue.wake('bounded', { key: `k${i}` })))
      await vi.waitFor(() => expect(done).toBe(30), 15_000)
      expect(most).toBe(3)
    })

    test('a key that waits already is not added again', async () => {
      const queue = start()
      const seen: string[] = []
      let release: () => void = () => undefined
      const blocked = new Promise<void>((resolve) => {
        release = resolve
      })
      const handler = async (key: string) => {
        if (key === 'blocker') await blocked
        seen.push(key)
      }
      queue.work('dedup', handler, { concurrency: 1 })
      await queue.ready()
      await queue.wake('dedup', { key: 'blocker' })
      await sleep(100)
      for (let i = 0; i < 10; i += 1) await queue.wake('dedup', { key: 'waits' })
      release()
      await vi.waitFor(() => expect(seen).toStrictEqual(['blocker', 'waits']), 5_000)
      await sleep(300)
      expect(seen).toStrictEqual(['blocker', 'waits'])
    })

    test('wakes that come while their key runs make it run once more, afterwards', async () => {
      const queue = start()
      const log: string[] = []
      const handler = async () => {
        log.push('start')
        await sleep(300)
        log.push('end')
      }
      queue.work('again', handler, { concurrency: 4 })
      await queue.ready()
      await queue.wake('again', { key: 'k' })
      await vi.waitFor(() => expect(log).toStrictEqual(['start']), 5_000)
      for (let i = 0; i < 5; i += 1) await queue.wake('again', { key: 'k' })
      await vi.waitFor(() => expect(log).toStrictEqual(['start', 'end', 'start', 'end']), 8_000)
      await sleep(500)
      expect(log).toStrictEqual(['start', 'end', 'start', 'end'])
    })

    // What the drain needs: whatever was there before a wake is seen by a run that starts after it.
    test('no wake is ever swallowed: two nodes, random moments', async () => {
      const random = seededRandom('queue')
      const nodes = [start(), start()]
      const rows = new Map<string, number>()
      const handled = new Map<string, number>()
      const handler = async (key: string) => {
        const seen = rows.get(key) ?? 0
        await sleep(random.fraction() * 15)
        handled.set(key, Math.max(seen, handled.get(key) ?? 0))
      }
      for (const node of nodes) node.work('race', handler, { concurrency: 4 })
      await Promise.all(nodes.map((node) => node.ready()))
      const keys = ['a', 'b', 'c', 'd']
      const writers = keys.flatMap((key) =>
        nodes.map(async (node) => {
          for (let i = 0; i < 25; i += 1) {
            rows.set(key, (rows.get(key) ?? 0) + 1)
            await node.wake('race', { key })
            await sleep(random.fraction() * 25)
          }
        }),
      )
      await Promise.all(writers)
      await vi.waitFor(
        () => expect(Object.fromEntries(handled)).toStrictEqual(Object.fromEntries(rows)),
        10_000,
      )
    })

    test('a delayed wake comes in its time and never holds an immediate one up', async () => {
      const queue = start()
      const began = performance.now()
      const seen: number[] = []
      queue.work('delayed', async () => void seen.push(performance.now() - began), { concurrency: 1 })
      await queue.ready()
      const offset = performance.now() - began
      for (let i = 0; i < 5; i += 1) await queue.wake('delayed', { key: 'k', delayMs: 1_500 })
      await queue.wake('delayed', { key: 'k', delayMs: 3_600_000 })
      await queue.wake('delayed', { key: 'k' })
      await vi.waitFor(() => expect(seen.length).toBe(1), 1_000)
      await vi.waitFor(() => expect(seen.length).toBeGreaterThan(1), 8_000)
      expect(seen[1]).toBeGreaterThan(offset + 1_490)
      await sleep(400)
      expect(seen.length).toBeLessThanOrEqual(3)
    })

    test('a handler that fails is logged and does not block its key', async () => {
      const error = vi.fn()
      const queue = start({ log: Object.assign(Object.create(quietLog) as typeof quietLog, { error }) })
      let runs = 0
      queue.work(
        'failing',
        async () => {
          runs += 1
          throw new Error('handler')
        },
        { concurrency: 1 },
      )
      await queue.wake('failing', { key: 'k' })
      await vi.waitFor(() => expect(runs).toBe(1), 5_000)
      await sleep(200)
      await queue.wake('failing', { key: 'k' })
      await vi.waitFor(() => expect(runs).toBe(2), 5_000)
      expect(error.mock.calls.map(([, message]) => message)).toContain('queue.handler_failed')
    })

    test('a wake inside a transaction is a mistake that shows at once', async () => {
      const queue = start()
      await expect(opened.db.tx(() => queue.wake('x', { key: 'k' }))).rejects.toThrow(
        'queue.wake() inside a db.tx()',
      )
    })

    test('timers repeat without a server, never overlap, survive a failure and stop', async () => {
      const queue = start()
      let now = 0
      let most = 0
      let runs = 0
      queue.every('tick', 20, async () => {
        now += 1
        most = Math.max(most, now)
        await sleep(30)
        now -= 1
        runs += 1
        if (runs === 1) throw new Error('timer')
      })
      await vi.waitFor(() => expect(runs).toBeGreaterThan(3), 5_000)
      await queue.close()
      const after = runs
      await sleep(150)
      expect([most, runs]).toStrictEqual([1, after])
    })

    test('closing waits for what runs and takes nothing more', async () => {
      const queue = start()
      let ended = false
      let started = false
      queue.work(
        'closing',
        async () => {
          started = true
          await sleep(700)
          ended = true
        },
        { concurrency: 1 },
      )
      await queue.wake('closing', { key: 'k' })
      await vi.waitFor(() => expect(started).toBe(true), 5_000)
      await queue.close()
      expect(ended).toBe(true)
      expect(await queue.wake('closing', { key: 'k' })).toBe(false)
    })

    test('a handler that hangs neither holds the end up nor takes its key along', {
      timeout: 30_000,
    }, async () => {
      const first = start()
      let started = false
      first.work('hanging', () => new Promise(() => (started = true)), { concurrency: 1 })
      await first.wake('hanging', { key: 'k' })
      await vi.waitFor(() => expect(started).toBe(true), 5_000)
      const began = performance.now()
      await first.close()
      expect(performance.now() - began).toBeLessThan(5_000)

      const second = start()
      const seen: string[] = []
      second.work('hanging', async (key) => void seen.push(key), { concurrency: 1 })
      await second.wake('hanging', { key: 'k' })
      await vi.waitFor(() => expect(seen).toContain('k'), 10_000)
    })

    test('queue and transactions do not get into each other', { timeout: 60_000 }, async () => {
      const { db } = opened
      const queue = start()
      await execute(db.queries, 'create table if not exists mixed (id text primary key)')
      const handled = new Set<string>()
      const handler = async (key: string) => {
        await db.tx(async (tx) => {
          await execute(tx, 'insert into mixed values ($1) on conflict do nothing', `handler-${key}`)
          await tx.person.count()
        })
        handled.add(key)
      }
      queue.work('mixed', handler, { concurrency: 8 })
      await queue.ready()
      const keys = Array.from({ length: 60 }, (_, i) => String(i))
      const wakes = keys.map((key) => queue.wake('mixed', { key }))
      const transactions = keys.map((key) =>
        db
          .tx(async (tx) => {
            await execute(tx, 'insert into mixed values ($1)', `tx-${key}`)
            await sleep(1)
            await tx.person.count()
            if (Number(key) % 2 === 1) throw new Error('rolled back')
          })
          .catch(() => undefined),
      )
      // As BullMQ's own migrations do it: BEGIN and its end are separate calls on a client of the pool.
      const pooled = keys.map(async (key) => {
        const client = await db.pool.connect()
        await client.query('BEGIN')
        await client.query('insert into public.mixed values ($1)', [`pool-${key}`])
        await sleep(1)
        await client.query(Number(key) % 2 === 1 ? 'ROLLBACK' : 'COMMIT')
        client.release()
      })
      const reads = keys.map(() => sql(db.queries, 'select count(*) from mixed'))
      await Promise.all([...wakes, ...transactions, ...pooled, ...reads])
      await vi.waitFor(() => expect(handled.size).toBe(60), 20_000)
      const counts = await sql(
        db.queries,
        `select split_part(id, '-', 1) as writer, count(*)::int as rows from mixed group by 1 order by 1`,
      )
      expect(counts).toStrictEqual([
        { writer: 'handler', rows: 60 },
        { writer: 'pool', rows: 30 },
        { writer: 'tx', rows: 30 },
      ])
    })
  })
}
