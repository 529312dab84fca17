import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isWellFormedToken, limits } from '../../../src/kernel/index.ts'
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

const { basic } = f

const clientCredentials = { grant_type: 'client_credentials' }

describe('client authentication', () => {
  test('by header or body', async () => {
    const app = await w.addApp(world)
    for (const auth of [oauth.ClientSecretBasic(app.secret), oauth.ClientSecretPost(app.secret)]) {
      const parameters = new URLSearchParams()
      const args = [world.as, app.client, auth, parameters, w.http] as const
      expect((await oauth.clientCredentialsGrantRequest(...args)).status).toBe(200)
    }
  })

  test('an unknown app and a wrong secret have the same answer, byte for byte', async () => {
    const app = await w.addApp(world)
    const other = await w.addApp(world)
    const answers = await Promise.all(
      [
        basic('app_01ARZ3NDEKTSV4RRFFQ69G5FAV', app.secret),
        basic(app.appId, other.secret),
        basic(app.appId, `${app.secret.slice(0, -1)}!`),
        basic(app.appId, ''),
      ]
        .slice(0, 3)
        .map((headers) => f.post(world, '/oauth/token', clientCredentials, headers)),
    )
    const seen = await Promise.all(
      answers.map(async (answer) => {
        const headers = [...answer.headers].filter(([name]) => name !== 'date')
        return JSON.stringify([answer.status, headers, await answer.text()])
      }),
    )
    expect(answers[0]?.status).toBe(401)
    expect(new Set(seen).size).toBe(1)
    expect(seen[0]).toContain('invalid_client')
  })

  test('two live secrets work, an expired or revoked one does not, and use is noted', async () => {
    const app = await w.addApp(world)
    const second = await w.addSecret(world, app.appId)
    const expired = await w.addSecret(world, app.appId, world.clock.nowMs() - 1)
    const status = async (secret: string) =>
      (await f.post(world, '/oauth/token', clientCredentials, basic(app.appId, secret))).status
    expect(await status(app.secret)).toBe(200)
    expect(await status(second)).toBe(200)
    expect(await status(expired)).toBe(401)
    const rows = await world.database.db.queries.credential.findMany({ where: { appId: app.appId } })
    expect(rows.filter(({ lastUsedAt }) => lastUsedAt !== null)).toHaveLength(2)
    await world.database.db.queries.credential.updateMany({
      where: { appId: app.appId, hint: second.slice(-4) },
      data: { revokedAt: new Date() },
    })
    expect(await status(second)).toBe(401)
    expect(await status(app.secret)).toBe(200)
  })

  test('a secret that expires later stops working then', async () => {
    const app = await w.addApp(world)
    const secret = await w.addSecret(world, app.appId, world.clock.nowMs() + 60_000)
    const status = async () =>
      (await f.post(world, '/oauth/token', clientCredentials, basic(app.appId, secret))).status
    expect(await status()).toBe(200)
    world.clock.aheadMs += 61_000
    expect(await status()).toBe(401)
  })

  test('a stopped app, its publisher stopped, or an archived one is no client', async () => {
    const app = await w.addApp(world)
    const status = async () =>
      (await f.post(world, '/oauth/token', clientCredentials, basic(app.appId, app.secret))).status
    const q = world.database.db.queries
    for (const rule of [
      { effect: 'stop', appId: app.appId },
      { effect: 'revoke_tokens', publisherId: app.publisherId },
    ]) {
      const id = await w.addRule(world, rule)
      expect(await status()).toBe(401)
      await q.rule.update({ where: { id }, data: { liftedAt: new Date() } })
      expect(await status()).toBe(200)
    }
    await w.addRule(world, { effect: 'stop', appId: app.appId, merchantId: 'mer_other' })
    await w.addRule(world, { effect: 'read_only', appId: app.appId })
    expect(await status()).toBe(200)
    await q.app.update({ where: { id: app.appId }, data: { archivedAt: new Date() } })
    expect(await status()).toBe(401)
  })

  test.each([
    ['the placeholder’s method', { ...clientCredentials, client_id: 'x' }, 401],
    ['two mechanisms at once', { ...clientCredentials, client_secret: 'x' }, 400],
  ])('%s is refused', async (_what, members, status) => {
    const app = await w.addApp(world)
    const headers = 'client_secret' in members ? basic(app.appId, app.secret) : {}
    expect((await f.post(world, '/oauth/token', members, headers)).status).toBe(status)
  })

  test('an assertion signed with the secret (HS256) is refused', async () => {
    const app = await w.addApp(world)
    const auth = oauth.ClientSecretJwt(app.secret)
    const parameters = new URLSearchParams()
    const args = [world.as, app.client, auth, parameters, w.http] as const
    expect((await oauth.clientCredentialsGrantRequest(...args)).status).toBeGreaterThanOrEqual(400)
  })
})

describe('malformed requests', () => {
  test.each([
    ['an unknown grant type', 'grant_type=password&username=a&password=b', 'unsupported_grant_type'],
    ['a parameter twice', 'grant_type=client_credentials&grant_type=client_credentials', 'invalid_request'],
    ['no grant type', 'scope=order:read', 'invalid_request'],
    ['a refresh without its token', 'grant_type=refresh_token', 'invalid_request'],
    ['a refresh token that is none', 'grant_type=refresh_token&refresh_token=nonsense', 'invalid_grant'],
    [
      'a code that is none',
      'grant_type=authorization_code&code=x&redirect_uri=https://a.example/',
      'invalid_grant',
    ],
  ])('%s', async (_what, body, error) => {
    const app = await w.addApp(world)
    await expectError(await f.post(world, '/oauth/token', body, basic(app.appId, app.secret)), 400, error)
  })

  test('JSON, or a body that is too large', async () => {
    const app = await w.addApp(world)
    const headers = { ...basic(app.appId, app.secret), 'content-type': 'application/json' }
    await expectError(await f.post(world, '/oauth/token', '{}', headers), 400, 'invalid_request')
    const large = await f.post(world, '/oauth/token', `a=${'x'.repeat(60_000)}`, basic(app.appId, app.secret))
    await expectError(large, 400, 'invalid_request')
  })
})

describe('client credentials', () => {
  function request(app: w.TestApp, parameters: Record<string, string> = {}): Promise<Response> {
    const args = [world.as, app.client, app.auth, new URLSearchParams(parameters), w.http] as const
    return oauth.clientCredentialsGrantRequest(...args)
  }

  test('work from registration on and give a token of the app without scope', async () => {
    const app = await w.addApp(world, { manifest: null })
    const tokens = await oauth.processClientCredentialsResponse(world.as, app.client, await request(app))
    expect(tokens).toEqual({
      access_token: expect.stringMatching(/^stoa_at_/),
      expires_in: 600,
      token_type: 'bearer',
    })
    expect(isWellFormedToken('accessToken', tokens.access_token)).toBe(true)
    expect(await world.server.verifyAccessToken(tokens.access_token)).toEqual({
      kind: 'app',
      appId: app.appId,
      installation: null,
      ...{ scopes: new Set(), bounds: [] },
      personId: null,
    })
  })

  test('refuse every scope', async () => {
    await expectError(await request(await w.addApp(world), { scope: 'order:read' }), 400, 'invalid_scope')
  })

  test('end with the app’s rule, its revocation and their time', async () => {
    const app = await w.addApp(world)
    const fetchToken = async () => (await tokensOf(await request(app))).access_token
    const [stopped, revoked, expired] = [await fetchToken(), await fetchToken(), await fetchToken()]
    await oauth.revocationRequest(world.as, app.client, app.auth, revoked, w.http)
    expect(await world.server.verifyAccessToken(revoked)).toBeNull()
    expect(await world.server.verifyAccessToken(stopped)).not.toBeNull()
    world.clock.aheadMs += 601_000
    expect(await world.server.verifyAccessToken(expired)).toBeNull()
    const fresh = await fetchToken()
    await w.addRule(world, { effect: 'revoke_tokens', appId: app.appId })
    expect(await world.server.verifyAccessToken(fresh)).toBeNull()
  })
})

describe('refresh', () => {
  test('rotates: a new pair, and the old refresh token is used up', async () => {
    const app = await w.addApp(world)
    const installation = await w.install(world, app.appId)
    const first = await f.connect(world, app, installation)
    const response = await f.refresh(world, app, first.refresh_token)
    const second = await oauth.processRefreshTokenResponse(world.as, app.client, response)
    expect(second.refresh_token).not.toBe(first.refresh_token)
    expect(second.access_token).not.toBe(first.access_token)
    expect(second).toMatchObject({
      scope: 'order:read order:write',
      merchant_id: installation.merchantId,
      installation_id: installation.installationId,
    })
    expect(await world.server.verifyAccessToken(second.access_token)).not.toBeNull()
    expect(await world.server.verifyAccessToken(first.access_token)).not.toBeNull()
  })

  test('narrows the access token only, and never widens', async () => {
    const app = await w.addApp(world)
    const first = await f.connect(world, app, await w.install(world, app.appId))
    const narrow = await tokensOf(await f.refresh(world, app, first.refresh_token, { scope: 'order:read' }))
    expect(narrow.scope).toBe('order:read')
    expect((await world.server.verifyAccessToken(narrow.access_token))?.scopes).toEqual(
      new Set(['order:read']),
    )
    const wider = { scope: 'order:read customer:read' }
    await expectError(await f.refresh(world, app, narrow.refresh_token, wider), 400, 'invalid_scope')
    const full = await tokensOf(await f.refresh(world, app, narrow.refresh_token))
    expect(full.scope).toBe('order:read order:write')
  })

  test('a hundred at once give one successor, and it works', async () => {
    const app = await w.addApp(world)
    const { refresh_token } = await f.connect(world, app, await w.install(world, app.appId))
    const responses = await Promise.all(
      Array.from({ length: 100 }, () => f.refresh(world, app, refresh_token)),
    )
    const pairs = await Promise.all(responses.map(tokensOf))
    expect(new Set(pairs.map((pair) => `${pair.access_token} ${pair.refresh_token}`)).size).toBe(1)
    const [pair] = pairs
    await tokensOf(await f.refresh(world, app, pair?.refresh_token ?? ''))
  })

  test('two processes at once give one successor', async () => {
    const app = await w.addApp(world)
    const { refresh_token } = await f.connect(world, app, await w.install(world, app.appId))
    const other = await w.openProcess(world.database, world.clock, { publicUrl: world.publicUrl })
    try {
      const responses = await Promise.all(
        Array.from({ length: 20 }, (_, i) => f.refresh(i % 2 === 0 ? world : other, app, refresh_token)),
      )
      const pairs = await Promise.all(responses.map(tokensOf))
      expect(new Set(pairs.map((pair) => pair.refresh_token)).size).toBe(1)
    } finally {
      await other.close()
    }
  })

  test('a lost answer is given again, with the time that is left, or a fresh access token', async () => {
    const app = await w.addApp(world)
    const { refresh_token } = await f.connect(world, app, await w.install(world, app.appId))
    const first = await tokensOf(await f.refresh(world, app, refresh_token))
    world.clock.aheadMs += 600_000
    const again = await tokensOf(await f.refresh(world, app, refresh_token))
    expect(again).toEqual({ ...first, expires_in: again.expires_in })
    expect(again.expires_in).toBeLessThanOrEqual(3000)
    world.clock.aheadMs += 3_600_000
    const later = await tokensOf(await f.refresh(world, app, refresh_token))
    expect(later.refresh_token).toBe(first.refresh_token)
    expect(later.access_token).not.toBe(first.access_token)
    expect((await world.server.verifyAccessToken(later.access_token))?.scopes).toEqual(
      new Set(['order:read', 'order:write']),
    )
    await tokensOf(await f.refresh(world, app, first.refresh_token))
  })

  test('a retry that asks for something else gets nothing and ends nothing', async () => {
    const app = await w.addApp(world)
    const { refresh_token } = await f.connect(world, app, await w.install(world, app.appId))
    const first = await tokensOf(await f.refresh(world, app, refresh_token))
    await expectError(
      await f.refresh(world, app, refresh_token, { scope: 'order:read' }),
      400,
      'invalid_grant',
    )
    await tokensOf(await f.refresh(world, app, first.refresh_token))
  })

  test('use of the old token after its successor’s use ends the whole authorization, not the installation', async () => {
    const app = await w.addApp(world)
    const installation = await w.install(world, app.appId)
    const first = await f.connect(world, app, installation)
    const other = await f.connect(world, app, installation)
    const second = await tokensOf(await f.refresh(world, app, first.refresh_token))
    const third = await tokensOf(await f.refresh(world, app, second.refresh_token))
    await expectError(await f.refresh(world, app, first.refresh_token), 400, 'invalid_grant')
    for (const token of [first, second, third]) {
      expect(await world.server.verifyAccessToken(token.access_token)).toBeNull()
      await expectError(await f.refresh(world, app, token.refresh_token), 400, 'invalid_grant')
    }
    expect(await world.server.verifyAccessToken(other.access_token)).not.toBeNull()
    await f.connect(world, app, installation)
  })

  test('the old token is worth nothing after a day, even unanswered', async () => {
    const app = await w.addApp(world)
    const first = await f.connect(world, app, await w.install(world, app.appId))
    const second = await tokensOf(await f.refresh(world, app, first.refresh_token))
    world.clock.aheadMs += limits.refreshReplayMs
    await expectError(await f.refresh(world, app, first.refresh_token), 400, 'invalid_grant')
    await expectError(await f.refresh(world, app, second.refresh_token), 400, 'invalid_grant')
  })

  test('another app’s attempt is refused and harms nobody', async () => {
    const app = await w.addApp(world)
    const thief = await w.addApp(world)
    const first = await f.connect(world, app, await w.install(world, app.appId))
    await expectError(await f.refresh(world, thief, first.refresh_token), 400, 'invalid_grant')
    const second = await tokensOf(await f.refresh(world, app, first.refresh_token))
    await expectError(await f.refresh(world, thief, first.refresh_token), 400, 'invalid_grant')
    await tokensOf(await f.refresh(world, app, second.refresh_token))
  })

  test('ends after 90 idle days', async () => {
    const app = await w.addApp(world)
    const { refresh_token } = await f.connect(world, app, await w.install(world, app.appId))
    world.clock.aheadMs += limits.refreshTokenIdleMs
    await expectError(await f.refresh(world, app, refresh_token), 400, 'invalid_grant')
  })

  test('follows the merchant’s grant: what was withdrawn is gone', async () => {
    const app = await w.addApp(world)
    const installation = await w.install(world, app.appId)
    const first = await f.connect(world, app, installation)
    await world.database.db.queries.grant.updateMany({
      where: { installationId: installation.installationId },
      data: { granted: ['order:read'], epoch: 2 },
    })
    const second = await tokensOf(await f.refresh(world, app, first.refresh_token))
    expect(second.scope).toBe('order:read')
  })
})
