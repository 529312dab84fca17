import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { execute, sql } from '../../../src/db/index.ts'
import { limits } from '../../../src/kernel/index.ts'
import { startReceiver, type TestReceiver } from '../../support/test-receiver.ts'
import { type Installed, type Item, openStreamWorld, type StreamWorld } from './world.ts'

let world: StreamWorld
let receiver: TestReceiver

beforeAll(async () => {
  world = await openStreamWorld()
  receiver = await startReceiver()
})
afterAll(async () => {
  await receiver.close()
  await world.close()
})

interface Row {
  readonly state: string
  readonly last_outcome: string | null
  readonly attempts: number
  readonly finished: boolean
}

function rowsOf({ app }: Pick<Installed, 'app'>): Promise<Row[]> {
  return sql<Row>(
    world.at.db.queries,
    `select state, last_outcome, attempts, finished_at is not null as finished from delivery
     where app_id = $1 order by sequence`,
    app.appId,
  )
}

describe('an acknowledgement', () => {
  test('moves the cursor forward and closes what was open up to it, and nothing beyond', async () => {
    const installed = await world.install()
    await world.payAndRelay(installed.merchant, 3)
    expect(await world.acknowledge(installed, 2)).toBe(2)
    const closed = { state: 'delivered', last_outcome: 'delivered', attempts: 0, finished: true }
    expect(await rowsOf(installed)).toMatchObject([closed, closed, { state: 'pending', finished: false }])
  })

  test('never moves it back', async () => {
    const installed = await world.install()
    await world.payAndRelay(installed.merchant, 3)
    await world.acknowledge(installed, 3)
    expect(await world.acknowledge(installed, 1)).toBe(3)
    expect((await world.read(installed)).cursor).toBe(3)
  })

  test('of what does not exist is refused and changes nothing', async () => {
    const installed = await world.install()
    await world.payAndRelay(installed.merchant, 2)
    const refused = { json: { sequence: 3 } }
    const problem = await installed.api.refused('POST', '/v1/deliveries:ack', 409, refused)
    expect(problem).toMatchObject({ code: 'stream.sequence_ahead', lastSequence: 2 })
    expect((await world.read(installed)).cursor).toBe(0)
  })

  test('decides where a read without after begins', async () => {
    const installed = await world.install()
    await world.payAndRelay(installed.merchant, 3)
    await world.acknowledge(installed, 2)
    expect((await world.read(installed)).data.map(({ sequence }) => sequence)).toEqual([3])
    expect((await world.read(installed, '?after=0')).data).toHaveLength(3)
  })

  test('concerns no other app', async () => {
    const mine = await world.install()
    const theirs = await world.install({ merchant: mine.merchant })
    await world.payAndRelay(mine.merchant, 2)
    await world.acknowledge(mine, 2)
    expect((await world.read(theirs)).cursor).toBe(0)
    expect(await rowsOf(theirs)).toMatchObject([{ state: 'pending' }, { state: 'pending' }])
  })

  test('many at once end at the highest', async () => {
    const installed = await world.install()
    await world.payAndRelay(installed.merchant, 10)
    const all = Array.from({ length: 10 }, (_, i) => world.acknowledge(installed, ((i * 7) % 10) + 1))
    await Promise.all(all)
    expect((await world.read(installed)).cursor).toBe(10)
  })

  test('of more than one transaction bears says how far it came', async () => {
    const installed = await world.install()
    await world.payAndRelay(installed.merchant, 1)
    const count = limits.acknowledgedMax + 5
    // As many copies of the one delivery, each of an event of its own.
    await execute(
      world.at.db.queries,
      `with grown as (
         update stream set next_sequence = $2::int8 + 1 where app_id = $1 and sink = 'backend')
       insert into delivery (id, merchant_id, installation_id, app_id, stream_id, sequence, subscription_id, event_id,
         event_type, subject, scopes, body_hash, due_at, state, created_at)
       select id || '-' || n, merchant_id, installation_id, app_id, stream_id, n, subscription_id, event_id || '-' || n,
         event_type, subject, scopes, body_hash, due_at, state, created_at
       from delivery, generate_series(2, $2::int) as n where app_id = $1`,
      installed.app.appId,
      count,
    )
    expect(await world.acknowledge(installed, count)).toBe(limits.acknowledgedMax)
    expect(await world.acknowledge(installed, count)).toBe(count)
  })
})

describe('an endpoint and the cursor', () => {
  async function addEndpoint({ app }: Installed) {
    const path = `/developer/v1/apps/${app.appId}/endpoints`
    const { api } = app.publisher.owner
    const { id } = await api.call<{ id: string }>('POST', path, { url: receiver.url })
    return (step: 'pause' | 'resume') => api.call('POST', `${path}/${id}:${step}`)
  }

  test('what was drained by pull while it was paused is not pushed when it is resumed', async () => {
    const installed = await world.install()
    const step = await addEndpoint(installed)
    await step('pause')
    const eventIds = await world.payAndRelay(installed.merchant, 5)
    const before = receiver.requests.length
    await world.at.platform.events.drainNow()
    expect(receiver.requests).toHaveLength(before)
    const { data } = await world.read(installed, '?limit=3')
    await world.acknowledge(installed, data.at(-1)?.sequence ?? 0)
    await step('resume')
    await world.at.platform.events.drainNow()
    const pushed = receiver.requests.slice(before).map(({ headers }) => headers['webhook-id'])
    expect(pushed.toSorted()).toEqual(eventIds.slice(3).toSorted())
    expect([...data.map(({ eventId }) => eventId), ...pushed].toSorted()).toEqual(eventIds.toSorted())
  })

  test('an acknowledgement during an attempt stands, whatever becomes of the attempt', async () => {
    const installed = await world.install()
    await addEndpoint(installed)
    await world.payAndRelay(installed.merchant)
    let acknowledged: Promise<number> | null = null
    receiver.behave(() => {
      acknowledged ??= world.acknowledge(installed, 1)
      return { kind: 'status', status: 500 }
    })
    await world.at.platform.events.drainNow()
    expect(await acknowledged).toBe(1)
    await world.at.platform.events.drainNow()
    receiver.behave({ kind: 'status', status: 200 })
    expect(await rowsOf(installed)).toMatchObject([{ state: 'delivered' }])
  })
})

/** What the documentation says a partition is, in other words than the code. */
function indexOf(merchantId: string, count: number): number {
  return createHash('sha256').update(merchantId).digest().readUInt32BE(0) % count
}

describe('partitions', () => {
  test.each([1, 2, 3, 7, 50])(
    '%i of them show every delivery exactly once, a merchant in one',
    async (count) => {
      const installed = await world.install()
      const merchants = [installed.merchant]
      for (let i = 0; i < 5; i += 1) merchants.push(await world.installMore(installed.app))
      for (const merchant of merchants) await world.payAndRelay(merchant, 2)
      const parts: Item[] = []
      for (let index = 0; index < count; index += 1) {
        const { data, nextAfter } = await world.read(installed, `?partition=${index}/${count}`)
        for (const { merchantId = '' } of data) expect(indexOf(merchantId, count)).toBe(index)
        expect(nextAfter).toBe(12)
        parts.push(...data)
      }
      const sequences = parts.map(({ sequence }) => sequence).toSorted((a, b) => a - b)
      expect(sequences).toEqual(Array.from({ length: 12 }, (_, i) => i + 1))
    },
  )

  test('the cursor does not pass what another partition has not handled', async () => {
    const installed = await world.install()
    const merchants = [installed.merchant]
    while (new Set(merchants.map(({ merchantId }) => indexOf(merchantId, 2))).size < 2)
      merchants.push(await world.installMore(installed.app))
    const [first, last] = [merchants[0], merchants.at(-1)].map((merchant) => merchant ?? installed.merchant)
    const [mine = installed.merchant, theirs = installed.merchant] = [first, last]
    // 1 mine, 2 theirs, 3 mine
    await world.payAndRelay(mine)
    await world.payAndRelay(theirs)
    await world.payAndRelay(mine)
    const [a, b] = [indexOf(mine.merchantId, 2), indexOf(theirs.merchantId, 2)]
    expect(await world.acknowledge(installed, 3, `${a}/2`)).toBe(1)
    expect(await rowsOf(installed)).toMatchObject([
      ...[{ state: 'delivered' }, { state: 'pending' }, { state: 'delivered' }],
    ])
    expect(await world.acknowledge(installed, 2, `${b}/2`)).toBe(2)
    expect(await world.acknowledge(installed, 3, `${a}/2`)).toBe(3)
  })
})
