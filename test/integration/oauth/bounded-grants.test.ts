import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sql } from '../../../src/db/index.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'
import { startTestPlatform, type TestPlatform } from '../../support/platform.ts'
import {
  allow,
  makeStory,
  type Story,
  startCodeFlow,
  type TestApp,
  type TestMerchant,
  type Tokens,
} from '../../support/story.ts'
import { basic, post } from './flow.ts'
import { asking, boundedManifest, declared, paidOrder, refund, refundedOf } from './refunds.ts'

let database: TestDatabase
let at: TestPlatform
let story: Story
let app: TestApp

beforeAll(async () => {
  database = await openTestDatabase()
  at = await startTestPlatform({ database })
  story = makeStory(at)
  app = await story.publish(await story.publisher(), { manifest: boundedManifest })
})
afterAll(async () => {
  await at.close()
  await database.close()
})

const connect = (merchant: TestMerchant, parameters: Readonly<Record<string, string>> = {}) =>
  story.connect(merchant, app, ['order:refund'], parameters)

describe('the consent page', () => {
  test.each([
    ['en', 'Refund at most CN¥20.00 per order and CN¥30.00 per day (UTC).'],
    ['zh-CN', '每笔订单最多退款 ¥20.00，每天（UTC）最多退款 ¥30.00。'],
  ])('says in %s what the manifest bounds, from the market', async (language, sentence) => {
    const merchant = await story.merchant()
    const path = `/m/apps/${app.appId}/consent?merchant=${merchant.merchantId}&lang=${language}`
    expect((await at.browser(merchant.owner).open(path)).html).toContain(sentence)
  })

  test('says what the request narrows, and exactly that is granted and kept word for word', async () => {
    const merchant = await story.merchant()
    const narrower = { type: 'refund', max_amount_per_order: 700, currency: 'CNY' }
    const flow = await startCodeFlow(at, app, asking(narrower))
    const browser = at.browser(merchant.owner)
    const page = await browser.follow(await browser.open(flow.path))
    const sentence = 'Refund at most CN¥7.00 per order and CN¥30.00 per day (UTC).'
    expect(page.html).toContain(sentence)
    await allow(browser, page, ['order:refund'])
    const [row] = await sql<{ bounds: object; text: string }>(
      at.db.queries,
      `select g.bounds, convert_from(b.bytes, 'UTF8') as text from "grant" g join consent c on c.id = g.consent_id
       join blob b on b.sha256 = c.text_sha256 where g.merchant_id = $1`,
      merchant.merchantId,
    )
    expect(row?.bounds).toEqual([{ ...declared, max_amount_per_order: 700 }])
    expect(row?.text).toContain(sentence)
  })

  test('keeps no bound of a scope that was refused', async () => {
    const merchant = await story.merchant()
    await story.connect(merchant, app)
    const [installation] = (
      await merchant.owner.api.call<{ data: { authorizationDetails: object[] }[] }>(
        'GET',
        `/merchant/v1/merchants/${merchant.merchantId}/installations`,
      )
    ).data
    expect(installation?.authorizationDetails).toEqual([])
  })
})

describe('a request', () => {
  async function errorOf(details: string): Promise<string | null> {
    const flow = await startCodeFlow(at, app, { authorization_details: details })
    const { location } = await at.browser().open(flow.path)
    return new URL(location ?? '', at.baseUrl).searchParams.get('error')
  }

  test.each([
    ['a wider bound than the manifest', [{ ...declared, max_amount_per_day: 3_001 }]],
    ['an unknown type', [{ type: 'payout' }]],
    ['a member that the type does not have', [{ ...declared, max_amount_per_week: 1 }]],
    ['a member of the wrong type', [{ ...declared, max_amount_per_day: '5' }]],
    ['no currency', [{ type: 'refund' }]],
    ['another currency', [{ type: 'refund', currency: 'USD' }]],
    ['shops without saying which', [{ type: 'shops' }]],
    ['an object in place of the list', { type: 'refund', currency: 'CNY' }],
  ])('with %s is invalid_authorization_details', async (_what, details) => {
    expect(await errorOf(JSON.stringify(details))).toBe('invalid_authorization_details')
  })

  test('that is no JSON is invalid_authorization_details', async () => {
    expect(await errorOf('{')).toBe('invalid_authorization_details')
  })

  test('of an app whose manifest declares none is refused', async () => {
    const other = await story.publish(app.publisher, { manifest: { required: ['order:read'] } })
    const flow = await startCodeFlow(at, other, asking(declared))
    const { location } = await at.browser().open(flow.path)
    expect(new URL(location ?? '', at.baseUrl).searchParams.get('error')).toBe(
      'invalid_authorization_details',
    )
  })
})

describe('the token', () => {
  test('tells its details, in the response, in introspection and to the app’s own question', async () => {
    const tokens = await connect(await story.merchant())
    expect(tokens.authorization_details).toEqual([declared])
    const introspection = await post(
      { publicUrl: at.baseUrl },
      '/oauth/introspect',
      { token: tokens.access_token },
      basic(app.appId, app.clientSecret),
    )
    expect(await introspection.json()).toMatchObject({ active: true, authorization_details: [declared] })
    const own = await at.bearer(tokens.access_token).call('GET', '/v1/installation')
    expect(own['authorizationDetails']).toEqual([declared])
  })

  async function refreshWith(tokens: Tokens, details?: readonly object[]): Promise<Response> {
    return post(
      { publicUrl: at.baseUrl },
      '/oauth/token',
      {
        grant_type: 'refresh_token',
        refresh_token: tokens.refresh_token,
        ...(details === undefined ? {} : { authorization_details: JSON.stringify(details) }),
      },
      basic(app.appId, app.clientSecret),
    )
  }

  test('is narrowed by a refresh, for the access token alone, and never widened', async () => {
    const tokens = await connect(await story.merchant(), asking({ ...declared, max_amount_per_day: 1_000 }))
    const bound = { ...declared, max_amount_per_day: 1_000 }
    expect(tokens.authorization_details).toEqual([bound])
    const wider = await refreshWith(tokens, [{ ...bound, max_amount_per_day: 1_001 }])
    expect([wider.status, ((await wider.json()) as { error: string }).error]).toEqual([
      400,
      'invalid_authorization_details',
    ])
    const narrow = (await (
      await refreshWith(tokens, [{ ...bound, max_amount_per_day: 10 }])
    ).json()) as Tokens
    expect(narrow.authorization_details).toEqual([{ ...bound, max_amount_per_day: 10 }])
    const full = (await (await refreshWith(narrow)).json()) as Tokens
    expect(full.authorization_details).toEqual([bound])
  })

  test('follows a merchant who agrees to less', async () => {
    const merchant = await story.merchant()
    const tokens = await connect(merchant)
    await connect(merchant, asking({ ...declared, max_amount_per_order: 100 }))
    at.clock.advance(4_000)
    const { status, body } = await refund(at, tokens, await paidOrder(at, merchant.merchantId), 101)
    expect([status, body.code]).toEqual([403, 'capability.bound_exceeded'])
    const refreshed = (await (await refreshWith(tokens)).json()) as Tokens
    expect(refreshed.authorization_details).toEqual([{ ...declared, max_amount_per_order: 100 }])
  })

  test('of client credentials cannot have any', async () => {
    const response = await post(
      { publicUrl: at.baseUrl },
      '/oauth/token',
      { grant_type: 'client_credentials', ...asking(declared) },
      basic(app.appId, app.clientSecret),
    )
    expect(await response.json()).toMatchObject({ error: 'invalid_authorization_details' })
  })
})

describe('a refund', () => {
  test('stays within what is allowed per order and per day, and says what is left', async () => {
    const merchant = await story.merchant()
    const tokens = await connect(merchant)
    const [one, two, three] = [
      await paidOrder(at, merchant.merchantId),
      await paidOrder(at, merchant.merchantId),
      await paidOrder(at, merchant.merchantId),
    ]
    expect((await refund(at, tokens, one, 1_500)).body.refunded).toEqual({ amount: 1_500, currency: 'CNY' })
    const perOrder = await refund(at, tokens, one, 501)
    expect([perOrder.status, perOrder.body.code]).toEqual([403, 'capability.bound_exceeded'])
    expect(perOrder.body.bound).toMatchObject({ limit: 2_000, left: 500, asked: 501 })
    expect((await refund(at, tokens, two, 1_000)).status).toBe(200)
    const perDay = await refund(at, tokens, three, 600)
    expect(perDay.body.bound).toMatchObject({ limit: 3_000, left: 500, asked: 600 })
    expect((await refund(at, tokens, one, 500)).status).toBe(200)
    expect((await refund(at, tokens, two, 1)).body.bound).toMatchObject({ left: 0 })
    expect([await refundedOf(at, one), await refundedOf(at, two), await refundedOf(at, three)]).toEqual([
      2_000, 1_000, 0,
    ])
    at.clock.advance(24 * 3_600_000)
    const fresh = await story.connect(merchant, app, ['order:refund'])
    expect((await refund(at, fresh, three, 600)).status).toBe(200)
    expect((await refund(at, fresh, one, 1)).status).toBe(403)
  })

  test('in another currency than the bound’s is outside of it', async () => {
    const merchant = await story.merchant()
    const tokens = await connect(merchant)
    const { status, body } = await refund(at, tokens, await paidOrder(at, merchant.merchantId, 'USD'), 1, {
      currency: 'USD',
    })
    expect([status, body.code]).toEqual([403, 'capability.outside_bounds'])
  })

  test('that the order refuses uses nothing of the bound', async () => {
    const merchant = await story.merchant()
    const tokens = await connect(merchant)
    const { body } = await refund(at, tokens, 'ord_01JD0000000000000000000001', 2_000)
    expect(body.code).toBe('order.not_found')
    expect((await refund(at, tokens, await paidOrder(at, merchant.merchantId), 2_000)).status).toBe(200)
  })

  test('repeated with its key refunds and counts once', async () => {
    const merchant = await story.merchant()
    const tokens = await connect(merchant)
    const order = await paidOrder(at, merchant.merchantId)
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => refund(at, tokens, order, 900, { key: 'the same' })),
    )
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    expect(await refundedOf(at, order)).toBe(900)
    expect((await refund(at, tokens, order, 1_101)).body.bound).toMatchObject({ left: 1_100 })
  })

  test('many at once on two nodes do not go beyond the day’s limit together', async () => {
    const other = await startTestPlatform({
      ...{ database, clock: at.clock },
    })
    try {
      const merchant = await story.merchant()
      const tokens = await connect(merchant)
      const orders = await Promise.all(Array.from({ length: 12 }, () => paidOrder(at, merchant.merchantId)))
      const answers = await Promise.all(
        orders.map((order, i) => refund(i % 2 === 0 ? at : other, tokens, order, 400)),
      )
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(7)
      for (const { status, body } of answers)
        if (status !== 200) expect(body.code).toBe('capability.bound_exceeded')
      const sums = await Promise.all(orders.map((order) => refundedOf(at, order)))
      expect(sums.reduce((sum, amount) => sum + amount, 0)).toBe(2_800)
    } finally {
      await other.close()
    }
  })

  test('without a bound in the grant is bounded by the order alone', async () => {
    const unbounded = await story.publish(app.publisher, {
      manifest: { required: ['order:read', 'order:refund'] },
    })
    const merchant = await story.merchant()
    const tokens = await story.connect(merchant, unbounded)
    const order = await paidOrder(at, merchant.merchantId)
    expect((await refund(at, tokens, order, 4_999)).status).toBe(200)
    const { status, body } = await refund(at, tokens, order, 2)
    expect([status, body.code]).toEqual([409, 'order.refund_too_large'])
    expect(body).toMatchObject({ refundable: { amount: 1, currency: 'CNY' } })
  })

  test('of another merchant’s order is as if it were not there', async () => {
    const tokens = await connect(await story.merchant())
    const foreign = await paidOrder(at, (await story.merchant()).merchantId)
    expect((await refund(at, tokens, foreign, 1)).body.code).toBe('order.not_found')
    expect(await refundedOf(at, foreign)).toBe(0)
  })
})

test('the metadata names the types', async () => {
  const issuer = new URL(at.baseUrl)
  const response = await oauth.discoveryRequest(issuer, {
    algorithm: 'oauth2',
    [oauth.allowInsecureRequests]: true,
  })
  const metadata = (await response.json()) as Record<string, unknown>
  expect(metadata['authorization_details_types_supported']).toEqual(['refund', 'shops'])
})
