// The platform as it is, in a process of its own: one app that as many merchants have installed as there are connections.
import { openTestDatabase, quietLog } from '../../support/database.ts'
import { startTestPlatform } from '../../support/platform.ts'
import { makeStory } from '../../support/story.ts'
import { connections } from './load.ts'
import { type Credentials, serveBench } from './peer.ts'

const kind = process.env['BENCH_PLACE'] === 'postgresql' ? 'postgresql' : 'pglite'
const database = await openTestDatabase({ kind, log: quietLog })
const at = await startTestPlatform({ database })
const story = makeStory(at)
const app = await story.publish(await story.publisher(), { manifest: { required: ['order:read'] } })

async function authorize(index: number): Promise<Credentials['clients'][number]> {
  const merchant = await story.merchant(`Green Leaf Tea ${index}`)
  const tokens = await story.connect(merchant, app)
  const { id } = await at.host.call<{ id: string }>(
    'POST',
    `/host/v1/merchants/${merchant.merchantId}/orders`,
    { lines: [{ name: 'Tea', quantity: 1, unitPrice: { amount: 1250, currency: 'CNY' } }] },
  )
  return {
    accessToken: tokens.access_token,
    refreshToken: tokens.refresh_token,
    readPath: `/v1/orders/${id}`,
  }
}

const clients: Credentials['clients'][number][] = []
for (let index = 0; index < connections; index += 1) clients.push(await authorize(index))
serveBench({ origin: at.baseUrl, clientId: app.appId, clientSecret: app.clientSecret, clients }, async () => {
  await at.close()
  await database.close()
})
