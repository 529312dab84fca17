import type { KoaContextWithOIDC } from 'oidc-provider'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { deriveOAuthKeys, hashValue } from '../../../src/oauth/keys.ts'
import { makeAccessTokens } from '../../../src/oauth/token/access-token.ts'
import type { NewToken } from '../../../src/oauth/token/store.ts'
import {
  type GrantHandler,
  type TokenEndpointDependencies,
  wrapGrantType,
} from '../../../src/oauth/token/token-endpoint.ts'
import { currentUnitOfWork } from '../../../src/oauth/token/unit-of-work.ts'
import { quietLog } from '../../support/database.ts'
import * as f from './flow.ts'
import * as w from './world.ts'

let world: w.World
beforeAll(async () => {
  world = await w.openWorld()
})
afterAll(() => world.close())

const keys = deriveOAuthKeys(w.secretKey)

/** Resolves for everybody when the last of `count` has arrived. */
function makeBarrier(count: number): () => Promise<void> {
  let arrived = 0
  let open: () => void = () => undefined
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  return () => {
    arrived += 1
    if (arrived === count) open()
    return gate
  }
}

function dependencies(): TokenEndpointDependencies {
  const { queries } = world.database.db
  const { clock, publicUrl } = world
  const accessTokens = makeAccessTokens({ queries, keys, boundTypes: w.boundTypes, clock })
  const { db } = world.database
  const onRefreshTokenReused = () => Promise.reject(new Error('nothing here is used twice'))
  return {
    ...{ db, queries, keys, clock, log: quietLog, resource: `${publicUrl}/v1`, accessTokens },
    onRefreshTokenReused,
  }
}

const valuesOf = (name: string, { appId }: w.TestApp) => ({
  access_token: `access of ${name} ${appId}`,
  refresh_token: `refresh of ${name} ${appId}`,
})

/** What the library's handler does, with a pause between reading and writing. */
function handlerNamed(name: string, value: string, app: w.TestApp, pause: () => Promise<void>): GrantHandler {
  return async (ctx) => {
    await pause()
    const unit = currentUnitOfWork()
    if (unit === null || unit.grant === null) throw new Error('no unit of work')
    const values = valuesOf(name, app)
    const token = (kind: string, issued: string): NewToken => ({
      ...{ hash: hashValue(keys, issued), kind, appId: app.appId, grantId: unit.grant?.id ?? null },
      ...{ installationId: null, merchantId: null, personId: null, scopes: [], payload: {} },
      expiresAtMs: world.clock.nowMs() + 3_600_000,
    })
    unit.consumed = hashValue(keys, value)
    unit.issued.push(token('AccessToken', values.access_token), token('RefreshToken', values.refresh_token))
    ctx.body = { ...values, expires_in: 3600 }
  }
}

function contextOf(app: w.TestApp, value: string): KoaContextWithOIDC {
  const params = { refresh_token: value }
  const oidc = { params, client: { clientId: app.appId } }
  return { get: () => '', oidc } as unknown as KoaContextWithOIDC
}

test('of two processes that have both read the token unused, one rotates and the other gives its answer', async () => {
  const app = await w.addApp(world)
  const { refresh_token } = await f.connect(world, app, await w.install(world, app.appId))
  const { queries } = world.database.db
  const pause = makeBarrier(2)
  const contexts = await Promise.all(
    ['one', 'two'].map(async (name) => {
      const ctx = contextOf(app, refresh_token)
      await wrapGrantType(dependencies(), 'refresh_token', handlerNamed(name, refresh_token, app, pause))(ctx)
      return ctx
    }),
  )
  const [first, second] = contexts.map((ctx) => ctx.body as f.Tokens)
  expect(first?.refresh_token).toMatch(/^refresh of (one|two) /)
  expect(second?.refresh_token).toBe(first?.refresh_token)
  expect(second?.access_token).toBe(first?.access_token)
  const issued = await queries.oauthToken.count({
    where: {
      appId: app.appId,
      hash: {
        in: ['one', 'two'].flatMap((name) =>
          Object.values(valuesOf(name, app)).map((v) => hashValue(keys, v)),
        ),
      },
    },
  })
  expect(issued).toBe(2)
})

test('a handler that fails leaves the token unused and nothing issued', async () => {
  const app = await w.addApp(world)
  const { refresh_token } = await f.connect(world, app, await w.install(world, app.appId))
  const { queries } = world.database.db
  const before = await queries.oauthToken.count()
  const handler = handlerNamed('one', refresh_token, app, () => Promise.resolve())
  const failing: GrantHandler = async (ctx) => {
    await handler(ctx)
    throw new Error('after everything was noted')
  }
  const attempt = wrapGrantType(dependencies(), 'refresh_token', failing)(contextOf(app, refresh_token))
  await expect(attempt).rejects.toThrow('after everything was noted')
  expect(await queries.oauthToken.count()).toBe(before)
  expect((await f.refresh(world, app, refresh_token)).status).toBe(200)
})
