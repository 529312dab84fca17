import { createHmac, createPublicKey, randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { limits } from '../../../src/kernel/index.ts'
import * as f from './flow.ts'
import * as k from './keys.ts'
import * as w from './world.ts'

let world: w.World
let app: k.KeyedApp
beforeAll(async () => {
  world = await w.openWorld()
  app = await k.addKeyedApp(world)
})
afterAll(() => world.close())

const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const now = () => Math.floor(Date.now() / 1000)

interface AssertionOptions {
  readonly claims?: Readonly<Record<string, unknown>>
  readonly header?: Readonly<Record<string, unknown>>
  readonly key?: CryptoKey
}

/** An assertion that is honest in everything but what the options say; undefined leaves a member out. */
function assertionOf(
  of: k.KeyedApp,
  { claims = {}, header = {}, key }: AssertionOptions = {},
): Promise<string> {
  const honest = {
    ...{ iss: of.appId, sub: of.appId, aud: world.publicUrl },
    ...{ jti: randomUUID(), iat: now(), exp: now() + 60 },
    ...claims,
  }
  const present = Object.fromEntries(Object.entries(honest).filter(([, value]) => value !== undefined))
  return new SignJWT(present)
    .setProtectedHeader({ alg: 'ES256', kid: of.kid, ...header })
    .sign(key ?? of.key.privateKey)
}

function send(assertion: string, members: Readonly<Record<string, string>> = {}): Promise<Response> {
  return f.post(world, '/oauth/token', {
    ...{ grant_type: 'client_credentials', client_assertion_type: type, client_assertion: assertion },
    ...members,
  })
}

async function expectRefused(response: Response): Promise<void> {
  expect(response.status).toBe(401)
  // One answer for every reason: what exactly was wrong helps an attacker more than a developer, who finds it in the log.
  expect(await response.json()).toEqual({
    error: 'invalid_client',
    error_description: 'client authentication failed',
  })
}

describe('private_key_jwt', () => {
  test.each(['ES256', 'Ed25519', 'PS256', 'RS256'])(
    'with %s gives a token to an independent client',
    async (alg) => {
      const keyed = await k.addKeyedApp(world, {}, alg)
      const args = [world.as, keyed.client, keyed.auth, new URLSearchParams(), w.http] as const
      const response = await oauth.clientCredentialsGrantRequest(...args)
      const tokens = await oauth.processClientCredentialsResponse(world.as, keyed.client, response)
      expect(await world.server.verifyAccessToken(tokens.access_token)).toMatchObject({ appId: keyed.appId })
    },
  )

  test('carries the whole code flow, refresh, introspection and revocation', async () => {
    const tokens = await f.connect(world, app, await w.install(world, app.appId))
    const response = await f.refresh(world, app, tokens.refresh_token)
    const fresh = await oauth.processRefreshTokenResponse(world.as, app.client, response)
    const introspected = await oauth.introspectionRequest(
      ...([world.as, app.client, app.auth, fresh.access_token, w.http] as const),
    )
    expect(await introspected.json()).toMatchObject({ active: true, client_id: app.appId })
    const revoked = await oauth.revocationRequest(
      ...([world.as, app.client, app.auth, fresh.refresh_token ?? '', w.http] as const),
    )
    expect(revoked.status).toBe(200)
    expect(await world.server.verifyAccessToken(fresh.access_token)).toBeNull()
  })

  test.each(['', '/oauth/token'])('may name the audience by issuer or token endpoint (%s)', async (path) => {
    const aud = `${world.publicUrl}${path}`
    expect((await send(await assertionOf(app, { claims: { aud } }))).status).toBe(200)
    expect(
      (await send(await assertionOf(app, { claims: { aud: [aud, 'https://other.example'] } }))).status,
    ).toBe(200)
  })

  test('needs no kid while the app has one key', async () => {
    expect((await send(await assertionOf(app, { header: { kid: undefined } }))).status).toBe(200)
  })

  test('notes when the key was used, and only that one', async () => {
    const keyed = await k.addKeyedApp(world)
    const second = await k.addKey(world, keyed.appId, { kid: 'two' })
    expect((await send(await assertionOf(keyed))).status).toBe(200)
    const rows = await world.database.db.queries.credential.findMany({ where: { appId: keyed.appId } })
    const used = rows.filter(({ lastUsedAt }) => lastUsedAt !== null).map(({ id }) => id)
    expect(used).toEqual([keyed.credentialId])
    const header = { kid: 'two' }
    const { privateKey: key } = second.key
    expect((await send(await assertionOf(keyed, { header, key }))).status).toBe(200)
  })

  test('works beside a secret, as long as each lives', async () => {
    const keyed = await k.addKeyedApp(world)
    const bySecret = async () => {
      const members = {
        client_id: keyed.appId,
        client_secret: keyed.secret,
        grant_type: 'client_credentials',
      }
      return (await f.post(world, '/oauth/token', members)).status
    }
    expect([await bySecret(), (await send(await assertionOf(keyed))).status]).toEqual([200, 200])
    await k.setSettings(world, keyed.appId, { requirePrivateKeyJwt: true })
    expect([await bySecret(), (await send(await assertionOf(keyed))).status]).toEqual([401, 200])
    await k.setSettings(world, keyed.appId, { requirePrivateKeyJwt: false })
    await world.database.db.queries.credential.update({
      where: { id: keyed.credentialId },
      data: { revokedAt: new Date() },
    })
    expect(await bySecret()).toBe(200)
    await expectRefused(await send(await assertionOf(keyed)))
    await k.setSettings(world, keyed.appId, { requirePrivateKeyJwt: true })
    expect([await bySecret(), (await send(await assertionOf(keyed))).status]).toEqual([401, 401])
  })
})

describe('an assertion is refused', () => {
  test.each<[string, AssertionOptions]>([
    ['for another audience', { claims: { aud: 'https://other.example' } }],
    ['for the API', { claims: { aud: 'http://127.0.0.1/v1' } }],
    ['without audience', { claims: { aud: undefined } }],
    ['by another issuer', { claims: { iss: 'app_01ARZ3NDEKTSV4RRFFQ69G5FAV' } }],
    ['without issuer', { claims: { iss: undefined } }],
    ['for another app', { claims: { sub: 'app_01ARZ3NDEKTSV4RRFFQ69G5FAV' } }],
    ['without subject', { claims: { sub: undefined } }],
    ['without jti', { claims: { jti: undefined } }],
    ['without end', { claims: { exp: undefined } }],
    ['that has ended', { claims: { exp: now() - 60 } }],
    ['that lives too long', { claims: { exp: now() + limits.clientAssertionMs / 1000 + 30 } }],
    ['that begins later', { claims: { nbf: now() + 600 } }],
    ['that names another key', { header: { kid: 'two' } }],
  ])('%s', async (_what, options) => {
    await expectRefused(await send(await assertionOf(app, options)))
  })

  test('by a key that is not the app’s', async () => {
    const { privateKey: key } = await oauth.generateKeyPair('ES256')
    await expectRefused(await send(await assertionOf(app, { key })))
  })

  test('with one letter changed', async () => {
    const [header, , signature] = (await assertionOf(app)).split('.')
    const claims = { iss: app.appId, sub: app.appId, aud: world.publicUrl, jti: 'x', exp: now() + 60 }
    const payload = Buffer.from(JSON.stringify(claims)).toString('base64url')
    await expectRefused(await send(`${header}.${payload}.${signature}`))
  })

  test('together with a secret, or as another client_id', async () => {
    const assertion = await assertionOf(app)
    const both = await send(assertion, { client_secret: app.secret })
    expect([both.status, ((await both.json()) as { error: string }).error]).toEqual([400, 'invalid_request'])
    const other = await w.addApp(world)
    expect((await send(await assertionOf(app), { client_id: other.appId })).status).toBe(400)
    expect((await send(assertion)).status).toBe(200)
  })

  test('the second time: of ten at once one passes', async () => {
    const assertion = await assertionOf(app)
    const answers = await Promise.all(Array.from({ length: 10 }, () => send(assertion)))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array(9).fill(401)])
    await expectRefused(await send(assertion))
  })

  test('the second time on another node', async () => {
    const other = await w.openProcess(world.database, world.clock, { publicUrl: world.publicUrl })
    try {
      const assertion = await assertionOf(app)
      const members = { grant_type: 'client_credentials', client_assertion_type: type }
      const answers = await Promise.all(
        [world.address, other.address, world.address, other.address].map((address) =>
          f.post({ publicUrl: address }, '/oauth/token', { ...members, client_assertion: assertion }),
        ),
      )
      expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 401, 401, 401])
    } finally {
      await other.close()
    }
  })

  const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = () => ({
    ...{ iss: app.appId, sub: app.appId, aud: world.publicUrl, jti: randomUUID() },
    exp: now() + 60,
  })

  test('with alg none', async () => {
    for (const alg of ['none', 'None', 'NONE', '']) {
      const unsigned = `${encoded({ alg, kid: app.kid })}.${encoded(claims())}.`
      expect((await send(unsigned)).status).toBe(401)
    }
  })

  test('signed by HMAC with the public key as its secret, in any form it is known', async () => {
    const rsa = await k.addKeyedApp(world, {}, 'RS256')
    const jwk = await crypto.subtle.exportKey('jwk', rsa.key.publicKey)
    const object = createPublicKey({ key: jwk as never, format: 'jwk' })
    const secrets = [
      object.export({ type: 'spki', format: 'pem' }),
      object.export({ type: 'spki', format: 'der' }),
      object.export({ type: 'pkcs1', format: 'pem' }),
      JSON.stringify(jwk),
      Buffer.from(jwk.n ?? '', 'base64url'),
    ]
    for (const secret of secrets) {
      const input = `${encoded({ alg: 'HS256', kid: rsa.kid })}.${encoded({ ...claims(), iss: rsa.appId, sub: rsa.appId })}`
      const signature = createHmac('sha256', secret).update(input).digest('base64url')
      await expectRefused(await send(`${input}.${signature}`))
    }
  })

  test('signed by HMAC with the client secret', async () => {
    const input = `${encoded({ alg: 'HS256' })}.${encoded(claims())}`
    const signature = createHmac('sha256', app.secret).update(input).digest('base64url')
    await expectRefused(await send(`${input}.${signature}`))
  })

  test('that brings its own key', async () => {
    const thief = await oauth.generateKeyPair('ES256', { extractable: true })
    const jwk = await crypto.subtle.exportKey('jwk', thief.publicKey)
    await expectRefused(
      await send(await assertionOf(app, { header: { kid: undefined, jwk }, key: thief.privateKey })),
    )
  })

  test.each(['', 'x', 'a.b.c', `${'x'.repeat(9_000)}`])('that is none: %.10s', async (assertion) => {
    const { status } = await send(assertion)
    expect([400, 401]).toContain(status)
  })

  test('of another type', async () => {
    const members = { client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer' }
    expect((await send(await assertionOf(app), members)).status).toBe(400)
  })
})
