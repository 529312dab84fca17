import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { limits } from '../../../src/kernel/index.ts'
import { makeBrowser } from './browser.ts'
import * as f from './flow.ts'
import * as k from './keys.ts'
import * as w from './world.ts'

let world: w.World
beforeAll(async () => {
  world = await w.openWorld()
})
afterAll(() => world.close())

interface Pushed extends f.Authorization {
  readonly requestUri: string
}

/** Pushes what `authorizationOf` would put into the address; gives the short address. */
async function push(
  app: w.TestApp,
  overrides: Readonly<Record<string, string | null>> = {},
  options: oauth.PushedAuthorizationRequestOptions = {},
): Promise<Pushed> {
  const authorization = await f.authorizationOf(world, app, overrides)
  const args = [world.as, app.client, app.auth, authorization.url.searchParams] as const
  const response = await oauth.pushedAuthorizationRequest(...args, { ...w.http, ...options })
  const { request_uri, expires_in } = await oauth.processPushedAuthorizationResponse(
    ...([world.as, app.client, response] as const),
  )
  expect(expires_in).toBe(limits.pushedRequestMs / 1000)
  const url = new URL(world.as.authorization_endpoint ?? '')
  url.searchParams.set('client_id', app.appId)
  url.searchParams.set('request_uri', request_uri)
  return { ...authorization, url, requestUri: request_uri }
}

/**
 * Where the authorization endpoint leads: to the sign-in page, or to an error. Without a request there is no redirect URI
 * to be trusted, so that the error stays on a page (RFC 6749 §4.1.2.1).
 */
async function outcomeOf(url: URL): Promise<string | undefined> {
  const response = await makeBrowser().open(url.href)
  const location = response.headers.get('location')
  if (location !== null && new URL(location, world.publicUrl).pathname.startsWith('/sign-in/'))
    return 'sign-in'
  expect(location).toBeNull()
  return /invalid_request_\w+/.exec(await response.text())?.[0]
}

describe('a pushed request', () => {
  test('leads through sign-in and consent to tokens', async () => {
    const app = await w.addApp(world)
    const pushed = await push(app)
    const back = await f.authorize(world, pushed, await w.install(world, app.appId))
    const tokens = (await (await f.redeem(world, app, pushed, back)).json()) as f.Tokens
    expect(tokens.scope).toBe('order:read order:write')
  })

  test('by an app with a key, whose assertion may name this endpoint', async () => {
    const app = await k.addKeyedApp(world)
    const pushed = await push(app)
    const back = await f.authorize(world, pushed, await w.install(world, app.appId))
    expect((await f.redeem(world, app, pushed, back)).status).toBe(200)
  })

  test('is read once', async () => {
    const app = await w.addApp(world)
    const pushed = await push(app)
    expect(await outcomeOf(pushed.url)).toBe('sign-in')
    expect(await outcomeOf(pushed.url)).toBe('invalid_request_uri')
  })

  test('of ten readers at once has one', async () => {
    const app = await w.addApp(world)
    const { url } = await push(app)
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => outcomeOf(url)))
    expect(outcomes.toSorted()).toEqual([...Array(9).fill('invalid_request_uri'), 'sign-in'])
  })

  test('is good for a minute', async () => {
    const app = await w.addApp(world)
    const { url } = await push(app)
    world.clock.aheadMs += limits.pushedRequestMs
    expect(await outcomeOf(url)).toBe('invalid_request_uri')
    world.clock.aheadMs -= limits.pushedRequestMs
  })

  test('is another app’s for nobody else', async () => {
    const app = await w.addApp(world)
    const thief = await w.addApp(world)
    const { url } = await push(app)
    url.searchParams.set('client_id', thief.appId)
    expect(await outcomeOf(url)).toBe('invalid_request_object')
  })

  test('counts as it was pushed, whatever the address adds', async () => {
    const app = await w.addApp(world)
    const pushed = await push(app, { scope: 'order:read' })
    pushed.url.searchParams.set('scope', 'order:read order:write customer:read')
    pushed.url.searchParams.set('redirect_uri', 'https://evil.example.com/')
    const back = await f.authorize(world, pushed, await w.install(world, app.appId))
    expect(`${back.origin}${back.pathname}`).toBe(w.redirectUri)
    const tokens = (await (await f.redeem(world, app, pushed, back)).json()) as f.Tokens
    expect(tokens.scope).toBe('order:read')
  })

  test('binds the code to the key whose proof came with it', async () => {
    const app = await w.addApp(world)
    const [key, other] = [await oauth.generateKeyPair('ES256'), await oauth.generateKeyPair('ES256')]
    const pushed = await push(app, {}, { DPoP: oauth.DPoP({}, key) })
    const back = await f.authorize(world, pushed, await w.install(world, app.appId))
    const callback = oauth.validateAuthResponse(world.as, app.client, back, pushed.state)
    const redeem = (DPoP: oauth.DPoPHandle | null) =>
      oauth.authorizationCodeGrantRequest(
        ...([world.as, app.client, app.auth, callback, w.redirectUri, pushed.codeVerifier] as const),
        { ...w.http, ...(DPoP === null ? {} : { DPoP }) },
      )
    expect((await redeem(null)).status).toBe(400)
    expect((await redeem(oauth.DPoP({}, other))).status).toBe(400)
    expect((await redeem(oauth.DPoP({}, key))).status).toBe(200)
  })
})

describe('pushing is refused', () => {
  const members = async (app: w.TestApp, overrides: Readonly<Record<string, string | null>> = {}) =>
    Object.fromEntries((await f.authorizationOf(world, app, overrides)).url.searchParams)

  test('of any length: what the app may choose at will is bounded', async () => {
    const app = await w.addApp(world)
    const state = 'x'.repeat(limits.oauthStateLengthMax)
    await expect(push(app, { state })).rejects.toMatchObject({ error: 'invalid_request' })
  })

  test('without authentication, and to a wrong secret', async () => {
    const app = await w.addApp(world)
    const other = await w.addApp(world)
    const sent = await members(app)
    expect((await f.post(world, '/oauth/par', sent)).status).toBe(401)
    expect((await f.post(world, '/oauth/par', { ...sent, client_secret: other.secret })).status).toBe(401)
  })

  test.each<[string, Readonly<Record<string, string | null>>, string]>([
    ['another redirect URI', { redirect_uri: 'https://evil.example.com/' }, 'invalid_request'],
    ['no PKCE', { code_challenge: null, code_challenge_method: null }, 'invalid_request'],
    ['a scope that is not in the manifest', { scope: 'storage:read' }, 'invalid_scope'],
    ['a request_uri', { request_uri: 'urn:ietf:params:oauth:request_uri:x' }, 'request_uri_not_supported'],
  ])('with %s', async (_what, overrides, error) => {
    const app = await w.addApp(world)
    const sent = { ...(await members(app, overrides)), client_secret: app.secret }
    const response = await f.post(world, '/oauth/par', sent)
    expect([response.status, ((await response.json()) as { error: string }).error]).toEqual([400, error])
  })

  test('by GET', async () => {
    expect((await fetch(`${world.publicUrl}/oauth/par`)).status).toBe(405)
  })
})

describe('an app that is held to pushing', () => {
  test('is refused without, at its redirect URI, and answered with', async () => {
    const app = await w.addApp(world)
    await k.setSettings(world, app.appId, { requirePushedRequest: true })
    const authorization = await f.authorizationOf(world, app)
    const response = await makeBrowser().open(authorization.url.href)
    const back = new URL(response.headers.get('location') ?? '')
    expect(`${back.origin}${back.pathname}`).toBe(w.redirectUri)
    expect(back.searchParams.get('error')).toBe('invalid_request')
    expect(back.searchParams.get('error_description')).toContain('Pushed Authorization Request')
    const pushed = await push(app)
    const done = await f.authorize(world, pushed, await w.install(world, app.appId))
    expect((await f.redeem(world, app, pushed, done)).status).toBe(200)
  })
})
