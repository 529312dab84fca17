import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sql } from '../../../src/db/index.ts'
import type { ApiClient } from '../../support/api-client.ts'
import { startTestPlatform, type TestPlatform } from '../../support/platform.ts'
import { leavingNothing } from '../../support/row-counts.ts'
import { makeStory, type Story, type TestApp, type TestMerchant } from '../../support/story.ts'

let at: TestPlatform
let story: Story
let app: TestApp
let merchant: TestMerchant
/** A token with order:read and order:write, and one that holds customer:read too. */
let plain: ApiClient
let seeing: ApiClient

beforeAll(async () => {
  at = await startTestPlatform()
  story = makeStory(at)
  const manifest = {
    required: ['order:read', 'order:write'],
    optional: ['customer:read'],
    events: ['order.paid'],
  }
  const publisher = await story.publisher()
  app = await story.publish(publisher, { manifest })
  merchant = await story.merchant()
  plain = at.bearer((await story.connect(merchant, app)).access_token)
  const other = await story.publish(publisher, { manifest })
  seeing = at.app(await story.connect(merchant, other, ['customer:read']))
})
afterAll(() => at.close())

interface Order {
  readonly id: string
  readonly state: string
  readonly createdAt: string
  readonly paidAt: string | null
  readonly shippedAt: string | null
  readonly tracking: string | null
  readonly customer?: object
}

const customer = { name: 'Lin Yue', phone: '+86 10 5555 0100', address: '1 Tea Lane' }
const lines = [
  { name: 'Jasmine tea', quantity: 2, unitPrice: { amount: 1250, currency: 'CNY' } },
  { name: 'Cup', quantity: 1, unitPrice: { amount: 500, currency: 'CNY' } },
]
const orders = (of: TestMerchant = merchant) => `/host/v1/merchants/${of.merchantId}/orders`
const create = (change: object = {}, of: TestMerchant = merchant) =>
  at.host.call<Order>('POST', orders(of), { lines, customer, ...change })
const pay = ({ id }: Order, of: TestMerchant = merchant) =>
  at.host.call<Order>('POST', `${orders(of)}/${id}:pay`)
const ship = ({ id }: Order, api: ApiClient, json: object = {}) =>
  api.request<Order>('POST', `/v1/orders/${id}:ship`, { json })

async function eventsAbout(subject: string): Promise<readonly string[]> {
  const rows = await sql<{ type: string }>(
    at.db.queries,
    'select type from event where subject = $1 order by seq',
    subject,
  )
  return rows.map(({ type }) => type)
}

describe('an order', () => {
  test('is created, paid and shipped, with the time of each and an event for each', async () => {
    const created = await create({ externalId: 'A-1' })
    expect(created).toMatchObject({
      state: 'created',
      externalId: 'A-1',
      total: { amount: 3000, currency: 'CNY' },
      paidAt: null,
      shippedAt: null,
    })
    const paid = await pay(created)
    expect(paid).toMatchObject({ id: created.id, state: 'paid', shippedAt: null })
    const { status, body: shipped } = await ship(created, plain, { tracking: 'SF-1' })
    expect([status, shipped.state, shipped.tracking, shipped.paidAt]).toEqual([
      200,
      'shipped',
      'SF-1',
      paid.paidAt,
    ])
    expect(
      [shipped.createdAt, shipped.paidAt, shipped.shippedAt].map((time) => Date.parse(time ?? '')),
    ).toEqual(
      [shipped.createdAt, shipped.paidAt, shipped.shippedAt].map((time) => Date.parse(time ?? '')).toSorted(),
    )
    expect(await eventsAbout(created.id)).toEqual(['order.created', 'order.paid', 'order.shipped'])
  })

  test('goes no other way: everything else is refused and changes nothing', async () => {
    const created = await create()
    const paid = await create()
    await pay(paid)
    const shipped = await create()
    await pay(shipped)
    await ship(shipped, plain)
    await leavingNothing(at, async () => {
      for (const order of [paid, shipped]) {
        const problem = await at.host.refused('POST', `${orders()}/${order.id}:pay`, 409)
        expect(problem.code).toBe('order.bad_transition')
      }
      for (const order of [created, shipped])
        expect((await ship(order, plain)).body).toMatchObject({ status: 409, code: 'order.bad_transition' })
    })
    expect(await plain.call('GET', `/v1/orders/${created.id}`)).toMatchObject({
      state: 'created',
      paidAt: null,
    })
  })

  test('paid ten times at once is paid once', async () => {
    const created = await create()
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => at.host.request('POST', `${orders()}/${created.id}:pay`)),
    )
    expect(answers.map(({ status }) => status).toSorted()).toEqual([
      200,
      ...Array.from({ length: 9 }, () => 409),
    ])
    expect(await eventsAbout(created.id)).toEqual(['order.created', 'order.paid'])
  })

  test.each<[string, object, number, string]>([
    [
      'lines of two currencies',
      { lines: [lines[0], { ...lines[1], unitPrice: { amount: 1, currency: 'EUR' } }] },
      422,
      'order.lines_refused',
    ],
    ['no lines', { lines: [] }, 400, 'capability.invalid_input'],
    ['a line of nothing', { lines: [{ ...lines[0], quantity: 0 }] }, 400, 'capability.invalid_input'],
    [
      'a negative price',
      { lines: [{ ...lines[0], unitPrice: { amount: -1, currency: 'CNY' } }] },
      400,
      'capability.invalid_input',
    ],
  ])('with %s is refused and leaves no row', async (_what, change, status, code) => {
    await leavingNothing(at, async () => {
      const problem = await at.host.refused('POST', orders(), status, { json: { lines, ...change } })
      expect(problem.code).toBe(code)
    })
  })

  test('of an external id is one per merchant, and another merchant may use the same', async () => {
    await create({ externalId: 'same' })
    await leavingNothing(at, async () => {
      const problem = await at.host.refused('POST', orders(), 409, { json: { lines, externalId: 'same' } })
      expect(problem.code).toBe('order.external_id_taken')
    })
    const other = await story.merchant()
    expect(await create({ externalId: 'same' }, other)).toMatchObject({ state: 'created' })
  })

  test('of an unknown merchant is refused', async () => {
    const nowhere = { ...merchant, merchantId: 'mer_00000000000000000000000000' }
    const problem = await at.host.refused('POST', orders(nowhere), 404, { json: { lines } })
    expect(problem.code).toBe('order.merchant_not_found')
  })
})

describe('who ordered', () => {
  test('is shown by every operation only to an app that was granted customer:read', async () => {
    const made = await create()
    await pay(made)
    for (const [api, shown] of [
      [plain, undefined],
      [seeing, customer],
    ] as const) {
      expect((await api.call<Order>('GET', `/v1/orders/${made.id}`)).customer).toEqual(shown)
      const { data } = await api.call<{ data: readonly Order[] }>('GET', '/v1/orders?limit=200')
      expect(data.find(({ id }) => id === made.id)?.customer).toEqual(shown)
    }
    expect((await ship(made, plain)).body.customer).toBeUndefined()
  })

  test('stands in the event’s body only for an app that was granted customer:read', async () => {
    const made = await create()
    await pay(made)
    await at.platform.events.relayNow()
    const bodies = await sql<{ app_id: string; text: string }>(
      at.db.queries,
      `select d.app_id, b.text from delivery d join body b on b.hash = d.body_hash
       where d.subject = $1 and d.event_type = 'order.paid'`,
      made.id,
    )
    expect(bodies).toHaveLength(2)
    for (const { app_id, text } of bodies) {
      const { data } = JSON.parse(text) as { data: { orderId: string; customer?: object } }
      expect(data.orderId).toBe(made.id)
      expect(data.customer).toEqual(app_id === app.appId ? undefined : customer)
    }
  })

  test('an order without a customer has none for anybody', async () => {
    const { id } = await create({ customer: undefined })
    expect(await seeing.call('GET', `/v1/orders/${id}`)).not.toHaveProperty('customer')
  })
})

describe('the list of orders', () => {
  async function pages(api: ApiClient, query: string): Promise<Order[]> {
    const all: Order[] = []
    let after = ''
    do {
      const page = await api.call<{ data: Order[]; hasMore: boolean; nextCursor: string | null }>(
        'GET',
        `/v1/orders?${query}${after}`,
      )
      expect(page.hasMore).toBe(page.nextCursor !== null)
      all.push(...page.data)
      after = page.nextCursor === null ? '' : `&after=${page.nextCursor}`
    } while (after !== '')
    return all
  }

  test('walks by cursor through every order once, newest first, also those of one moment', async () => {
    const shop = await story.merchant()
    const api = at.bearer((await story.connect(shop, app)).access_token)
    const made = await Promise.all(Array.from({ length: 7 }, () => create({}, shop)))
    const walked = await pages(api, 'limit=2')
    expect(walked.map(({ id }) => id).toSorted()).toEqual(made.map(({ id }) => id).toSorted())
    const keys = walked.map(({ createdAt, id }) => `${createdAt} ${id}`)
    expect(keys).toEqual(keys.toSorted().toReversed())
    expect(await pages(api, 'limit=7')).toEqual(walked)
  })

  test('shows one state when asked, and never another merchant’s', async () => {
    const shop = await story.merchant()
    const api = at.bearer((await story.connect(shop, app)).access_token)
    const paid = await create({}, shop)
    await pay(paid, shop)
    await create({}, shop)
    expect((await pages(api, 'state=paid')).map(({ id }) => id)).toEqual([paid.id])
    expect(await pages(api, 'state=shipped')).toEqual([])
    expect((await pages(plain, 'limit=200')).map(({ id }) => id)).not.toContain(paid.id)
  })
})
