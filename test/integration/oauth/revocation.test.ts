import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { limits } from '../../../src/kernel/index.ts'
import * as f from './flow.ts'
import * as w from './world.ts'

let world: w.World
beforeAll(async () => {
  world = await w.openWorld()
})
afterAll(() => world.close())

async function tokensOf(response: Response): Promise<f.Tokens> {
  expect(response.status).toBe(200)
  return (await response.json()) as f.Tokens
}

async function expectError(response: Response, status: number, error: string): Promise<void> {
  expect(response.status).toBe(status)
  expect(await response.json()).toMatchObject({ error })
}

async function introspect(app: w.TestApp, token: string): Promise<oauth.IntrospectionResponse> {
  const response = await oauth.introspectionRequest(world.as, app.client, app.auth, token, w.http)
  return oauth.processIntrospectionResponse(world.as, app.client, response)
}

async function revoke(app: w.TestApp, token: string): Promise<void> {
  const response = await oauth.revocationRequest(world.as, app.client, app.auth, token, w.http)
  await oauth.processRevocationResponse(response)
}

test('revocation of a refresh token ends the authorization at once', async () => {
  const app = await w.addApp(world)
  const installation = await w.install(world, app.appId)
  const tokens = await f.connect(world, app, installation)
  const other = await f.connect(world, app, installation)
  expect(await world.server.verifyAccessToken(tokens.access_token)).not.toBeNull()
  expect(await introspect(app, tokens.refresh_token)).toMatchObject({
    active: true,
    client_id: app.appId,
    iss: world.publicUrl,
    scope: 'order:read order:write',
  })
  await revoke(app, tokens.refresh_token)
  expect(await world.server.verifyAccessToken(tokens.access_token)).toBeNull()
  for (const token of [tokens.refresh_token, tokens.access_token])
    expect(await introspect(app, token)).toEqual({ active: false })
  await expectError(await f.refresh(world, app, tokens.refresh_token), 400, 'invalid_grant')
  expect(await world.server.verifyAccessToken(other.access_token)).not.toBeNull()
})

test('revocation of an access token ends that one alone', async () => {
  const app = await w.addApp(world)
  const first = await f.connect(world, app, await w.install(world, app.appId))
  const second = await tokensOf(await f.refresh(world, app, first.refresh_token))
  for (const { access_token } of [first, second])
    expect(await introspect(app, access_token)).toMatchObject({ active: true, token_type: 'Bearer' })
  await revoke(app, first.access_token)
  expect(await world.server.verifyAccessToken(first.access_token)).toBeNull()
  expect(await introspect(app, first.access_token)).toEqual({ active: false })
  expect(await world.server.verifyAccessToken(second.access_token)).not.toBeNull()
  const third = await tokensOf(await f.refresh(world, app, second.refresh_token))
  expect(await world.server.verifyAccessToken(third.access_token)).not.toBeNull()
})

test('revocation of a rotated refresh token ends the authorization too', async () => {
  const app = await w.addApp(world)
  const first = await f.connect(world, app, await w.install(world, app.appId))
  const second = await tokensOf(await f.refresh(world, app, first.refresh_token))
  await revoke(app, first.refresh_token)
  expect(await introspect(app, second.access_token)).toEqual({ active: false })
  await expectError(await f.refresh(world, app, second.refresh_token), 400, 'invalid_grant')
})

test('introspection says what the API would: nothing while a rule stops the app at this merchant', async () => {
  const app = await w.addApp(world)
  const installation = await w.install(world, app.appId)
  const { access_token } = await f.connect(world, app, installation)
  expect(await introspect(app, access_token)).toMatchObject({ active: true })
  await w.addRule(world, { effect: 'stop', appId: app.appId, merchantId: installation.merchantId })
  world.clock.aheadMs += limits.accessTokenCacheMs
  expect(await introspect(app, access_token)).toEqual({ active: false })
})

test('a stopped app’s token is inactive to everybody, and asking is no error', async () => {
  const app = await w.addApp(world)
  const other = await w.addApp(world)
  const { access_token } = await f.connect(world, app, await w.install(world, app.appId))
  await w.addRule(world, { effect: 'stop', appId: app.appId })
  expect(await introspect(other, access_token)).toEqual({ active: false })
  const own = await oauth.introspectionRequest(world.as, app.client, app.auth, access_token, w.http)
  expect(own.status).toBe(401)
  const revoked = await oauth.revocationRequest(world.as, other.client, other.auth, access_token, w.http)
  expect(revoked.status).toBe(200)
})

test('introspection names merchant and installation', async () => {
  const app = await w.addApp(world)
  const { merchantId, installationId } = await w.install(world, app.appId)
  const tokens = await f.connect(world, app, { merchantId, installationId })
  expect(await introspect(app, tokens.access_token)).toMatchObject({
    merchant_id: merchantId,
    installation_id: installationId,
    aud: `${world.publicUrl}/v1`,
    token_type: 'Bearer',
  })
})

test('another app can neither see nor end a token', async () => {
  const app = await w.addApp(world)
  const other = await w.addApp(world)
  const tokens = await f.connect(world, app, await w.install(world, app.appId))
  expect(await introspect(other, tokens.access_token)).toEqual({ active: false })
  await oauth.revocationRequest(world.as, other.client, other.auth, tokens.access_token, w.http)
  expect(await introspect(app, tokens.access_token)).toMatchObject({ active: true })
})

test('an unknown token is revoked without complaint and never active', async () => {
  const app = await w.addApp(world)
  const response = await oauth.revocationRequest(world.as, app.client, app.auth, 'nonsense', w.http)
  expect(response.status).toBe(200)
  expect(await introspect(app, 'nonsense')).toEqual({ active: false })
})
