import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { sql } from '../../../src/db/index.ts'
import { lockStream } from '../../../src/events/index.ts'
import { status } from '../../support/test-receiver.ts'
import {
  type Attempt,
  addViewer,
  type Connected,
  type Delivery,
  exhaust,
  openReplayWorld,
  type Replay,
  type ReplayWorld,
} from './world.ts'

interface Resent {
  readonly replayId: string
  readonly attempt: Attempt
  readonly delivery: Delivery
}

let world: ReplayWorld
let connected: Connected

beforeAll(async () => {
  world = await openReplayWorld()
})
afterAll(() => world.close())
beforeEach(async () => {
  connected = await world.connect()
  world.receiver.behave(status(200))
})

const pathOf = ({ id }: { readonly id: string }, verb: 'resend' | 'skip') =>
  `${connected.appPath}/deliveries/${id}:${verb}`
const resend = (delivery: Delivery) => connected.dev.call<Resent>('POST', pathOf(delivery, 'resend'))
const skip = (delivery: Delivery) => connected.dev.call<Delivery>('POST', pathOf(delivery, 'skip'))

async function only(query = ''): Promise<Delivery> {
  const [delivery] = await world.deliveries(connected, query)
  if (delivery === undefined) throw new Error('there is no delivery')
  return delivery
}

async function one(): Promise<Delivery> {
  await world.payAndSend(connected)
  return only()
}

async function refused(delivery: Delivery, verb: 'resend' | 'skip', code = 409): Promise<string> {
  return (await connected.dev.refused('POST', pathOf(delivery, verb), code)).code
}

const sent = () => world.receiver.requests.filter(({ headers }) => headers['webhook-replay'] !== undefined)

describe('resending a delivery', () => {
  test('sends the same event once more, marked, and keeps the attempt apart from the table’s', async () => {
    const delivery = await one()
    const first = world.receiver.requests.at(-1)
    world.receiver.behave(status(200, {}, 'again'))
    const { replayId, attempt, delivery: after } = await resend(delivery)
    const second = world.receiver.requests.at(-1)
    expect(second?.headers['webhook-replay']).toBe(replayId)
    expect(first?.headers['webhook-replay']).toBeUndefined()
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id'])
    expect(second?.headers['webhook-sequence']).toBe(first?.headers['webhook-sequence'])
    expect(second?.body).toBe(first?.body)
    expect(attempt).toMatchObject({ outcome: 'delivered', status: 200, response: 'again', replayId })
    expect(after).toMatchObject({ state: 'delivered', attemptCount: 1 })
    expect(after.attempts.map((each) => each.replayId)).toEqual([null, replayId])

    const replay = await world.replayById(connected, replayId)
    expect(replay).toMatchObject({ state: 'done', total: 1, done: 1, delivered: 1, failed: 0 })
    expect(replay).toMatchObject({ filter: { deliveryId: delivery.id }, etaSeconds: null })
    expect(replay.createdBy).toBe(connected.app.publisher.owner.personId)
  })

  test('an exhausted delivery that arrives is delivered; one that fails again stays exhausted', async () => {
    await exhaust(world, connected)
    const delivery = await only('?state=exhausted')
    world.receiver.behave(status(503, {}, 'not yet'))
    const failed = await resend(delivery)
    expect(failed.attempt).toMatchObject({ outcome: 'failed', status: 503, response: 'not yet' })
    expect(failed.delivery).toMatchObject({ state: 'exhausted', attemptCount: 10 })
    world.receiver.behave(status(200))
    expect((await resend(delivery)).delivery).toMatchObject({ state: 'delivered', attemptCount: 10 })
  })

  test('a failed resend does not pause the endpoint', async () => {
    const delivery = await one()
    world.receiver.behave(status(500))
    await resend(delivery)
    expect(await connected.dev.call('GET', connected.endpointPath)).toMatchObject({
      state: 'active',
      failingSince: null,
    })
  })

  test('works while the endpoint is paused by a person, and leaves it paused', async () => {
    const delivery = await one()
    await connected.dev.call('POST', `${connected.endpointPath}:pause`)
    expect((await resend(delivery)).attempt.outcome).toBe('delivered')
    expect(await connected.dev.call('GET', connected.endpointPath)).toMatchObject({ state: 'paused' })
  })

  test('that arrives at an endpoint which was paused because it failed brings it back', async () => {
    await exhaust(world, connected)
    await world.payAndSend(connected)
    const delivery = await only('?state=exhausted')
    const path = connected.endpointPath
    await sql(
      world.at.db.queries,
      `update endpoint set state = 'paused', state_reason = 'exhausted', paused_at = now(), probe_at = now()
       where app_id = $1 returning 1 as one`,
      connected.app.appId,
    )
    await resend(delivery)
    expect(await connected.dev.call('GET', path)).toMatchObject({ state: 'active', stateReason: null })
  })

  test('one that waits for its next attempt is sent now, and the table leaves it alone then', async () => {
    world.receiver.behave(status(500))
    const delivery = await one()
    expect(delivery.state).toBe('waiting')
    world.receiver.behave(status(200))
    expect((await resend(delivery)).delivery).toMatchObject({ state: 'delivered', dueAt: null })
    const before = world.receiver.requests.length
    world.at.clock.advance(60_000)
    await world.at.platform.events.drainNow()
    expect(world.receiver.requests).toHaveLength(before)
  })

  test('a pending one is refused: it is sent by itself', async () => {
    await world.payAndRelay(connected.merchant)
    expect(await refused(await only(), 'resend')).toBe('webhooks.delivery_pending')
  })

  test('without the permission nothing is sent', async () => {
    const delivery = await one()
    const before = world.receiver.requests.length
    await connected.merchant.owner.api.call(
      'DELETE',
      `/merchant/v1/installations/${connected.installationId}`,
    )
    expect(await refused(delivery, 'resend')).toBe('webhooks.permission_withdrawn')
    expect(world.receiver.requests).toHaveLength(before)
  })

  test('a scope that a rule has dropped leaves its fields out', async () => {
    await world.payAndSend(connected, 1, { customer: { name: 'Lin Yue' } })
    expect(world.receiver.requests.at(-1)?.body).toContain('Lin Yue')
    await world.addRule({ effect: 'drop_scope', appId: connected.app.appId, scope: 'customer:read' })
    world.at.clock.advance(2_000)
    await resend(await only())
    expect(world.receiver.requests.at(-1)?.headers['webhook-replay']).toBeDefined()
    expect(world.receiver.requests.at(-1)?.body).not.toContain('Lin Yue')
  })

  test('while the platform holds the app’s deliveries back nothing is sent', async () => {
    const delivery = await one()
    await world.addRule({ effect: 'pause_events', appId: connected.app.appId })
    world.at.clock.advance(2_000)
    expect(await refused(delivery, 'resend')).toBe('webhooks.deliveries_held')
  })

  test('410 to it stops the endpoint; a stopped, an unverified and a deleted one get nothing', async () => {
    const delivery = await one()
    world.receiver.behave(status(410))
    expect((await resend(delivery)).attempt).toMatchObject({ outcome: 'gone', status: 410 })
    expect(await connected.dev.call('GET', connected.endpointPath)).toMatchObject({ state: 'stopped' })
    expect(await refused(delivery, 'resend')).toBe('webhooks.endpoint_stopped')
    const set = `update endpoint set state = 'unverified' where app_id = $1 returning 1 as one`
    await sql(world.at.db.queries, set, connected.app.appId)
    expect(await refused(delivery, 'resend')).toBe('webhooks.endpoint_not_verified')
    await connected.dev.call('DELETE', connected.endpointPath)
    expect(await refused(delivery, 'resend')).toBe('webhooks.no_endpoint')
  })

  test('the same Idempotency-Key sends once and answers twice', async () => {
    const delivery = await one()
    const before = sent().length
    const keyed = connected.dev.with({ 'idempotency-key': randomUUID() })
    const first = await keyed.call<Resent>('POST', pathOf(delivery, 'resend'))
    const second = await keyed.call<Resent>('POST', pathOf(delivery, 'resend'))
    expect(second).toEqual(first)
    expect(sent()).toHaveLength(before + 1)
  })
})

describe('skipping a delivery', () => {
  test('parks what waits: nothing tries it any more, and it can be sent again later', async () => {
    world.receiver.behave(status(500))
    const delivery = await one()
    expect(await skip(delivery)).toMatchObject({ state: 'parked', dueAt: null, attemptCount: 1 })
    const before = world.receiver.requests.length
    world.at.clock.advance(60 * 60_000)
    await world.at.platform.events.drainNow()
    expect(world.receiver.requests).toHaveLength(before)
    world.receiver.behave(status(200))
    expect((await resend(delivery)).delivery).toMatchObject({ state: 'delivered' })
  })

  test('lets what stands behind a poisonous event of the same subject pass', async () => {
    await connected.dev.call('PATCH', connected.endpointPath, { fifo: true })
    const subject = 'ord_01JD0000000000000000000001'
    const { events } = world.at.platform
    const data = { lines: [{ name: 'Tea', quantity: 1, unitPrice: { amount: 1, currency: 'CNY' } }] }
    for (let i = 0; i < 2; i += 1) {
      const total = { amount: 1, currency: 'CNY' }
      const { merchantId } = connected.merchant
      const order = { ...data, orderId: subject, externalId: null, total, tracking: null }
      await world.at.db.tx((tx) =>
        events.publish(tx, { type: 'order.paid', merchantId, subject, data: order }),
      )
    }
    await events.relayNow()
    world.receiver.behave(({ headers }) => status(headers['webhook-sequence'] === '1' ? 500 : 200))
    await events.drainNow()
    const states = async () => (await world.deliveries(connected)).map(({ state }) => state)
    expect(await states()).toEqual(['pending', 'waiting'])
    await skip(await only('?state=waiting'))
    await events.drainNow()
    expect(await states()).toEqual(['delivered', 'parked'])
  })

  test('of what has ended is refused', async () => {
    const delivery = await one()
    expect(await refused(delivery, 'skip')).toBe('webhooks.delivery_finished')
    await world.payAndRelay(connected.merchant)
    const waiting = await only()
    await skip(waiting)
    expect(await refused(waiting, 'skip')).toBe('webhooks.delivery_finished')
  })

  test('waits for whoever has the stream’s lock, and then sees what they did', async () => {
    await world.payAndRelay(connected.merchant)
    const delivery = await only()
    let skipping: Promise<string> | null = null
    await world.at.db.tx(async (tx) => {
      const [row] = await sql<{ stream_id: string }>(
        tx,
        'select stream_id from delivery where id = $1',
        delivery.id,
      )
      await lockStream(tx, row?.stream_id ?? '')
      skipping = refused(delivery, 'skip')
      await sql(
        tx,
        `update delivery set state = 'delivered', finished_at = now() where id = $1 returning 1 as one`,
        delivery.id,
      )
    })
    expect(await skipping).toBe('webhooks.delivery_finished')
  })
})

describe('both are for those who may', () => {
  test.each(['resend', 'skip'] as const)('%s: not for a viewer, and not for strangers', async (verb) => {
    const delivery = await one()
    const viewer = await addViewer(world, connected)
    const problem = await viewer.refused('POST', pathOf(delivery, verb), 403)
    expect(problem.code).toBe('capability.role_required')

    const stranger = (await world.story.publisher()).owner
    const { requestId: _a, ...foreign } = await stranger.api.refused('POST', pathOf(delivery, verb), 404)
    const none = { id: 'dlv_01JD0000000000000000000009' }
    const { requestId: _b, ...absent } = await stranger.api.refused('POST', pathOf(none, verb), 404)
    expect(foreign).toEqual(absent)
    expect(await only()).toMatchObject({ state: 'delivered' })
  })

  test('a replay of one is listed with the others', async () => {
    const { replayId } = await resend(await one())
    const { data } = await connected.dev.call<{ data: readonly Replay[] }>(
      'GET',
      `${connected.appPath}/replays`,
    )
    expect(data.map(({ id }) => id)).toEqual([replayId])
  })
})
