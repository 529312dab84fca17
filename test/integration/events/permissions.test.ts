import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { execute, sql } from '../../../src/db/index.ts'
import { type Events, endSubscriptions } from '../../../src/events/index.ts'
import { newId, systemRandom, toDate } from '../../../src/kernel/index.ts'
import { startReceiver, type TestReceiver } from '../../support/test-receiver.ts'
import { attemptsOf, deliveriesOf, type Fixture, type Installed, openFixture, payOrders } from './fixture.ts'

let fixture: Fixture
let receiver: TestReceiver
let events: Events

beforeAll(async () => {
  fixture = await openFixture()
  receiver = await startReceiver()
  events = fixture.makeEvents()
})
afterAll(async () => {
  await receiver.close()
  await fixture.close()
})

/** An installation with an endpoint and one event relayed to it that is not sent yet. */
async function waitingDelivery(
  granted = ['order:read', 'customer:read'],
  eventTypes = ['order.paid'],
): Promise<Installed> {
  const installed = await fixture.install({ granted, eventTypes })
  await fixture.addEndpoint(installed, `${receiver.url}/${installed.installationId}`)
  await payOrders(fixture, events, installed.merchantId, 1, true)
  await events.relayNow()
  return installed
}

const requestsOf = ({ installationId }: Installed) =>
  receiver.requests.filter(({ path }) => path.endsWith(installationId))

async function grant({ installationId }: Installed, granted: readonly string[]): Promise<void> {
  await execute(
    fixture.db.queries,
    'update "grant" set granted = $2::text[], epoch = epoch + 1 where installation_id = $1',
    installationId,
    granted,
  )
}

async function addRule(effect: string, appId: string, merchantId: string | null = null): Promise<string> {
  const id = newId('rule', { clock: fixture.clock, random: systemRandom })
  await sql(
    fixture.db.queries,
    `insert into rule (id, effect, app_id, merchant_id, reason_code, message, created_by, created_at)
     values ($1, $2, $3, $4, 'test', '{}', 'per_1', $5)`,
    id,
    effect,
    appId,
    merchantId,
    toDate(fixture.clock.nowMs()),
  )
  fixture.clock.advance(2_000)
  return id
}

async function lift(ruleId: string): Promise<void> {
  await execute(fixture.db.queries, 'update rule set lifted_at = now() where id = $1', ruleId)
  fixture.clock.advance(2_000)
}

describe('permissions are asked again before sending', () => {
  test('a withdrawn field is not sent, although it was allowed at fan-out; the new text is what is kept', async () => {
    const installed = await waitingDelivery()
    expect((await deliveriesOf(fixture, installed.streamId))[0]?.text).toContain('Lin Yue')
    await grant(installed, ['order:read'])
    await events.drainNow()
    const [request] = requestsOf(installed)
    expect(request?.body).not.toContain('Lin Yue')
    const [delivery] = await deliveriesOf(fixture, installed.streamId)
    expect(delivery).toMatchObject({ state: 'delivered', scopes: ['order:read'], text: request?.body })
  })

  test('a withdrawn event is cancelled, with the reason for the developer', async () => {
    const installed = await waitingDelivery()
    await grant(installed, ['customer:read'])
    await events.drainNow()
    expect(requestsOf(installed)).toEqual([])
    expect((await deliveriesOf(fixture, installed.streamId))[0]).toMatchObject({
      state: 'cancelled',
      attempts: 0,
    })
    expect((await attemptsOf(fixture, installed.streamId))[0]).toMatchObject({
      outcome: 'cancelled',
      error: 'events.scope_withdrawn',
    })
  })

  test.each([
    ['a revoked grant', `update "grant" set revoked_at = now() where installation_id = $1`],
    ['an uninstalled app', `update installation set state = 'uninstalled' where id = $1`],
    ['an ended subscription', 'update subscription set ended_at = now() where installation_id = $1'],
  ])('%s cancels', async (_what, statement) => {
    const installed = await waitingDelivery()
    await execute(fixture.db.queries, statement, installed.installationId)
    await events.drainNow()
    expect(requestsOf(installed)).toEqual([])
    expect((await deliveriesOf(fixture, installed.streamId))[0]).toMatchObject({ state: 'cancelled' })
  })
})

describe('uninstalling', () => {
  test('ends subscriptions and cancels what waits, of this installation only', async () => {
    const installed = await waitingDelivery()
    const other = await fixture.install({ appId: installed.appId })
    await payOrders(fixture, events, other.merchantId)
    await events.relayNow()
    await fixture.db.tx((tx) => endSubscriptions(tx, installed, fixture.clock))
    const deliveries = await deliveriesOf(fixture, installed.streamId)
    expect(deliveries.map(({ state }) => state)).toEqual(['cancelled', 'pending'])
    await payOrders(fixture, events, installed.merchantId)
    await events.relayNow()
    expect(await deliveriesOf(fixture, installed.streamId)).toHaveLength(2)
  })

  test('another merchant’s id ends nothing', async () => {
    const installed = await waitingDelivery()
    const foreign = { merchantId: await fixture.addMerchant(), installationId: installed.installationId }
    await fixture.db.tx((tx) => endSubscriptions(tx, foreign, fixture.clock))
    expect((await deliveriesOf(fixture, installed.streamId))[0]).toMatchObject({ state: 'pending' })
  })

  test('the app hears of its own removal, after everything else of it has ended', async () => {
    const installed = await waitingDelivery(['order:read'], ['order.paid', 'test.goodbye'])
    await fixture.db.tx(async (tx) => {
      await events.publish(tx, {
        type: 'test.goodbye',
        merchantId: installed.merchantId,
        subject: installed.installationId,
        data: { reason: 'uninstalled' },
      })
      await endSubscriptions(tx, installed, fixture.clock)
      await execute(
        tx,
        `update installation set state = 'uninstalled' where id = $1`,
        installed.installationId,
      )
      await execute(
        tx,
        `update "grant" set revoked_at = now() where installation_id = $1`,
        installed.installationId,
      )
    })
    await events.relayNow()
    await events.drainNow()
    expect(requestsOf(installed).map(({ body }) => (JSON.parse(body) as { type: string }).type)).toEqual([
      'test.goodbye',
    ])
  })
})

describe('rules hold deliveries', () => {
  test.each(['pause_events', 'stop', 'revoke_tokens'])(
    '%s: nothing is sent, nothing is lost',
    async (effect) => {
      const installed = await waitingDelivery()
      const ruleId = await addRule(effect, installed.appId)
      expect(await events.drainNow()).toBe(0)
      expect(requestsOf(installed)).toEqual([])
      expect((await deliveriesOf(fixture, installed.streamId))[0]).toMatchObject({
        state: 'pending',
        attempts: 0,
      })
      await lift(ruleId)
      await events.drainNow()
      expect(requestsOf(installed)).toHaveLength(1)
    },
  )

  test('a pause at one merchant does not keep the others', async () => {
    const held = await waitingDelivery()
    const free = await fixture.install({ appId: held.appId })
    await payOrders(fixture, events, free.merchantId)
    await events.relayNow()
    const ruleId = await addRule('pause_events', held.appId, held.merchantId)
    await events.drainNow()
    const merchants = () =>
      requestsOf(held).map(({ body }) => (JSON.parse(body) as { merchantid: string }).merchantid)
    expect(merchants()).toEqual([free.merchantId])
    await lift(ruleId)
    await events.drainNow()
    expect(merchants()).toEqual([free.merchantId, held.merchantId])
  })
})
