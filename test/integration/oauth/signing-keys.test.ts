import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { limits } from '../../../src/kernel/index.ts'
import * as f from './flow.ts'
import * as w from './world.ts'

let world: w.World
let other: Awaited<ReturnType<typeof w.openProcess>>
beforeAll(async () => {
  world = await w.openWorld()
  other = await w.openProcess(world.database, world.clock, { publicUrl: world.publicUrl })
})
afterAll(async () => {
  await other.close()
  await world.close()
})

interface Jwks {
  readonly keys: readonly Record<string, unknown>[]
}

async function publishedBy({ address }: { readonly address: string }) {
  const response = await fetch(`${address}/oauth/jwks`)
  expect(response.headers.get('cache-control')).toBe(`public, max-age=${limits.jwksCacheMs / 1000}`)
  const { keys } = (await response.json()) as Jwks
  for (const key of keys)
    expect(Object.keys(key).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
  return keys.map(({ kid }) => String(kid))
}

const rotate = () => world.database.db.tx((tx) => world.server.rotateSigningKeys(tx))
const forwards = (ms: number) => {
  world.clock.aheadMs += ms
}

async function states() {
  return Object.fromEntries((await world.server.listSigningKeys()).map(({ state, kid }) => [state, kid]))
}

/** One key, current: whatever rotation came before is over. */
beforeEach(async () => {
  forwards(limits.jwksCacheMs + limits.idTokenMs + 10 * limits.signingKeysFreshMs)
  expect(Object.keys(await states())).toEqual(['current'])
})

describe('a rotation', () => {
  test('is on every node within ten seconds, and nobody is restarted', async () => {
    const [before] = await publishedBy(world)
    expect(await publishedBy(other)).toEqual([before])
    const made = await rotate()
    expect(made.map(({ state }) => state)).toEqual(['current', 'next'])
    forwards(limits.signingKeysFreshMs + 1)
    const next = made[1]?.kid ?? ''
    expect(await publishedBy(world)).toEqual([before, next])
    expect(await publishedBy(other)).toEqual([before, next])

    forwards(limits.jwksCacheMs + limits.signingKeysFreshMs)
    expect(await states()).toEqual({ current: next, previous: before })
    expect(await publishedBy(world)).toEqual([next, before])
    expect(await publishedBy(other)).toEqual([next, before])

    forwards(limits.idTokenMs + 2 * limits.signingKeysFreshMs)
    expect(await publishedBy(world)).toEqual([next])
    expect(await publishedBy(other)).toEqual([next])
  })

  test('asked for while one waits, or by many at once, is one', async () => {
    await Promise.all([rotate(), rotate(), rotate()])
    await rotate()
    expect(Object.keys(await states()).toSorted()).toEqual(['current', 'next'])
  })

  test('leaves no private key behind when it is over', async () => {
    await rotate()
    forwards(limits.jwksCacheMs + limits.idTokenMs + 10 * limits.signingKeysFreshMs)
    await world.server.removeExpired()
    expect(await world.database.db.queries.signingKey.count()).toBe(1)
  })

  test('that is rolled back changes nothing', async () => {
    const failing = world.database.db.tx(async (tx) => {
      await world.server.rotateSigningKeys(tx)
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(Object.keys(await states())).toEqual(['current'])
  })

  test('keeps the keys sealed in the database', async () => {
    await rotate()
    const rows = await world.database.db.queries.signingKey.findMany()
    for (const { sealed } of rows) {
      expect(sealed).toMatch(/^v1\./)
      expect(sealed).not.toContain('"d"')
    }
  })
})

describe('what began before a rotation ends after it', () => {
  test('a code, a refresh token and an interaction, on either node', async () => {
    const app = await w.addApp(world)
    const installation = await w.install(world, app.appId)
    const kept = await f.connect(world, app, installation)
    await rotate()
    forwards(limits.signingKeysFreshMs + 1)
    expect(await publishedBy(world)).toHaveLength(2)
    const authorization = await f.authorizationOf(world, app)
    const back = await f.authorize(world, authorization, installation)
    // Before the code's own minute is over a node takes up the new order of keys.
    const row = await world.server.listSigningKeys()
    const next = row.find(({ state }) => state === 'next')
    expect(next).toBeDefined()
    await world.database.db.queries.signingKey.update({
      where: { kid: next?.kid ?? '' },
      data: { signsFrom: new Date(world.clock.nowMs()) },
    })
    forwards(limits.signingKeysFreshMs + 1)
    expect((await publishedBy(other))[0]).toBe(next?.kid)
    const tokens = await f.redeem(other, app, authorization, back)
    expect(tokens.status).toBe(200)
    const response = await f.refresh(world, app, kept.refresh_token)
    await oauth.processRefreshTokenResponse(world.as, app.client, response)
  })
})

test('a node whose database does not answer goes on with the keys it has', async () => {
  const before = await publishedBy(world)
  const { database } = world
  const unreachable = new Proxy(database.db, {
    get: (db, name) => {
      if (name === 'queries' && fails) throw new Error('no connection')
      return Reflect.get(db, name) as unknown
    },
  })
  let fails = false
  const cut = await w.openProcess({ ...database, db: unreachable }, world.clock)
  try {
    fails = true
    forwards(limits.signingKeysFreshMs + 1)
    const { keys } = (await (await fetch(`${cut.address}/oauth/jwks`)).json()) as Jwks
    expect(keys.map(({ kid }) => kid)).toEqual(before)
  } finally {
    fails = false
    await cut.close()
  }
})
