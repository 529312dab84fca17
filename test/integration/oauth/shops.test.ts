import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sql } from '../../../src/db/index.ts'
import { startTestPlatform, type TestPlatform } from '../../support/platform.ts'
import {
  allow,
  makeStory,
  type Story,
  startCodeFlow,
  type TestApp,
  type TestMerchant,
} from '../../support/story.ts'
import { asking, boundedManifest, paidOrder, refund } from './refunds.ts'

let at: TestPlatform
let story: Story
let app: TestApp

beforeAll(async () => {
  at = await startTestPlatform()
  story = makeStory(at)
  app = await story.publish(await story.publisher(), { manifest: boundedManifest })
})
afterAll(() => at.close())

const connect = (merchant: TestMerchant, parameters: Readonly<Record<string, string>>) =>
  story.connect(merchant, app, ['order:refund'], parameters)

describe('shops of an organisation', () => {
  async function organisation(): Promise<{
    readonly merchant: TestMerchant
    readonly shops: readonly string[]
  }> {
    const { id } = await at.host.call<{ id: string }>('POST', '/host/v1/merchants', {
      kind: 'organisation',
      name: 'Tea Group',
    })
    const shop = async (name: string) => {
      const json = { kind: 'shop', name, parentId: id }
      return (await at.host.call<{ id: string }>('POST', '/host/v1/merchants', json)).id
    }
    const shops = [await shop('Riverside'), await shop('Old Town')]
    return { merchant: { merchantId: id, name: 'Tea Group', owner: await story.member(id, 'owner') }, shops }
  }

  test('are reached as far as the merchant agreed, by name', async () => {
    const { merchant, shops } = await organisation()
    const [riverside = '', oldTown = ''] = shops
    const flow = await startCodeFlow(at, app, asking({ type: 'shops', ids: [riverside] }))
    const browser = at.browser(merchant.owner)
    const page = await browser.follow(await browser.open(flow.path))
    expect(page.html).toContain('Use all of this for these shops of yours, too: Riverside.')
    await allow(browser, page, ['order:refund'])

    const tokens = await connect(merchant, asking({ type: 'shops', ids: [riverside] }))
    const api = at.bearer(tokens.access_token)
    expect(await api.call('GET', '/v1/shops')).toEqual({ data: [{ id: riverside, name: 'Riverside' }] })
    const order = await paidOrder(at, riverside)
    expect((await api.call('GET', `/v1/orders/${order}?shopId=${riverside}`))['id']).toBe(order)
    const listed = await api.call<{ data: { id: string }[] }>('GET', `/v1/orders?shopId=${riverside}`)
    expect(listed.data.map(({ id }) => id)).toEqual([order])
    expect((await api.refused('GET', `/v1/orders/${order}`, 404)).code).toBe('order.not_found')
    expect((await refund(at, tokens, order, 100, { shopId: riverside })).status).toBe(200)
    const [record] = await sql<{ operation: string }>(
      at.db.queries,
      `select operation from access_record where merchant_id = $1 and outcome = 'ok' and operation = 'order.refund'`,
      riverside,
    )
    expect(record).toBeDefined()
    for (const elsewhere of [oldTown, (await story.merchant()).merchantId, merchant.merchantId]) {
      const problem = await api.refused('GET', `/v1/orders?shopId=${elsewhere}`, 403)
      expect(problem.code).toBe('capability.outside_bounds')
    }
  })

  test('share the day’s limit with the organisation', async () => {
    const { merchant, shops } = await organisation()
    const tokens = await connect(merchant, asking({ type: 'shops', ids: shops }))
    const [riverside = '', oldTown = ''] = shops
    expect(
      (await refund(at, tokens, await paidOrder(at, riverside), 2_000, { shopId: riverside })).status,
    ).toBe(200)
    expect((await refund(at, tokens, await paidOrder(at, oldTown), 1_000, { shopId: oldTown })).status).toBe(
      200,
    )
    const { body } = await refund(at, tokens, await paidOrder(at, merchant.merchantId), 1)
    expect(body.bound).toMatchObject({ left: 0 })
  })

  test('of somebody else cannot be asked for', async () => {
    const { merchant } = await organisation()
    const foreign = (await organisation()).shops
    const flow = await startCodeFlow(at, app, asking({ type: 'shops', ids: foreign }))
    const browser = at.browser(merchant.owner)
    const page = await browser.follow(await browser.open(flow.path))
    expect(page.status).toBe(422)
    expect(page.html).toContain('install.bound_not_offered')
  })

  test('end with a rule against the app at one of them', async () => {
    const { merchant, shops } = await organisation()
    const [riverside = '', oldTown = ''] = shops
    const tokens = await connect(merchant, asking({ type: 'shops', ids: shops }))
    await at.db.queries.rule.create({
      data: {
        ...{ id: `rul_${riverside.slice(4)}`, effect: 'stop', appId: app.appId, merchantId: riverside },
        ...{ reasonCode: 'TEST-001', message: {}, createdBy: 'per_any', createdAt: new Date() },
      },
    })
    at.clock.advance(3_000)
    const api = at.bearer(tokens.access_token)
    expect((await api.refused('GET', `/v1/orders?shopId=${riverside}`, 403)).code).toBe('rules.app_stopped')
    await api.call('GET', `/v1/orders?shopId=${oldTown}`)
  })
})
