import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { sql } from '../../../src/db/index.ts'
import { sha256Hex } from '../../../src/kernel/index.ts'
import {
  addViewer,
  type Connected,
  type DeliveryDetail,
  eventually,
  openReplayWorld,
  type ReplayWorld,
} from './world.ts'

let world: ReplayWorld
let connected: Connected

beforeAll(async () => {
  world = await openReplayWorld()
})
afterAll(() => world.close())
beforeEach(async () => {
  connected = await world.connect()
  world.receiver.behave({ kind: 'status', status: 200, body: 'thanks' })
})

async function detail(of = connected, query = ''): Promise<DeliveryDetail> {
  const [delivery] = await world.deliveries(of, query)
  return of.dev.call<DeliveryDetail>('GET', `${of.appPath}/deliveries/${delivery?.id}`)
}

async function lastPersonal(
  operation: string,
): Promise<readonly { merchant_id: string; personal: boolean }[]> {
  return sql(
    world.at.db.queries,
    `select merchant_id, personal from access_record where operation = $1 and outcome = 'ok'
     order by at desc limit 1`,
    operation,
  )
}

const customer = { name: 'Lin Yue', phone: '+86 10 5555 0100' }

describe('one delivery', () => {
  test('shows the request as the receiver got it, byte for byte, signature included', async () => {
    await world.payAndSend(connected)
    const got = world.receiver.requests.at(-1)
    const { body, bodySha256, attempts, sink } = await detail()
    expect(body).toBe(got?.body)
    expect(bodySha256).toBe(sha256Hex(got?.body ?? ''))
    expect(sink).toBe('backend')
    const [attempt] = attempts
    expect(attempt).toMatchObject({ outcome: 'delivered', status: 200, response: 'thanks', replayId: null })
    const { headers = {}, signature, verified, signedBy } = attempt?.request ?? {}
    for (const [name, value] of Object.entries(headers)) expect(got?.headers[name], name).toBe(value)
    expect(Object.keys(headers)).toEqual(
      expect.arrayContaining(['webhook-id', 'webhook-timestamp', 'webhook-sequence', 'webhook-attempt']),
    )
    expect(signature).toBe(got?.headers['webhook-signature'])
    expect(verified).toBe(true)
    expect(signedBy).toHaveLength(1)
    new Webhook(connected.secret).verify(body ?? '', { ...headers, 'webhook-signature': signature ?? '' })
  })

  test('is signed anew by the secrets of its own time, not by today’s', async () => {
    await world.payAndSend(connected)
    const sent = world.receiver.requests.at(-1)?.headers['webhook-signature']
    world.at.clock.advance(1_000)
    const secrets = `${connected.endpointPath}/secrets`
    await connected.dev.call('POST', secrets, { overlapSeconds: 0 })
    world.at.clock.advance(1_000)
    expect((await detail()).attempts[0]?.request?.signature).toBe(sent)
  })

  test('has no signature any more when its secrets are gone with the endpoint, and no check', async () => {
    await world.payAndSend(connected)
    await connected.dev.call('DELETE', connected.endpointPath)
    const [attempt] = (await detail()).attempts
    expect(attempt?.request).toMatchObject({ signature: null, signedBy: [], verified: null })
    expect(attempt?.request?.headers['webhook-id']).toMatch(/^evt_/)
  })

  test('says why its body is gone once its time is over', async () => {
    await world.payAndSend(connected)
    await sql(
      world.at.db.queries,
      'delete from body where merchant_id = $1 returning 1 as one',
      connected.merchant.merchantId,
    )
    const shown = await detail()
    expect(shown).toMatchObject({ body: null, bodySha256: null, bodyMissing: 'no_longer_kept' })
    expect(shown.attempts[0]?.request).toMatchObject({ signature: null, verified: null })
  })

  test('a body that was tampered with in the database is not verified', async () => {
    await world.payAndSend(connected)
    await sql(
      world.at.db.queries,
      `update body set text = text || ' ' where merchant_id = $1 returning 1 as one`,
      connected.merchant.merchantId,
    )
    expect((await detail()).attempts[0]?.request?.verified).toBe(false)
  })

  test('with customers’ data is on the merchant’s record as personal; without it, as not', async () => {
    await world.payAndSend(connected, 1, { customer })
    expect((await detail()).body).toContain('Lin Yue')
    const { merchantId } = connected.merchant
    expect(await lastPersonal('delivery.get')).toEqual([{ merchant_id: merchantId, personal: true }])

    await world.payAndSend(connected)
    expect((await detail()).body).not.toContain('Lin Yue')
    // Written with the next group: nobody waits for it.
    await eventually(() => lastPersonal('delivery.get')).toEqual([
      { merchant_id: merchantId, personal: false },
    ])
  })

  test('that was never sent is not shown when the permission has gone since', async () => {
    await world.payAndRelay(connected.merchant, 1, { customer })
    expect((await detail()).body).toContain('Lin Yue')
    await connected.merchant.owner.api.call(
      'DELETE',
      `/merchant/v1/installations/${connected.installationId}`,
    )
    expect(await detail(connected, '?eventType=order.paid')).toMatchObject({
      state: 'cancelled',
      body: null,
      bodyMissing: 'never_sent',
    })
  })

  test('a viewer sees what happened and not the body', async () => {
    await world.payAndSend(connected)
    const viewer = await addViewer(world, connected)
    const shown = await detail({ ...connected, dev: viewer })
    expect(shown).toMatchObject({ state: 'delivered', body: null, bodyMissing: 'role' })
    expect(shown.attempts[0]?.request).toMatchObject({ signature: null })
    expect(shown.attempts[0]?.status).toBe(200)
  })
})

describe('the list of deliveries', () => {
  const ids = (deliveries: readonly { readonly sequence: number }[]) =>
    deliveries.map(({ sequence }) => sequence)

  test('is cut by state, type, merchant and time, newest first', async () => {
    const other = await world.installMore(connected.app)
    await world.payAndSend(connected, 2)
    world.at.clock.advance(60_000)
    const cut = new Date(world.at.clock.nowMs()).toISOString()
    world.at.clock.advance(1_000)
    await world.payAndRelay(other, 1)
    expect(ids(await world.deliveries(connected))).toEqual([3, 2, 1])
    expect(ids(await world.deliveries(connected, '?state=delivered'))).toEqual([2, 1])
    expect(ids(await world.deliveries(connected, '?state=pending'))).toEqual([3])
    expect(ids(await world.deliveries(connected, `?merchantId=${other.merchantId}`))).toEqual([3])
    expect(ids(await world.deliveries(connected, `?from=${cut}`))).toEqual([3])
    expect(ids(await world.deliveries(connected, `?to=${cut}`))).toEqual([2, 1])
    expect(ids(await world.deliveries(connected, '?eventType=order.paid&limit=1&after=3'))).toEqual([2])
    expect(ids(await world.deliveries(connected, '?eventType=order.shipped'))).toEqual([])
    expect(ids(await world.deliveries(connected, '?sink=sandbox'))).toEqual([])
  })

  test.each([
    ['from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z', '/to'],
    ['from=2026-01-01T00:00:00Z&to=2026-01-01T00:00:00Z', '/to'],
    ['from=yesterday', '/from'],
    ['state=lost', '/state'],
    ['merchantId=evt_1', '/merchantId'],
  ])('%s is refused with a pointer', async (query, pointer) => {
    const problem = await connected.dev.refused('GET', `${connected.appPath}/deliveries?${query}`, 400)
    expect(problem.code).toBe('capability.invalid_input')
    expect(problem.errors?.[0]?.pointer).toBe(pointer)
  })

  test('takes the first and the last time there is', async () => {
    const query = '?from=0000-01-01T00:00:00Z&to=9999-12-31T23:59:59Z'
    expect(await world.deliveries(connected, query)).toEqual([])
  })
})
