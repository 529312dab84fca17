import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { limits, mintToken, systemRandom } from '../../../src/kernel/index.ts'
import * as f from './flow.ts'
import * as w from './world.ts'

let world: w.World
let app: w.TestApp
beforeAll(async () => {
  world = await w.openWorld()
  app = await w.addApp(world)
})
afterAll(() => world.close())

describe('an access token of an installation', () => {
  let installation: w.TestInstallation
  let token: string
  beforeEach(async () => {
    installation = await w.install(world, app.appId)
    token = (await f.connect(world, app, installation)).access_token
    expect(await world.server.verifyAccessToken(token)).not.toBeNull()
  })

  const allows = async () => (await world.server.verifyAccessToken(token)) !== null
  const afterCache = () => {
    world.clock.aheadMs += limits.accessTokenCacheMs
  }

  test('is dead on this process as soon as the installation’s end is committed', async () => {
    const { merchantId, installationId } = installation
    await world.database.db.tx((tx) => world.server.revokeInstallation(tx, merchantId, installationId))
    expect(await allows()).toBe(false)
    expect(
      await world.database.db.queries.oauthGrant.count({ where: { installationId, revokedAt: null } }),
    ).toBe(0)
  })

  test('lives on when the end is rolled back', async () => {
    const { merchantId, installationId } = installation
    const failing = world.database.db.tx(async (tx) => {
      await world.server.revokeInstallation(tx, merchantId, installationId)
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    afterCache()
    expect(await allows()).toBe(true)
  })

  test('another merchant cannot end it', async () => {
    const { installationId } = installation
    await world.database.db.tx((tx) => world.server.revokeInstallation(tx, 'mer_other', installationId))
    afterCache()
    expect(await allows()).toBe(true)
  })

  test('is dead on another process within the cache’s time', async () => {
    const other = await w.openProcess(world.database, world.clock)
    try {
      expect(await other.server.verifyAccessToken(token)).not.toBeNull()
      const { merchantId, installationId } = installation
      await world.database.db.tx((tx) => world.server.revokeInstallation(tx, merchantId, installationId))
      expect(await other.server.verifyAccessToken(token)).not.toBeNull()
      afterCache()
      expect(await other.server.verifyAccessToken(token)).toBeNull()
    } finally {
      await other.close()
    }
  })

  test('dies with the installation’s row alone, whatever was forgotten', async () => {
    await world.database.db.queries.installation.update({
      where: { id: installation.installationId },
      data: { state: 'uninstalled' },
    })
    expect(await allows()).toBe(true)
    afterCache()
    expect(await allows()).toBe(false)
  })

  test.each([
    ['the app', () => ({ effect: 'revoke_tokens', appId: app.appId })],
    ['the publisher', () => ({ effect: 'stop', publisherId: app.publisherId })],
    ['the merchant', () => ({ effect: 'stop', merchantId: installation.merchantId })],
    [
      'the app at this merchant',
      () => ({ effect: 'stop', appId: app.appId, merchantId: installation.merchantId }),
    ],
  ])('dies by a rule against %s and comes back when it is lifted', async (_whom, rule) => {
    const id = await w.addRule(world, rule())
    afterCache()
    expect(await allows()).toBe(false)
    await world.database.db.queries.rule.update({ where: { id }, data: { liftedAt: new Date() } })
    world.clock.aheadMs += limits.accessTokenCacheNegativeMs
    expect(await allows()).toBe(true)
  })

  test.each([
    ['another app', () => ({ effect: 'stop', appId: 'app_other' })],
    ['the app at another merchant', () => ({ effect: 'stop', appId: app.appId, merchantId: 'mer_other' })],
    ['writing only', () => ({ effect: 'read_only', appId: app.appId })],
    ['nobody, naming only a scope', () => ({ effect: 'stop', scope: 'order:read' })],
  ])('does not mind a rule against %s', async (_whom, rule) => {
    await w.addRule(world, rule())
    afterCache()
    expect(await allows()).toBe(true)
  })

  test('holds only what token and grant both hold, and tells the grant’s epoch', async () => {
    await world.database.db.queries.grant.updateMany({
      where: { installationId: installation.installationId },
      data: { granted: ['order:write', 'customer:read'], epoch: 7 },
    })
    afterCache()
    const caller = await world.server.verifyAccessToken(token)
    expect(caller?.scopes).toEqual(new Set(['order:write']))
    expect(caller?.installation?.grantEpoch).toBe(7)
  })

  test('ends after an hour, to the millisecond also from the cache', async () => {
    const row = await world.database.db.queries.oauthToken.findFirst({
      where: { installationId: installation.installationId, kind: 'AccessToken' },
    })
    const leftMs = (row?.expiresAt.getTime() ?? 0) - world.clock.nowMs()
    world.clock.aheadMs += leftMs - 1_000
    expect(await allows()).toBe(true)
    world.clock.aheadMs += 1_001
    expect(await allows()).toBe(false)
  })
})

describe('the look-up', () => {
  test.each([
    '',
    'nonsense',
    'stoa_at_',
    mintToken('refreshToken', systemRandom),
    mintToken('personalToken', systemRandom),
    `${mintToken('accessToken', systemRandom).slice(0, -1)}-`,
  ])('refuses %j without a query', async (token) => {
    const queries = vi.spyOn(world.database.db, 'queries', 'get')
    expect(await world.server.verifyAccessToken(token)).toBeNull()
    expect(queries).not.toHaveBeenCalled()
    queries.mockRestore()
  })

  test('a refresh token or code is no access token, whatever its prefix', async () => {
    const tokens = await f.connect(world, app, await w.install(world, app.appId))
    expect(await world.server.verifyAccessToken(tokens.refresh_token)).toBeNull()
  })

  test('a well-formed guess is refused', async () => {
    expect(await world.server.verifyAccessToken(mintToken('accessToken', systemRandom))).toBeNull()
  })

  test('many at once share one statement and get the same caller', async () => {
    const { access_token } = await f.connect(world, app, await w.install(world, app.appId))
    const callers = await Promise.all(
      Array.from({ length: 50 }, () => world.server.verifyAccessToken(access_token)),
    )
    expect(new Set(callers).size).toBe(1)
  })
})

test('expired rows are deleted, live ones stay', async () => {
  const tokens = await f.connect(world, app, await w.install(world, app.appId))
  const q = world.database.db.queries
  world.clock.aheadMs += limits.interactionMs + 1_000
  await world.server.removeExpired()
  await world.server.removeExpiredUses()
  expect(await q.oauthState.count()).toBe(0)
  expect(await q.oauthToken.count({ where: { kind: { not: 'RefreshToken' } } })).toBe(0)
  expect((await f.refresh(world, app, tokens.refresh_token)).status).toBe(200)
})
