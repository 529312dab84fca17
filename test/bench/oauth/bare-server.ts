// What the platform is compared with: an Express with two JSON routes, and oidc-provider with its memory adapter.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { connections } from './load.ts'
import { type Credentials, serveBench } from './peer.ts'

// Warnings about Node 20, the memory adapter and the keys: all meant here.
console.warn = () => undefined
const { Provider } = await import('oidc-provider')

const order = {
  id: 'ord_01J00000000000000000000000',
  state: 'paid',
  lines: [{ name: 'Tea', quantity: 1, unitPrice: { amount: 1250, currency: 'CNY' } }],
  total: { amount: 1250, currency: 'CNY' },
}

const app = express()
app.disable('x-powered-by')
app.set('etag', false)
app.get('/v1/orders/:orderId', (request, response) => {
  response.json({ ...order, id: request.params.orderId })
})
app.put('/v1/storage/:key', express.json(), (request, response) => {
  response.json({ key: request.params['key'], value: (request.body as { value: unknown }).value })
})
const server = app.listen(0, '127.0.0.1')
await once(server, 'listening')
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

const clientId = 'bench'
const clientSecret = 'a secret of the bench, long enough'
const provider = new Provider(origin, {
  clients: [
    {
      client_id: clientId,
      client_secret: clientSecret,
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
      redirect_uris: ['http://127.0.0.1:9/callback'],
    },
  ],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    introspection: { enabled: true, allowedPolicy: () => true },
  },
  routes: { token: '/oauth/token', introspection: '/oauth/introspect' },
  cookies: { keys: ['a key of the bench'] },
  findAccount: (_ctx, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
  issueRefreshToken: () => true,
  rotateRefreshToken: true,
  expiresWithSession: () => false,
  ttl: { AccessToken: 3600, ClientCredentials: 600, Grant: 86_400, IdToken: 3600, RefreshToken: 86_400 },
})
app.use(provider.callback())

async function authorize(index: number): Promise<Credentials['clients'][number]> {
  const client = await provider.Client.find(clientId)
  if (client === undefined) throw new Error('no client')
  const accountId = `account-${index}`
  const grant = new provider.Grant({ accountId, clientId })
  const scope = 'offline_access'
  grant.addOIDCScope(scope)
  const issued = { client, accountId, grantId: await grant.save(), gty: 'authorization_code', scope }
  return {
    accessToken: await new provider.AccessToken(issued).save(),
    refreshToken: await new provider.RefreshToken(issued).save(),
    readPath: `/v1/orders/${order.id}`,
  }
}

const clients = await Promise.all(Array.from({ length: connections }, (_, index) => authorize(index)))
serveBench({ origin, clientId, clientSecret, clients }, async () => {
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
})
