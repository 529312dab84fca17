import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestPlatform, type TestPlatform } from '../support/platform.ts'
import { makeStory, type Story, type TestMerchant } from '../support/story.ts'

let at: TestPlatform
let story: Story

beforeAll(async () => {
  at = await startTestPlatform()
  story = makeStory(at)
})
afterAll(() => at.close())

async function paidOrder({ merchantId }: TestMerchant): Promise<string> {
  const orders = `/host/v1/merchants/${merchantId}/orders`
  const lines = [{ name: 'Jasmine tea', quantity: 1, unitPrice: { amount: 1250, currency: 'CNY' } }]
  const { id } = await at.host.call<{ id: string }>('POST', orders, { lines, customer: { name: 'Lin Yue' } })
  await at.host.call('POST', `${orders}/${id}:pay`)
  return id
}

// The answer of a shipped order holds the customer. For a day the same Idempotency-Key gave it again, without a trace in
// the merchant's log and also after the merchant had taken the permission back.
test('a repeated request shows no customer once the merchant has withdrawn that, and each use is on record', async () => {
  const merchant = await story.merchant()
  const required = ['order:write']
  const app = await story.publish(await story.publisher(), {
    manifest: { required, optional: ['customer:read'] },
  })
  const tokens = await story.connect(merchant, app, ['customer:read'])
  const orderId = await paidOrder(merchant)
  const ship = () =>
    at
      .app(tokens)
      .with({ 'idempotency-key': 'ship-1' })
      .request<{ customer?: unknown }>('POST', `/v1/orders/${orderId}:ship`, { json: {} })

  expect((await ship()).body.customer).toEqual({ name: 'Lin Yue' })
  expect((await ship()).headers['idempotency-replayed']).toBe('true')
  const { data } = await merchant.owner.api.call<{
    data: readonly { operation: string; personal: boolean }[]
  }>('GET', `/merchant/v1/merchants/${merchant.merchantId}/access-records`)
  const uses = data.filter(({ operation }) => operation === 'order.mark_shipped')
  expect(uses.map(({ personal }) => personal)).toEqual([true, true])

  await story.install(merchant, app)
  at.clock.advance(5_000)

  const withdrawn = await ship()
  expect(withdrawn.text).not.toContain('Lin Yue')
  expect(withdrawn.status).toBe(422)
})
