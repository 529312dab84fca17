import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hostCapabilities } from '../../../src/capabilities/index.ts'
import {
  type Catalog,
  type Door,
  makeCatalog,
  makeDoor,
  type PersonCaller,
} from '../../../src/capability/index.ts'
import { makeBoundCounters, sql } from '../../../src/db/index.ts'
import { neverDueMs } from '../../../src/events/index.ts'
import { newId, StoaError, systemRandom } from '../../../src/kernel/index.ts'
import { makeEndpointStore, webhooksCapability } from '../../../src/webhooks/index.ts'
import { quietLog } from '../../support/database.ts'
import { startReceiver, type TestReceiver } from '../../support/test-receiver.ts'
import {
  deliveriesOf,
  type Fixture,
  type Installed,
  openFixture,
  payOrders,
  secretKey,
} from '../events/fixture.ts'

let fixture: Fixture
let receiver: TestReceiver
let door: Door

function makeTestDoor(at: Fixture, allowLoopback: boolean): Door {
  const { db, clock, http: httpClient } = at
  const endpoints = { secretKey, allowLoopback, publicUrl: 'https://platform.example', httpClient }
  const catalog: Catalog = makeCatalog([
    ...hostCapabilities,
    webhooksCapability(endpoints, {
      catalog: () => catalog,
      again: () => at.makeEvents().again,
      sending: {
        ...{ db, endpoints: makeEndpointStore(db), httpClient, secretKey, clock },
        ...{ random: systemRandom, log: quietLog },
      },
      wakeReplay: () => undefined,
    }),
  ])
  return makeDoor({
    catalog,
    queries: db.queries,
    runInTransaction: (fn) => db.tx(fn),
    publish: () => Promise.reject(new Error('nothing is published here')),
    recorder: { record: () => Promise.resolve(), buffer: () => Promise.resolve() },
    idempotency: {
      isAnswered: () => Promise.resolve(false),
      claim: () => Promise.resolve('claimed'),
      finish: () => Promise.resolve(),
    },
    boundCounters: makeBoundCounters(),
    checkRules: (caller) => Promise.resolve(caller),
    clock,
    random: systemRandom,
  })
}

beforeAll(async () => {
  fixture = await openFixture()
  receiver = await startReceiver()
  door = makeTestDoor(fixture, true)
})
afterAll(async () => {
  await receiver.close()
  await fixture.close()
})

function person(publisherId: string, role = 'developer'): PersonCaller {
  return {
    kind: 'person',
    personId: newId('person', { clock: fixture.clock, random: systemRandom }),
    sessionId: null,
    displayName: 'Dev',
    locale: 'en',
    credentialId: null,
    audiences: new Set(['developer']),
    publishers: new Map([[publisherId, role]]),
    merchants: new Map(),
    platformRoles: new Set(),
  }
}

// Answers are JSON of many shapes; each test says what it expects of its own.
// biome-ignore lint/suspicious/noExplicitAny: the output schema has checked the shape
async function call(operation: string, caller: PersonCaller, input: unknown, through = door): Promise<any> {
  const answer = await through.invoke(operation, { caller, input, via: 'rest', requestId: 'req_1' })
  return answer.output
}

async function refusal(
  operation: string,
  caller: PersonCaller,
  input: unknown,
  through = door,
): Promise<StoaError> {
  try {
    await call(operation, caller, input, through)
  } catch (error) {
    if (error instanceof StoaError) return error
    throw error
  }
  throw new Error(`${operation} was not refused`)
}

const url = 'https://hooks.example.com/stoa'

describe('creating an endpoint', () => {
  test('shows its secret once; reading it does not', async () => {
    const { appId, publisherId } = await fixture.addApp()
    const dev = person(publisherId)
    const made = await call('endpoint.create', dev, { appId, url })
    expect(made.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
    expect(made).toMatchObject({ appId, url, state: 'unverified', startSequence: 1, failingSince: null })
    const { secret, ...rest } = made
    expect(await call('endpoint.get', dev, { appId, endpointId: made.id })).toEqual(rest)
    expect(await call('endpoint.list', dev, { appId })).toEqual({
      data: [rest],
      hasMore: false,
      nextCursor: null,
    })
    const stored = await sql<{ sealed: string }>(fixture.db.queries, 'select sealed from endpoint_secret')
    expect(JSON.stringify(stored)).not.toContain(secret.slice(6))
  })

  test('a second one is refused: an app has one stream for its backend', async () => {
    const { appId, publisherId } = await fixture.addApp()
    await call('endpoint.create', person(publisherId), { appId, url })
    expect((await refusal('endpoint.create', person(publisherId), { appId, url })).code).toBe(
      'webhooks.endpoint_exists',
    )
  })

  test('five at once make one', async () => {
    const { appId, publisherId } = await fixture.addApp()
    const tries = Array.from({ length: 5 }, () =>
      call('endpoint.create', person(publisherId), { appId, url }),
    )
    const made = (await Promise.allSettled(tries)).filter(({ status }) => status === 'fulfilled')
    expect(made).toHaveLength(1)
  })

  test('an app of the class mini-program has no backend', async () => {
    const { appId, publisherId } = await fixture.addApp('mini-program')
    expect((await refusal('endpoint.create', person(publisherId), { appId, url })).code).toBe(
      'webhooks.app_has_no_backend',
    )
  })

  test.each(['http://hooks.example.com/', 'https://10.0.0.1/', 'https://localhost/'])(
    '%s is refused with a pointer and leaves no row',
    async (bad) => {
      const { appId, publisherId } = await fixture.addApp()
      const strict = makeTestDoor(fixture, false)
      const error = await refusal('endpoint.create', person(publisherId), { appId, url: bad }, strict)
      expect(error.code).toBe('webhooks.url_refused')
      expect(error.options.errors?.[0]?.pointer).toBe('/url')
      expect(await call('endpoint.list', person(publisherId), { appId })).toMatchObject({ data: [] })
    },
  )
})

describe('another publisher’s things are as if they were not there', () => {
  let mine: Installed
  let endpointId: string
  let deliveryId: string
  let stranger: PersonCaller

  beforeAll(async () => {
    mine = await fixture.install()
    endpointId = (
      await call('endpoint.create', person(mine.publisherId), { appId: mine.appId, url: receiver.url })
    ).id
    const events = fixture.makeEvents()
    await payOrders(fixture, events, mine.merchantId)
    await events.relayNow()
    deliveryId = (await deliveriesOf(fixture, mine.streamId))[0]?.id ?? ''
    stranger = person((await fixture.addApp()).publisherId, 'owner')
  })

  const missing = {
    appId: 'app_01JD0000000000000000000009',
    endpointId: 'end_01JD0000000000000000000009',
    deliveryId: 'dlv_01JD0000000000000000000009',
  }

  test.each([
    ['endpoint.create', { appId: true, url }],
    ['endpoint.list', { appId: true }],
    ['endpoint.get', { appId: true, endpointId: true }],
    ['endpoint.delete', { appId: true, endpointId: true }],
    ['endpoint.rotate_secret', { appId: true, endpointId: true }],
    ['endpoint.update', { appId: true, endpointId: true, fifo: true }],
    ['endpoint.verify', { appId: true, endpointId: true }],
    ['endpoint.pause', { appId: true, endpointId: true }],
    ['endpoint.resume', { appId: true, endpointId: true }],
    ['delivery.list', { appId: true }],
    ['delivery.get', { appId: true, deliveryId: true }],
  ])('%s, word for word', async (operation, shape) => {
    const ids = { appId: mine.appId, endpointId, deliveryId }
    const fill = (from: Record<string, string>) =>
      Object.fromEntries(Object.entries(shape).map(([name, value]) => [name, from[name] ?? value]))
    const foreign = await refusal(operation, stranger, fill(ids))
    const absent = await refusal(operation, stranger, fill(missing))
    expect([foreign.status, foreign.code, foreign.message]).toEqual([404, absent.code, absent.message])
    expect(
      await call('endpoint.get', person(mine.publisherId), { appId: mine.appId, endpointId }),
    ).toBeDefined()
  })

  test('an app of one’s own does not open another app’s delivery or endpoint', async () => {
    const other = await fixture.addApp()
    await sql(
      fixture.db.queries,
      'update app set publisher_id = $2 where id = $1',
      other.appId,
      mine.publisherId,
    )
    const dev = person(mine.publisherId)
    expect((await refusal('delivery.get', dev, { appId: other.appId, deliveryId })).status).toBe(404)
    expect((await refusal('endpoint.get', dev, { appId: other.appId, endpointId })).status).toBe(404)
  })

  test('a viewer reads and changes nothing', async () => {
    const viewer = person(mine.publisherId, 'viewer')
    expect(await call('endpoint.list', viewer, { appId: mine.appId })).toBeDefined()
    const error = await refusal('endpoint.delete', viewer, { appId: mine.appId, endpointId })
    expect(error.code).toBe('capability.role_required')
  })
})

describe('rotating the secret', () => {
  test('both sign until the old one expires; a third rotation leaves two', async () => {
    const installed = await fixture.install()
    const dev = person(installed.publisherId)
    const events = fixture.makeEvents()
    const { appId } = installed
    const made = await call('endpoint.create', dev, { appId, url: receiver.url })
    const second = await call('endpoint.rotate_secret', dev, {
      appId,
      endpointId: made.id,
      overlapSeconds: 3_600,
    })
    const send = async () => {
      const [eventId] = await payOrders(fixture, events, installed.merchantId)
      await events.relayNow()
      await events.drainNow()
      return receiver.requests.find(({ headers }) => headers['webhook-id'] === eventId)
    }
    const accepts = (secret: string, request: Awaited<ReturnType<typeof send>>) => {
      try {
        new Webhook(secret).verify(request?.body ?? '', request?.headers ?? {})
        return true
      } catch (error) {
        if (String(error).includes('timestamp')) throw error
        return false
      }
    }
    const during = await send()
    expect(during?.headers['webhook-signature']?.split(' ')).toHaveLength(2)
    expect([accepts(made.secret, during), accepts(second.secret, during)]).toEqual([true, true])

    const third = await call('endpoint.rotate_secret', dev, { appId, endpointId: made.id })
    const after = await send()
    const accepted = [made, second, third].map(({ secret }) => accepts(secret, after))
    expect(accepted).toEqual([false, true, true])
    const { secrets } = await call('endpoint.get', dev, { appId, endpointId: made.id })
    expect(secrets.map((secret: { expiresAt: string | null }) => secret.expiresAt === null)).toEqual([
      true,
      false,
    ])
  })

  test('the overlap ends when it was said to end', async () => {
    const { appId, publisherId } = await fixture.addApp()
    const dev = person(publisherId)
    const made = await call('endpoint.create', dev, { appId, url })
    await call('endpoint.rotate_secret', dev, { appId, endpointId: made.id, overlapSeconds: 0 })
    fixture.clock.advance(1)
    expect((await call('endpoint.get', dev, { appId, endpointId: made.id })).secrets).toHaveLength(1)
  })

  test('an overlap beyond a week is refused', async () => {
    const { appId, publisherId } = await fixture.addApp()
    const made = await call('endpoint.create', person(publisherId), { appId, url })
    const input = { appId, endpointId: made.id, overlapSeconds: 7 * 24 * 3600 + 1 }
    expect((await refusal('endpoint.rotate_secret', person(publisherId), input)).code).toBe(
      'capability.invalid_input',
    )
  })
})

describe('deleting an endpoint', () => {
  test('nothing more is sent; what is left waits to be pulled, and a new endpoint begins anew', async () => {
    const installed = await fixture.install()
    const dev = person(installed.publisherId)
    const { appId, streamId } = installed
    const events = fixture.makeEvents()
    const made = await call('endpoint.create', dev, { appId, url: receiver.url })
    await payOrders(fixture, events, installed.merchantId, 2)
    await events.relayNow()
    expect(await call('endpoint.delete', dev, { appId, endpointId: made.id })).toBeUndefined()
    expect(
      (await deliveriesOf(fixture, streamId)).every(({ due_at }) => due_at.getTime() === neverDueMs),
    ).toBe(true)
    expect(await events.drainNow()).toBe(0)
    expect((await refusal('endpoint.get', dev, { appId, endpointId: made.id })).status).toBe(404)
    expect(await call('endpoint.create', dev, { appId, url })).toMatchObject({ startSequence: 3 })
  })
})

describe('the list of deliveries', () => {
  test('is newest first, paged by sequence, with state and attempts', async () => {
    const installed = await fixture.install()
    const dev = person(installed.publisherId)
    const { appId } = installed
    await call('endpoint.create', dev, { appId, url: receiver.url })
    const events = fixture.makeEvents()
    await payOrders(fixture, events, installed.merchantId, 5)
    await events.relayNow()
    receiver.behave((_request, index) =>
      index % 2 === 0
        ? { kind: 'status', status: 200, body: 'x'.repeat(5_000) }
        : { kind: 'status', status: 500 },
    )
    await events.drainNow()

    const first = await call('delivery.list', dev, { appId, limit: 3 })
    expect(first.data.map(({ sequence }: { sequence: number }) => sequence)).toEqual([5, 4, 3])
    expect(first.hasMore).toBe(true)
    const second = await call('delivery.list', dev, { appId, limit: 3, after: first.nextCursor })
    expect(second.data.map(({ sequence }: { sequence: number }) => sequence)).toEqual([2, 1])
    expect([second.hasMore, second.nextCursor]).toEqual([false, null])

    const all = [...first.data, ...second.data]
    const delivered = all.filter(({ state }) => state === 'delivered')
    expect(delivered.length).toBeGreaterThan(0)
    expect(delivered[0]).toMatchObject({ attemptCount: 1, dueAt: null })
    expect(delivered[0].attempts).toHaveLength(1)
    expect(delivered[0].attempts[0]).toMatchObject({ outcome: 'delivered', status: 200, error: null })
    expect(delivered[0].attempts[0].response).toHaveLength(512)
    const waiting = all.find(({ state }) => state === 'waiting')
    expect(waiting.attempts[0]).toMatchObject({
      outcome: 'failed',
      status: 500,
      error: 'webhooks.status_not_2xx',
    })
    expect(waiting.dueAt).not.toBeNull()

    const onlyWaiting = await call('delivery.list', dev, { appId, state: 'waiting' })
    expect(onlyWaiting.data.every(({ state }: { state: string }) => state === 'waiting')).toBe(true)
    const detail = await call('delivery.get', dev, { appId, deliveryId: delivered[0].id })
    expect(detail.attempts[0].response).toHaveLength(5_000)
    expect(await call('delivery.list', dev, { appId, sink: 'sandbox' })).toMatchObject({ data: [] })
  })
})
