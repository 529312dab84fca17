import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { execute, sql } from '../../../src/db/index.ts'
import { limits } from '../../../src/kernel/index.ts'
import { startReceiver, type TestReceiver } from '../../support/test-receiver.ts'
import { appToken, type Installed, type Item, openStreamWorld, type StreamWorld } from './world.ts'

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

const sequences = (items: readonly Item[]) => items.map(({ sequence }) => sequence)
const customer = { customer: { name: 'Lin Yue', phone: '+86 10 5555 0100' } }

async function addEndpoint({ app }: Pick<Installed, 'app'>): Promise<string> {
  const path = `/developer/v1/apps/${app.appId}/endpoints`
  return (await app.publisher.owner.api.call<{ id: string }>('POST', path, { url: receiver.url })).id
}

function setGrant({ installationId }: Installed, granted: readonly string[]): Promise<number> {
  const text = `update "grant" set granted = $2::text[] where installation_id = $1`
  return execute(world.at.db.queries, text, installationId, granted)
}

/** The rules are remembered for two seconds. */
const afterRulesCache = () => world.at.clock.advance(2_100)

describe('pull gives what the webhooks carry', () => {
  test('the same ids, sequences and texts', async () => {
    const installed = await world.install()
    await addEndpoint(installed)
    const before = receiver.requests.length
    const eventIds = await world.payAndRelay(installed.merchant, 3, customer)
    await world.at.platform.events.drainNow()
    const webhooks = receiver.requests.slice(before).map(({ headers, body }) => ({
      ...{ sequence: Number(headers['webhook-sequence']), eventId: headers['webhook-id'], body },
    }))
    const { data, ...rest } = await world.read(installed)
    const pulled = data.map(({ sequence, eventId, body }) => ({ sequence, eventId, body }))
    expect(pulled).toEqual(webhooks.toSorted((a, b) => a.sequence - b.sequence))
    expect(data.map(({ eventId }) => eventId)).toEqual(eventIds)
    expect(rest).toEqual({ hasMore: false, nextAfter: 3, lastSequence: 3, cursor: 0 })
    expect(data[0]).toMatchObject({
      ...{ eventType: 'order.paid', merchantId: installed.merchant.merchantId, thin: false },
    })
  })

  test.each(['none', 'active', 'paused', 'stopped'])('with an endpoint that is %s', async (state) => {
    const installed = await world.install()
    if (state !== 'none') {
      const endpointId = await addEndpoint(installed)
      await execute(world.at.db.queries, 'update endpoint set state = $2 where id = $1', endpointId, state)
    }
    const eventIds = await world.payAndRelay(installed.merchant, 2)
    expect((await world.read(installed)).data.map(({ eventId }) => eventId)).toEqual(eventIds)
  })

  test('page by page, each place once', async () => {
    const installed = await world.install()
    const eventIds = await world.payAndRelay(installed.merchant, 5)
    const seen: (string | undefined)[] = []
    let after = 0
    for (let hasMore = true; hasMore; ) {
      const part = await world.read(installed, `?after=${after}&limit=2`)
      seen.push(...part.data.map(({ eventId }) => eventId))
      after = part.nextAfter
      hasMore = part.hasMore
    }
    expect(seen).toEqual(eventIds)
    expect(after).toBe(5)
  })

  test('a page ends before its bodies are too many bytes, but never empty', async () => {
    const installed = await world.install()
    const line = { name: 'x'.repeat(200), quantity: 1, unitPrice: { amount: 1, currency: 'CNY' } }
    await world.payAndRelay(installed.merchant, 30, { lines: Array.from({ length: 180 }, () => line) })
    const { data, hasMore, nextAfter } = await world.read(installed)
    const bytes = data.map(({ body = '' }) => Buffer.byteLength(body))
    expect(hasMore).toBe(true)
    expect(nextAfter).toBe(data.length)
    expect(data.length).toBeGreaterThan(10)
    expect(bytes.slice(0, -1).reduce((sum, size) => sum + size, 0)).toBeLessThan(limits.pullBytesMax)
  })

  test('an app that nobody has installed has an empty stream', async () => {
    const { publisher } = (await world.install()).app
    const app = await world.story.publish(publisher)
    const api = world.at.bearer(await appToken(world.at, app))
    expect(await world.read({ api })).toEqual({
      ...{ data: [], hasMore: false, nextAfter: 0, lastSequence: 0, cursor: 0 },
    })
    expect(await world.acknowledge({ api }, 0)).toBe(0)
  })
})

describe('who may read', () => {
  const calls = [
    ['GET', '/v1/deliveries'],
    ['POST', '/v1/deliveries:ack'],
    ['GET', '/v1/stream'],
  ] as const

  test.each(calls)('%s %s: nobody without a token', async (method, path) => {
    expect((await world.at.anonymous.refused(method, path, 401)).code).toBe('capability.unauthenticated')
  })

  test.each(calls)('%s %s: not with a token of an installation', async (method, path) => {
    const { app, merchant } = await world.install()
    const { access_token } = await world.story.connect(merchant, app)
    const json = method === 'POST' ? { json: { sequence: 0 } } : {}
    const problem = await world.at.bearer(access_token).refused(method, path, 403, json)
    expect(problem.code).toBe('stream.app_token_required')
  })

  test('another app’s deliveries are never there', async () => {
    const mine = await world.install()
    const theirs = await world.install({ merchant: mine.merchant })
    await world.payAndRelay(mine.merchant, 3)
    const [own, other] = [(await world.read(mine)).data, (await world.read(theirs)).data]
    const ids = new Set(own.map(({ deliveryId }) => deliveryId))
    expect(ids.size).toBe(3)
    expect(other).toHaveLength(3)
    expect(other.some(({ deliveryId }) => ids.has(deliveryId))).toBe(false)
  })
})

describe('what cannot be', () => {
  test.each([
    ['after=-1', '/after'],
    ['after=x', '/after'],
    ['after=1.5', '/after'],
    ['after=9007199254740993', '/after'],
    ['limit=0', '/limit'],
    ['limit=201', '/limit'],
    ['waitSeconds=31', '/waitSeconds'],
    ['partition=x', '/partition'],
    ['partition=4/4', '/partition'],
    ['partition=0/51', '/partition'],
    ['access_token=x', '/access_token'],
  ])('?%s is refused with its place', async (query, pointer) => {
    const { api } = await world.install()
    const problem = await api.refused('GET', `/v1/deliveries?${query}`, 400)
    expect(problem.errors).toMatchObject([{ pointer }])
  })

  test('a sequence that the stream has not reached is refused, and says how far it has come', async () => {
    const installed = await world.install()
    await world.payAndRelay(installed.merchant, 2)
    const problem = await installed.api.refused('GET', '/v1/deliveries?after=3', 409)
    expect(problem).toMatchObject({ code: 'stream.sequence_ahead', lastSequence: 2 })
    expect((await world.read(installed, '?after=2')).data).toEqual([])
  })
})

describe('permissions are those of the moment of reading', () => {
  test('a withdrawn field is not in the text any more, also of what a webhook has delivered', async () => {
    const installed = await world.install()
    await addEndpoint(installed)
    await world.payAndRelay(installed.merchant, 1, customer)
    await world.at.platform.events.drainNow()
    expect((await world.read(installed)).data[0]?.body).toContain('Lin Yue')
    await setGrant(installed, ['order:read'])
    const [item] = (await world.read(installed)).data
    expect(JSON.parse(item?.body ?? '')).toMatchObject({ type: 'order.paid', data: { tracking: null } })
    expect(item?.body).not.toContain('Lin Yue')
  })

  test('a withdrawn scope leaves markers, so that no place is missing', async () => {
    const installed = await world.install()
    await world.payAndRelay(installed.merchant, 2)
    await setGrant(installed, [])
    const other = await world.installMore(installed.app)
    await world.payAndRelay(other)
    const { data } = await world.read(installed)
    expect(data.slice(0, 2)).toEqual([
      { sequence: 1, cancelled: true },
      { sequence: 2, cancelled: true },
    ])
    expect(data[2]).toMatchObject({ sequence: 3, merchantId: other.merchantId })
  })

  test('after an uninstallation only its goodbye is shown', async () => {
    const manifest = { required: ['order:read'], events: ['order.paid', 'app.uninstalled'] }
    const installed = await world.install({ manifest })
    await world.payAndRelay(installed.merchant)
    const path = `/merchant/v1/installations/${installed.installationId}`
    await installed.merchant.owner.api.call('DELETE', path)
    await world.at.platform.events.relayNow()
    const { data } = await world.read(installed)
    expect(data[0]).toEqual({ sequence: 1, cancelled: true })
    expect(data[1]).toMatchObject({ sequence: 2, eventType: 'app.uninstalled' })
    expect(data).toHaveLength(2)
  })

  test('what is no longer kept is one marker for all of it', async () => {
    const installed = await world.install()
    await world.payAndRelay(installed.merchant, 4)
    const gone = 'delete from delivery where app_id = $1 and sequence <= 3'
    await execute(world.at.db.queries, gone, installed.app.appId)
    const { data } = await world.read(installed, '?limit=1')
    expect(data).toMatchObject([{ sequence: 3, cancelled: true, from: 1 }, { sequence: 4 }])
    await execute(world.at.db.queries, 'delete from delivery where app_id = $1', installed.app.appId)
    expect(await world.read(installed, '?after=1')).toMatchObject({
      ...{ data: [{ sequence: 4, cancelled: true, from: 2 }], nextAfter: 4 },
    })
  })

  test('an event whose data is no longer kept says what happened and where to read it', async () => {
    const installed = await world.install()
    const [eventId] = await world.payAndRelay(installed.merchant, 1, customer)
    const { queries } = world.at.db
    await execute(queries, 'delete from body where event_id = $1', eventId ?? '')
    await execute(queries, 'update event set data = null where id = $1', eventId ?? '')
    const [item] = (await world.read(installed)).data
    const { data, ...attributes } = JSON.parse(item?.body ?? '') as Record<string, unknown>
    expect(item?.thin).toBe(true)
    expect(data).toBeUndefined()
    expect(attributes).toMatchObject({ id: eventId, type: 'order.paid' })
  })
})

describe('the platform’s rules hold', () => {
  test('an app that was stopped gets nothing', async () => {
    const installed = await world.install()
    await world.payAndRelay(installed.merchant)
    await world.addRule({ effect: 'stop', appId: installed.app.appId })
    world.at.clock.advance(limits.accessTokenCacheMs + 100)
    const { status } = await installed.api.request('GET', '/v1/deliveries')
    expect([401, 403]).toContain(status)
  })

  test('while its events are paused nothing is shown; afterwards everything is there', async () => {
    const installed = await world.install()
    await world.payAndRelay(installed.merchant, 2)
    const ruleId = await world.addRule({ effect: 'pause_events', appId: installed.app.appId })
    afterRulesCache()
    expect(await world.read(installed)).toMatchObject({ data: [], nextAfter: 0, lastSequence: 2 })
    await execute(world.at.db.queries, 'update rule set lifted_at = now() where id = $1', ruleId)
    afterRulesCache()
    expect(sequences((await world.read(installed)).data)).toEqual([1, 2])
  })

  test('one merchant’s deliveries are held back without holding up the others, and are not lost', async () => {
    const installed = await world.install()
    const other = await world.installMore(installed.app)
    await world.payAndRelay(installed.merchant)
    await world.payAndRelay(other)
    const { merchantId } = installed.merchant
    const ruleId = await world.addRule({ effect: 'pause_events', merchantId, appId: installed.app.appId })
    afterRulesCache()
    const { data } = await world.read(installed)
    expect(data[0]).toEqual({ sequence: 1, held: true })
    expect(data[1]).toMatchObject({ sequence: 2, merchantId: other.merchantId })
    // Acknowledging what came after it does not pass it over.
    expect(await world.acknowledge(installed, 2)).toBe(0)
    await execute(world.at.db.queries, 'update rule set lifted_at = now() where id = $1', ruleId)
    afterRulesCache()
    expect((await world.read(installed)).data[0]).toMatchObject({ sequence: 1, merchantId })
    expect(await world.acknowledge(installed, 1)).toBe(1)
  })

  test('a scope that a rule has dropped shows no field', async () => {
    const installed = await world.install()
    await world.payAndRelay(installed.merchant, 1, customer)
    await world.addRule({ effect: 'drop_scope', scope: 'customer:read', appId: installed.app.appId })
    afterRulesCache()
    expect((await world.read(installed)).data[0]?.body).not.toContain('Lin Yue')
  })
})

describe('each merchant’s access log tells of its own deliveries', () => {
  interface Entry {
    readonly operation: string
    readonly actor: string
    readonly appId: string
    readonly rows: number
    readonly personal: boolean
  }

  async function entriesOf(merchant: Installed['merchant']): Promise<readonly Entry[]> {
    const path = `/merchant/v1/merchants/${merchant.merchantId}/access-records?limit=200`
    const { data } = await merchant.owner.api.call<{ data: readonly Entry[] }>('GET', path)
    return data.filter(({ operation }) => operation === 'stream.read')
  }

  test('with how many there were and whether customers’ data was among them', async () => {
    const installed = await world.install()
    const other = await world.installMore(installed.app)
    await world.payAndRelay(installed.merchant, 2, customer)
    await world.payAndRelay(other, 1)
    await world.read(installed)
    const { appId } = installed.app
    // The one with personal data was written before the answer went out, and took the other along.
    expect(await entriesOf(installed.merchant)).toMatchObject([
      { actor: 'app', appId, rows: 2, personal: true },
    ])
    expect(await entriesOf(other)).toMatchObject([{ actor: 'app', appId, rows: 1, personal: false }])
  })

  test('and nothing is written of a read that showed nothing', async () => {
    const installed = await world.install()
    const count = async () => {
      const text = `select count(*)::int as n from access_record where app_id = $1`
      const [row] = await sql<{ n: number }>(world.at.db.queries, text, installed.app.appId)
      return row?.n
    }
    await world.read(installed)
    await world.payAndRelay(installed.merchant, 1, customer)
    await world.read(installed, '?after=0')
    expect(await count()).toBe(1)
  })
})
