import { connect } from 'node:net'
import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { TestPlatform } from '../../support/platform.ts'
import { freshAddress, from, quotaMax, repeat, startMeteredPlatform } from '../../support/quotas.ts'
import { makeStory, type Story, type TestApp } from '../../support/story.ts'

let at: TestPlatform
let story: Story
let app: TestApp
beforeAll(async () => {
  at = await startMeteredPlatform()
  story = makeStory(at)
  app = await story.publish(await story.publisher())
})
afterAll(() => at.close())

type Parameters = Readonly<Record<string, string>>

function post(path: string, parameters: Parameters, address: string) {
  return at.anonymous.request<Record<string, string>>('POST', path, {
    raw: new URLSearchParams(parameters).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...from(address) },
  })
}

function askToken({ appId, clientSecret }: Pick<TestApp, 'appId' | 'clientSecret'>, address: string) {
  const proof = { client_id: appId, client_secret: clientSecret }
  return post('/oauth/token', { grant_type: 'client_credentials', ...proof }, address)
}

const anotherApp = async () => story.publish(await story.publisher())

describe('the token endpoint', () => {
  test('an app that has proven its secret pays for itself, and is told so', async () => {
    const own = await anotherApp()
    const { status, headers } = await askToken(own, freshAddress())
    expect(status).toBe(200)
    expect(headers['ratelimit-policy']).toBe('"client";q=150;w=60')
    expect(headers['ratelimit']).toBe('"client";r=149;t=60')
  })

  test('beyond its quota it is refused as OAuth refuses, from wherever it asks; another app is not', async () => {
    const own = await anotherApp()
    const address = freshAddress()
    expect(await repeat(quotaMax.client + 2, () => askToken(own, address))).toEqual({
      200: quotaMax.client,
      429: 2,
    })
    const { status, headers, body } = await askToken(own, freshAddress())
    expect(status).toBe(429)
    expect(body).toEqual({
      error: 'temporarily_unavailable',
      error_description: '150 requests fit in 60 s (client)',
    })
    expect(headers['content-type']).toMatch(/^application\/json/)
    expect(headers['cache-control']).toContain('no-store')
    expect(headers['retry-after']).toMatch(/^\d+$/)
    expect(headers['ratelimit']).toMatch(/^"client";r=0;t=\d+$/)
    expect((await askToken(app, address)).status).toBe(200)
  })

  test('who knows a client_id and not its secret uses up the quota of their own network alone', async () => {
    const own = await anotherApp()
    const [stranger, home] = [freshAddress(), freshAddress()]
    const guess = () => askToken({ appId: own.appId, clientSecret: `${own.clientSecret}x` }, stranger)
    const refusals = await repeat(quotaMax.client + 10, guess)
    expect(refusals[401]).toBe(quotaMax.refused)
    expect(refusals[429]).toBe(quotaMax.client + 10 - quotaMax.refused)
    const { body, headers } = await guess()
    expect(body).toMatchObject({ error: 'temporarily_unavailable' })
    expect(headers['ratelimit-policy']).toBe('"refused";q=30;w=60')
    // Not one of them was the app's.
    expect((await askToken(own, home)).headers['ratelimit']).toBe('"client";r=149;t=60')
  })

  test('naming an app without any proof, an unknown one, or none is the network’s, too', async () => {
    const address = freshAddress()
    const grant = { grant_type: 'client_credentials' }
    const attempts: readonly Parameters[] = [
      { ...grant, client_id: app.appId },
      { ...grant, client_id: 'app_unknown', client_secret: 'any' },
      grant,
    ]
    for (const attempt of attempts)
      await repeat(quotaMax.refused / attempts.length, () => post('/oauth/token', attempt, address))
    // An attempt is noted when its answer has gone.
    await vi.waitFor(async () => expect((await post('/oauth/token', grant, address)).status).toBe(429))
  })

  test.each([
    ['a form', 'POST', '/oauth/token', { origin: 'https://page.example', 'sec-fetch-site': 'cross-site' }],
    ['a plain request', 'GET', '/oauth/userinfo', {}],
  ] as const)(
    'of a page that somebody in the network has open, %s costs its credentials nothing',
    async (_what, method, path, headers) => {
      const address = freshAddress()
      const content = method === 'POST' ? { raw: 'a=b' } : {}
      const type = { 'content-type': 'application/x-www-form-urlencoded' }
      const send = () =>
        at.anonymous.request(method, path, { ...content, headers: { ...type, ...headers, ...from(address) } })
      const status = method === 'POST' ? 400 : 401
      const { address: admitted } = quotaMax
      expect(await repeat(quotaMax.refused * 2, send)).toEqual({
        [status]: admitted,
        429: quotaMax.refused * 2 - admitted,
      })
      expect((await askToken(app, address)).status).toBe(200)
    },
  )

  test('hanging up before the answer does not make an attempt free', async () => {
    const address = freshAddress()
    const body = 'grant_type=client_credentials&client_id=app_unknown'
    const head = [
      'POST /oauth/token HTTP/1.1',
      'host: any',
      `x-forwarded-for: ${address}`,
      'content-type: application/x-www-form-urlencoded',
      `content-length: ${body.length}`,
    ]
    const { hostname, port } = new URL(at.baseUrl)
    // The whole request is sent, and nothing is read.
    const hangUp = () =>
      new Promise<{ readonly status: number }>((resolve) => {
        const socket = connect(Number(port), hostname, () => {
          socket.write(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
        })
        socket.once('close', () => resolve({ status: 0 }))
      })
    await repeat(quotaMax.refused, hangUp)
    await vi.waitFor(async () => expect((await askToken(app, address)).status).toBe(429))
  })

  test('an assertion counts once it has been found right, and a repeated one is the network’s', async () => {
    const keyed = await anotherApp()
    const pair = await oauth.generateKeyPair('ES256', { extractable: true })
    const { key_ops: _ops, ext: _ext, ...jwk } = await crypto.subtle.exportKey('jwk', pair.publicKey)
    await keyed.publisher.owner.api.call('POST', `/developer/v1/apps/${keyed.appId}/keys`, {
      keys: [{ ...jwk, alg: 'ES256', kid: 'one', use: 'sig' }],
    })
    const assertion = await assertionOf(keyed.appId, pair.privateKey)
    const [home, stranger] = [freshAddress(), freshAddress()]
    const ask = (address: string) =>
      post('/oauth/token', { grant_type: 'client_credentials', ...assertion }, address)
    const first = await ask(home)
    expect([first.status, first.headers['ratelimit']]).toEqual([200, '"client";r=149;t=60'])
    expect(await repeat(quotaMax.refused + 1, () => ask(stranger))).toEqual({ 401: quotaMax.refused, 429: 1 })
    expect((await askToken(keyed, home)).headers['ratelimit']).toMatch(/^"client";r=148;/)
  })

  test('introspection, revocation and userinfo count for the app', async () => {
    const own = await anotherApp()
    const tokens = await story.connect(await story.merchant(), own, [], {
      scope: 'openid order:read',
      access_type: 'online',
    })
    const proof = { client_id: own.appId, client_secret: own.clientSecret }
    const address = freshAddress()
    const remaining = ({ headers }: { readonly headers: Readonly<Record<string, string>> }) =>
      Number(/^"client";r=(\d+);/.exec(headers['ratelimit'] ?? '')?.[1])
    const introspected = await post('/oauth/introspect', { ...proof, token: tokens.access_token }, address)
    const userinfo = await at.bearer(tokens.access_token).request('GET', '/oauth/userinfo')
    const revoked = await post('/oauth/revoke', { ...proof, token: tokens.access_token }, address)
    expect([introspected.status, userinfo.status, revoked.status]).toEqual([200, 200, 200])
    const first = remaining(introspected)
    // The code was redeemed by the same app.
    expect(first).toBe(quotaMax.client - 2)
    expect([remaining(userinfo), remaining(revoked)]).toEqual([first - 1, first - 2])
  })
})

async function assertionOf(appId: string, key: CryptoKey): Promise<Parameters> {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const nowS = Math.floor(at.clock.nowMs() / 1000)
  const claims = { iss: appId, sub: appId, aud: at.publicUrl, jti: `jti-${nowS}`, iat: nowS, exp: nowS + 60 }
  const signed = `${encode({ alg: 'ES256', kid: 'one' })}.${encode(claims)}`
  const algorithm = { name: 'ECDSA', hash: 'SHA-256' }
  const signature = await crypto.subtle.sign(algorithm, key, Buffer.from(signed))
  return {
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: `${signed}.${Buffer.from(signature).toString('base64url')}`,
  }
}

describe('public clients and browsers', () => {
  const beginCli = (address: string) =>
    post('/oauth/device_authorization', { client_id: 'stoa-cli', scope: 'account' }, address)

  test('a client that only names itself is its network: nobody can use it up for the others', async () => {
    const address = freshAddress()
    const first = await beginCli(address)
    expect([first.status, first.headers['ratelimit']]).toEqual([200, '"address";r=29;t=60'])
    expect(await repeat(quotaMax.address + 1, () => beginCli(address))).toEqual({
      200: quotaMax.address - 1,
      429: 2,
    })
    expect((await beginCli(freshAddress())).status).toBe(200)
  })

  test('a device that polls too fast is told slow_down, as before', async () => {
    const address = freshAddress()
    const { body } = await beginCli(address)
    const poll = () =>
      post(
        '/oauth/token',
        {
          grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
          client_id: 'stoa-cli',
          device_code: body['device_code'] ?? '',
        },
        address,
      )
    expect((await poll()).body).toMatchObject({ error: 'authorization_pending' })
    const early = await poll()
    expect([early.status, early.body['error']]).toEqual([400, 'slow_down'])
  })

  test('/oauth/authorize counts for the network; metadata and keys, which everybody caches, do not', async () => {
    const address = freshAddress()
    const open = (path: string) => at.anonymous.with(from(address)).request('GET', path)
    expect((await repeat(quotaMax.address + 1, () => open('/oauth/authorize?client_id=none')))[429]).toBe(1)
    for (const path of ['/oauth/jwks', '/.well-known/oauth-authorization-server'])
      expect((await open(path)).status).toBe(200)
  })
})
