import { calculateJwkThumbprint } from 'jose'
import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { limits } from '../../../src/kernel/index.ts'
import { makeProof, type ProofOptions } from '../../support/dpop.ts'
import * as f from './flow.ts'
import * as k from './keys.ts'
import * as w from './world.ts'

let world: w.World
beforeAll(async () => {
  world = await w.openWorld({ privateScopes: ['customer:read'] })
})
afterAll(() => world.close())

const newKey = () => oauth.generateKeyPair('ES256')

async function thumbprintOf({ publicKey }: CryptoKeyPair): Promise<string> {
  return calculateJwkThumbprint(await crypto.subtle.exportKey('jwk', publicKey))
}

/** A code with which an app asked for what only bound tokens may have, or for something else. */
async function codeOf(
  app: w.TestApp,
  installation: w.TestInstallation,
  overrides: Readonly<Record<string, string | null>> = {},
  granted: readonly string[] = w.scopes,
) {
  const authorization = await f.authorizationOf(world, app, {
    scope: 'order:read customer:read',
    ...overrides,
  })
  const back = await f.authorize(world, authorization, { ...installation, granted })
  const callback = oauth.validateAuthResponse(world.as, app.client, back, authorization.state)
  return (key: CryptoKeyPair | null) =>
    oauth.authorizationCodeGrantRequest(
      ...([world.as, app.client, app.auth, callback, w.redirectUri, authorization.codeVerifier] as const),
      { ...w.http, ...(key === null ? {} : { DPoP: oauth.DPoP({}, key) }) },
    )
}

type BoundTokens = f.Tokens & { readonly token_type: string }

async function tokensOf(response: Response): Promise<BoundTokens> {
  if (response.status !== 200) throw new Error(await response.text())
  return (await response.json()) as BoundTokens
}

async function expectError(response: Response, error: string, description?: RegExp): Promise<void> {
  const body = (await response.json()) as { error: string; error_description: string }
  expect([response.status, body.error]).toEqual([400, error])
  if (description !== undefined) expect(body.error_description).toMatch(description)
}

function refresh(
  app: w.TestApp,
  token: string,
  key: CryptoKeyPair | null,
  parameters = {},
): Promise<Response> {
  return oauth.refreshTokenGrantRequest(world.as, app.client, app.auth, token, {
    ...{ ...w.http, additionalParameters: parameters },
    ...(key === null ? {} : { DPoP: oauth.DPoP({}, key) }),
  })
}

/** An app that holds a bound pair. */
async function connected() {
  const app = await w.addApp(world)
  const installation = await w.install(world, app.appId)
  const key = await newKey()
  const tokens = await tokensOf(await (await codeOf(app, installation))(key))
  return { app, installation, key, tokens }
}

function presentedFor(token: string, key: CryptoKeyPair) {
  const url = `${world.publicUrl}/v1/orders`
  const proof = makeProof(key, { method: 'GET', url, accessToken: token, nowMs: world.clock.nowMs() })
  return proof.then((made) => ({ proof: made, method: 'GET', url }))
}

describe('a scope of the private tier', () => {
  test('is given to a key alone: without proof the error says so, and the code is as good as before', async () => {
    const app = await w.addApp(world)
    const redeem = await codeOf(app, await w.install(world, app.appId))
    await expectError(await redeem(null), 'invalid_dpop_proof', /^customer:read: .*DPoP proof/)
    const key = await newKey()
    const tokens = await tokensOf(await redeem(key))
    expect(tokens).toMatchObject({ token_type: 'DPoP', scope: 'order:read customer:read' })
    await expect(world.server.verifyAccessToken(tokens.access_token)).rejects.toMatchObject({
      code: 'oauth.token_bound',
    })
    const presented = await presentedFor(tokens.access_token, key)
    const caller = await world.server.verifyAccessToken(tokens.access_token, presented)
    expect(caller?.scopes).toEqual(new Set(['order:read', 'customer:read']))
  })

  test('that the merchant did not grant asks for no key', async () => {
    const app = await w.addApp(world)
    const granted = ['order:read']
    const redeem = await codeOf(app, await w.install(world, app.appId, granted), {}, granted)
    expect(await tokensOf(await redeem(null))).toMatchObject({ token_type: 'Bearer', scope: 'order:read' })
  })

  test('is not had by refreshing without a key; the refresh token is as good as before', async () => {
    const { app, key, tokens } = await connected()
    await expectError(await refresh(app, tokens.refresh_token, null), 'invalid_dpop_proof')
    const narrow = await tokensOf(await refresh(app, tokens.refresh_token, null, { scope: 'order:read' }))
    expect(narrow).toMatchObject({ token_type: 'Bearer', scope: 'order:read' })
    const again = await tokensOf(await refresh(app, narrow.refresh_token, key))
    expect(again).toMatchObject({ token_type: 'DPoP', scope: 'order:read customer:read' })
  })
})

describe('tokens of any app', () => {
  test('are bound when it sends a proof, and introspection tells to what', async () => {
    const app = await w.addApp(world)
    const key = await newKey()
    const options = { ...w.http, DPoP: oauth.DPoP({}, key) }
    const args = [world.as, app.client, app.auth, new URLSearchParams(), options] as const
    const response = await oauth.clientCredentialsGrantRequest(...args)
    const tokens = await oauth.processClientCredentialsResponse(world.as, app.client, response)
    expect(tokens.token_type).toBe('dpop')
    const introspected = await oauth.introspectionRequest(
      ...([world.as, app.client, app.auth, tokens.access_token, w.http] as const),
    )
    expect(await introspected.json()).toMatchObject({
      ...{ active: true, token_type: 'DPoP', cnf: { jkt: await thumbprintOf(key) } },
    })
    await oauth.revocationRequest(world.as, app.client, app.auth, tokens.access_token, w.http)
    expect(await world.server.holderOf(tokens.access_token)).toBeNull()
  })

  test('are bound or not issued when its settings say so, and the error says why', async () => {
    const app = await w.addApp(world)
    await k.setSettings(world, app.appId, { requireDpop: true })
    const redeem = await codeOf(app, await w.install(world, app.appId), { scope: 'order:read' })
    await expectError(await redeem(null), 'invalid_dpop_proof', /every token of this app/)
    const key = await newKey()
    const tokens = await tokensOf(await redeem(key))
    await expectError(await refresh(app, tokens.refresh_token, null), 'invalid_dpop_proof')
    expect(await tokensOf(await refresh(app, tokens.refresh_token, key))).toMatchObject({
      token_type: 'DPoP',
    })
  })
})

describe('a code bound to a key by dpop_jkt', () => {
  test('is redeemed with that key and no other', async () => {
    const app = await w.addApp(world)
    const [key, thief] = [await newKey(), await newKey()]
    const overrides = { scope: 'order:read', dpop_jkt: await thumbprintOf(key) }
    const redeem = await codeOf(app, await w.install(world, app.appId), overrides)
    await expectError(await redeem(null), 'invalid_grant')
    await expectError(await redeem(thief), 'invalid_grant')
    expect(await tokensOf(await redeem(key))).toMatchObject({ token_type: 'DPoP' })
  })
})

describe('a retry of a rotation', () => {
  test('with the same key gives the same pair', async () => {
    const { app, key, tokens } = await connected()
    const first = await tokensOf(await refresh(app, tokens.refresh_token, key))
    const again = await tokensOf(await refresh(app, tokens.refresh_token, key))
    expect(again).toEqual({ ...first, expires_in: again.expires_in })
  })

  test('a hundred at once, each with a proof of its own, give one pair', async () => {
    const { app, key, tokens } = await connected()
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => refresh(app, tokens.refresh_token, key)),
    )
    const pairs = await Promise.all(answers.map(tokensOf))
    expect(new Set(pairs.map((pair) => `${pair.access_token} ${pair.refresh_token}`)).size).toBe(1)
  })

  test('without a proof or with another key gets nothing and ends nothing', async () => {
    const { app, key, tokens } = await connected()
    const first = await tokensOf(await refresh(app, tokens.refresh_token, key))
    await expectError(await refresh(app, tokens.refresh_token, null), 'invalid_grant')
    await expectError(await refresh(app, tokens.refresh_token, await newKey()), 'invalid_grant')
    expect(await tokensOf(await refresh(app, first.refresh_token, key))).toMatchObject({ token_type: 'DPoP' })
  })

  test('with the very proof of the rotation is a replay', async () => {
    const { app, key, tokens } = await connected()
    const dpop = await makeProof(key, { method: 'POST', url: `${world.publicUrl}/oauth/token` })
    const authorization = `Basic ${Buffer.from(`${app.appId}:${app.secret}`).toString('base64')}`
    const send = () =>
      f.post(
        world,
        '/oauth/token',
        { grant_type: 'refresh_token', refresh_token: tokens.refresh_token },
        { dpop, authorization },
      )
    const answers = await Promise.all(Array.from({ length: 10 }, send))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    await expectError(await send(), 'invalid_grant')
  })

  test('after the access token’s end gives one that is bound to the same key', async () => {
    const { app, key, tokens } = await connected()
    const first = await tokensOf(await refresh(app, tokens.refresh_token, key))
    world.clock.aheadMs += limits.accessTokenMs
    const later = await tokensOf(await refresh(app, tokens.refresh_token, key))
    world.clock.aheadMs -= limits.accessTokenMs
    expect(later).toMatchObject({ refresh_token: first.refresh_token, token_type: 'DPoP' })
    expect(later.access_token).not.toBe(first.access_token)
    await expect(world.server.verifyAccessToken(later.access_token)).rejects.toMatchObject({
      code: 'oauth.token_bound',
    })
    const presented = await presentedFor(later.access_token, key)
    expect(await world.server.verifyAccessToken(later.access_token, presented)).not.toBeNull()
  })
})

describe('a proof at the token endpoint is refused', () => {
  const request = async (app: w.TestApp, options: Partial<ProofOptions>, key?: CryptoKeyPair) => {
    const url = `${world.publicUrl}/oauth/token`
    const dpop = await makeProof(key ?? (await newKey()), { method: 'POST', url, ...options })
    const authorization = `Basic ${Buffer.from(`${app.appId}:${app.secret}`).toString('base64')}`
    return f.post(world, '/oauth/token', { grant_type: 'client_credentials' }, { dpop, authorization })
  }

  test.each<[string, Partial<ProofOptions>]>([
    ['for another method', { method: 'GET' }],
    ['for another address', { url: 'https://evil.example.com/oauth/token' }],
    ['for another endpoint', { claims: { htu: 'http://127.0.0.1/oauth/par' } }],
    ['of an hour ago', { nowMs: Date.now() - 3_600_000 }],
    ['of tomorrow', { nowMs: Date.now() + 86_400_000 }],
    ['without time', { claims: { iat: undefined } }],
    ['without jti', { claims: { jti: undefined } }],
    ['of another type', { header: { typ: 'JWT' } }],
  ])('%s', async (_what, options) => {
    const app = await w.addApp(world)
    await expectError(await request(app, options), 'invalid_dpop_proof')
  })

  test('the second time, also one dated ahead, for as long as it is good', async () => {
    const app = await w.addApp(world)
    const key = await newKey()
    const ahead = { claims: { jti: 'once' }, nowMs: Date.now() + 240_000 }
    expect((await request(app, ahead, key)).status).toBe(200)
    await expectError(await request(app, ahead, key), 'invalid_grant')
    const uses = await world.database.db.queries.oauthUse.findMany()
    const until = Math.max(...uses.map(({ expiresAt }) => expiresAt.getTime()))
    expect(until).toBeGreaterThanOrEqual(Date.now() + 240_000 + 300_000)
  })

  test('does not count for another app: a jti is the client’s own', async () => {
    const options = { claims: { jti: 'shared' } }
    expect((await request(await w.addApp(world), options)).status).toBe(200)
    expect((await request(await w.addApp(world), options)).status).toBe(200)
  })
})

describe('a proof for the API', () => {
  test('is used once on two nodes together', async () => {
    const { key, tokens } = await connected()
    const other = await w.openProcess(world.database, world.clock, { publicUrl: world.publicUrl })
    try {
      const presented = await presentedFor(tokens.access_token, key)
      const results = await Promise.allSettled(
        Array.from({ length: 10 }, (_, i) =>
          (i % 2 === 0 ? world : other).server.verifyAccessToken(tokens.access_token, presented),
        ),
      )
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      for (const result of results)
        if (result.status === 'rejected')
          expect(result.reason).toMatchObject({ code: 'oauth.dpop_proof_refused' })
    } finally {
      await other.close()
    }
  })

  test('is forgotten when it is too old to be sent again', async () => {
    const { key, tokens } = await connected()
    const presented = await presentedFor(tokens.access_token, key)
    await world.server.verifyAccessToken(tokens.access_token, presented)
    const count = () => world.database.db.queries.oauthUse.count()
    expect(await count()).toBeGreaterThan(0)
    const aheadMs = 3_600_000
    world.clock.aheadMs += aheadMs
    await world.server.removeExpiredUses()
    expect(await count()).toBe(0)
    world.clock.aheadMs -= aheadMs
  })

  test('costs a bearer request nothing: no statement beside the cached look-up', async () => {
    const app = await w.addApp(world)
    const tokens = await f.connect(world, app, await w.install(world, app.appId))
    await world.server.verifyAccessToken(tokens.access_token)
    const uses = await world.database.db.queries.oauthUse.count()
    for (let i = 0; i < 20; i += 1) await world.server.verifyAccessToken(tokens.access_token)
    expect(await world.database.db.queries.oauthUse.count()).toBe(uses)
  })
})
