import { createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { makeMeter, redisQuotas } from '../../../src/http/index.ts'
import type { Quota } from '../../../src/http/quota/quota.ts'
import { makeLimiter } from '../../../src/http/quota/spend-quota.ts'
import { memoryQuotas } from '../../../src/http/quota/store.ts'
import { type Clock, type Log, limits, makeLog } from '../../../src/kernel/index.ts'
import { openRedis } from '../../../src/queue/index.ts'
import { openTestDatabase, quietLog, testServerUrl } from '../../support/database.ts'
import { startTestPlatform } from '../../support/platform.ts'
import { freshAddress, from, quotaFactor, quotaMax, repeat } from '../../support/quotas.ts'

function movableClock(): Clock & { advance(ms: number): void } {
  let nowMs = 1_700_000_000_000
  return {
    nowMs: () => nowMs,
    advance(ms) {
      nowMs += ms
    },
  }
}

/** Warnings as they are written. */
function warningsOf(): { readonly log: Log; readonly warnings: string[] } {
  const warnings: string[] = []
  const warn = (_members: object, text: string) => warnings.push(text)
  const log = new Proxy(makeLog({ level: 'silent' }), {
    get: (target, name) => (name === 'warn' ? warn : (Reflect.get(target, name) as unknown)),
  })
  return { log, warnings }
}

/** Counts what becomes known of a store that is away. */
function countingBlind() {
  const seen = { requests: 0, failures: 0 }
  const blind = {
    countRequest() {
      seen.requests += 1
    },
    noteFailure() {
      seen.failures += 1
    },
  }
  return { seen, blind }
}

/** A port that takes connections and says nothing. */
async function silentServer() {
  const server = createServer(() => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { readonly port: number }
  return { url: `redis://127.0.0.1:${port}`, close: () => server.close() }
}

describe('without its store', () => {
  test('a platform answers on, uncounted; the metric says how often and the log once a minute', async () => {
    const clock = movableClock()
    const { log, warnings } = warningsOf()
    const away = await silentServer()
    const redis = openRedis(away.url, quietLog)
    try {
      const meter = makeMeter({ openStore: redisQuotas(redis, 'away'), factor: 0.001, clock, log })
      const send = () => meter.admitNetwork({ address: '192.0.2.1', response: null })
      for (let sent = 0; sent < 10; sent += 1) await send()
      expect(meter.counts()).toEqual({ refused: {}, uncounted: 10 })
      expect(warnings).toEqual(['http.quota_store_away'])
      clock.advance(limits.quotaLogMs - 1)
      await send()
      expect(warnings).toHaveLength(1)
      clock.advance(limits.quotaBlindMs)
      await send()
      expect(warnings).toHaveLength(2)
      expect(meter.counts().uncounted).toBe(12)
    } finally {
      redis.disconnect()
      away.close()
    }
  })

  const quota: Quota = { name: 'person', max: 2, windowMs: 60_000 }

  test('one that hangs holds a request up for a moment, and the next ones not at all', async () => {
    const clock = movableClock()
    const { seen, blind } = countingBlind()
    let asked = 0
    const take = () => {
      asked += 1
      return new Promise<never>(() => undefined)
    }
    const limiter = makeLimiter({ quota, store: { take }, clock, blind })
    const startedAt = performance.now()
    expect(await limiter.spend('a')).toMatchObject({ remaining: 2 })
    const heldUpMs = performance.now() - startedAt
    expect(heldUpMs).toBeGreaterThan(limits.quotaStoreMs - 20)
    expect(heldUpMs).toBeLessThan(limits.quotaStoreMs * 8)
    await limiter.spend('b')
    expect(asked).toBe(1)
    expect(seen).toEqual({ requests: 2, failures: 1 })
  })

  test('when it is back, requests are counted again', async () => {
    const clock = movableClock()
    const { seen, blind } = countingBlind()
    const memory = memoryQuotas(clock)(quota)
    let isAway = true
    const take = (...portion: Parameters<typeof memory.take>) =>
      isAway ? Promise.reject(new Error('away')) : memory.take(...portion)
    const limiter = makeLimiter({ quota, store: { take }, clock, blind })
    await limiter.spend('a')
    isAway = false
    await limiter.spend('a')
    expect(seen).toEqual({ requests: 2, failures: 1 })
    clock.advance(limits.quotaBlindMs)
    expect(await limiter.spend('a')).toMatchObject({ remaining: 1 })
    expect(await limiter.spend('a')).toMatchObject({ remaining: 0 })
    expect(await limiter.spend('a')).toBeNull()
    expect(limiter.isUsedUp('a')).toBe(true)
    clock.advance(quota.windowMs)
    expect(await limiter.spend('a')).toMatchObject({ remaining: 1 })
  })

  test('what a process remembers is bounded: the key it has not heard of for longest is forgotten', async () => {
    const clock = movableClock()
    const { seen, blind } = countingBlind()
    const limiter = makeLimiter({ quota, store: memoryQuotas(clock)(quota), clock, blind })
    await limiter.spend('first')
    await limiter.spend('first')
    expect(limiter.isUsedUp('first')).toBe(true)
    for (let other = 0; other < limits.quotaKeysMax; other += 1) await limiter.spend(`other ${other}`)
    expect(limiter.isUsedUp('first')).toBe(false)
    expect(seen).toEqual({ requests: 0, failures: 0 })
  })
})

const needsServer = 'two nodes share a PostgreSQL: the embedded database has one process (set DATABASE_URL)'

test('two nodes on one database admit together what one would', async ({ skip }) => {
  if (testServerUrl() === undefined) skip(needsServer)
  const database = await openTestDatabase()
  const config = { quotaFactor, trustProxy: ['loopback'] }
  const nodes = await Promise.all([0, 1].map(() => startTestPlatform({ database, config })))
  try {
    const address = from(freshAddress())
    const sendTo = (node: number) => () =>
      nodes[node]?.anonymous.with(address).request('GET', '/schemas/manifest.json') ??
      Promise.reject(new Error())
    const [one, other] = await Promise.all([repeat(40, sendTo(0)), repeat(40, sendTo(1))])
    const admitted = (one[200] ?? 0) + (other[200] ?? 0)
    expect(admitted).toBe(quotaMax.address)
    expect((one[429] ?? 0) + (other[429] ?? 0)).toBe(80 - admitted)
  } finally {
    await Promise.all(nodes.map((node) => node.close()))
    await database.close()
  }
})
