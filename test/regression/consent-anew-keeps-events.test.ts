import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestPlatform, type TestPlatform } from '../support/platform.ts'
import {
  makeStory,
  type Story,
  type TestApp,
  type TestMerchant,
  type TestPublisher,
} from '../support/story.ts'

let at: TestPlatform
let story: Story
let publisher: TestPublisher

beforeAll(async () => {
  at = await startTestPlatform()
  story = makeStory(at)
  publisher = await story.publisher()
})
afterAll(() => at.close())

async function reportPaidOrder({ merchantId }: TestMerchant): Promise<void> {
  const orders = `/host/v1/merchants/${merchantId}/orders`
  const lines = [{ name: 'Jasmine tea', quantity: 1, unitPrice: { amount: 1250, currency: 'CNY' } }]
  const { id } = await at.host.call<{ id: string }>('POST', orders, { lines })
  await at.host.call('POST', `${orders}/${id}:pay`)
  await at.platform.events.relayNow()
}

async function statesOf({ appId }: TestApp): Promise<readonly string[]> {
  const { data } = await publisher.owner.api.call<{ data: readonly { eventType: string; state: string }[] }>(
    'GET',
    `/developer/v1/apps/${appId}/deliveries`,
  )
  return data.map(({ eventType, state }) => `${eventType} ${state}`)
}

// Whoever agreed a second time, on the app's page or because the app had lost its tokens, threw away every event that
// the app had not got yet.
test('agreeing anew leaves the events that wait for the app', async () => {
  const merchant = await story.merchant()
  const app = await story.publish(publisher, {
    manifest: { required: ['order:read'], optional: ['customer:read'], events: ['order.paid'] },
  })
  await story.install(merchant, app, ['customer:read'])
  await reportPaidOrder(merchant)

  await story.install(merchant, app)

  expect(await statesOf(app)).toEqual(['order.paid pending'])
  await reportPaidOrder(merchant)
  expect(await statesOf(app)).toEqual(['order.paid pending', 'order.paid pending'])
})

test('agreeing to less cancels the events that the app may not have any more, and no others', async () => {
  const merchant = await story.merchant()
  const app = await story.publish(publisher, {
    manifest: { optional: ['order:read'], events: ['order.paid', 'app.installed'] },
  })
  await story.install(merchant, app, ['order:read'])
  await reportPaidOrder(merchant)

  await story.install(merchant, app)

  expect(await statesOf(app)).toEqual(['order.paid cancelled', 'app.installed pending'])
  await reportPaidOrder(merchant)
  expect(await statesOf(app)).toHaveLength(2)
})

test('uninstalling cancels all of them', async () => {
  const merchant = await story.merchant()
  const app = await story.publish(publisher, {
    manifest: { required: ['order:read'], events: ['order.paid'] },
  })
  const installationId = await story.install(merchant, app)
  await reportPaidOrder(merchant)

  await merchant.owner.api.call('DELETE', `/merchant/v1/installations/${installationId}`)

  expect(await statesOf(app)).toEqual(['order.paid cancelled'])
})
