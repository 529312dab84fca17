import { connect } from 'node:net'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Actor, basic, encode } from '../actor.ts'
import { expectError, expectErrorBack, expectErrorPage, expectOk, textOf } from '../expectations.ts'
import type { World } from '../world.ts'

let world: World
let at: Actor

function prepare(opened: World): void {
  world = opened
  at = opened.direct
}

const lies = {
  host: 'evil.example.com',
  'x-forwarded-host': 'evil.example.com',
  'x-forwarded-proto': 'https',
  'x-forwarded-for': '203.0.113.7',
  'x-forwarded-port': '444',
  'x-original-host': 'evil.example.com',
  'x-rewrite-url': '/evil',
  forwarded: 'host=evil.example.com;proto=https',
}

export function requestAttacks(open: () => World): void {
  beforeAll(() => prepare(open()))

  describe('a poisoned Host', () => {
    test.each([
      '/.well-known/oauth-authorization-server',
      '/.well-known/openid-configuration',
      '/.well-known/oauth-protected-resource',
      '/.well-known/oauth-protected-resource/v1',
      '/openapi.json',
    ])('changes nothing in %s', async (path) => {
      const honest = await at.send('GET', path)
      expectOk(honest)
      expect((await at.send('GET', path, { headers: lies })).text).toBe(honest.text)
    })

    test('changes neither the way to sign-in nor the way back from it', async () => {
      const { path } = await at.authorization()
      const { headers } = await at.send('GET', path, { headers: lies })
      expect(textOf(headers['location'])).toMatch(/^\/sign-in\//)
      const browser = at.browser()
      const signIn = await browser.open(path)
      const resumed = await browser.open(signIn.location ?? '', lies)
      expect(new URL(resumed.location ?? '', world.issuer).origin).toBe(world.issuer)
    })

    test('changes neither iss nor the challenge of the API', async () => {
      const { path } = await at.authorization({ scope: 'nonsense' })
      const { headers } = await at.send('GET', path, { headers: lies })
      expect(new URL(textOf(headers['location'])).searchParams.get('iss')).toBe(world.issuer)
      const refused = await at.api(null, '/v1/orders', { headers: lies })
      expect(textOf(refused.headers['www-authenticate'])).toContain(`resource_metadata="${world.issuer}/`)
    })
  })

  describe('parameters smuggled past the token endpoint', () => {
    const grant = { grant_type: 'client_credentials' }
    const send = (body: string, query = '', headers = {}) =>
      at.send('POST', `/oauth/token${query}`, {
        body,
        headers: {
          authorization: basic(world.app),
          'content-type': 'application/x-www-form-urlencoded',
          ...headers,
        },
      })

    test.each([
      ['the grant type twice', 'grant_type=client_credentials&grant_type=refresh_token'],
      ['the same twice', 'grant_type=client_credentials&grant_type=client_credentials'],
      ['the scope twice', 'grant_type=client_credentials&scope=&scope=order:read'],
      ['an encoded name beside the plain one', 'grant_type=client_credentials&grant%5Ftype=refresh_token'],
      ['the client twice', 'grant_type=client_credentials&client_id=a&client_id=b'],
      ['an unknown grant type hidden behind', 'grant_type=client_credentials%00&x=1'],
    ])('%s is refused', async (_what, body) => {
      const { status, json } = await send(body)
      expect(status).toBe(400)
      expect(json).not.toHaveProperty('access_token')
    })

    test.each([
      ['brackets', 'grant_type[]=client_credentials'],
      ['an index', 'grant_type[0]=client_credentials'],
      ['capitals', 'Grant_Type=client_credentials'],
      ['a leading space', '+grant_type=client_credentials'],
      ['the prototype', '__proto__[grant_type]=client_credentials'],
    ])('a name with %s is not the name', async (_what, body) => {
      expectError(await send(body), 400, 'invalid_request')
    })

    test('a semicolon separates nothing', async () => {
      const { status, json } = await send('grant_type=client_credentials;scope=order:read')
      expect([status, json['access_token']]).toEqual([400, undefined])
    })

    test('what stands in the query is not read', async () => {
      expectError(await send('', '?grant_type=client_credentials'), 400, 'invalid_request')
      expectOk(await send(encode(grant), '?scope=order:read&grant_type=refresh_token'))
    })

    test('a client named in the body must be the one that authenticates', async () => {
      const { status, json } = await send(encode({ ...grant, client_id: world.other.appId }))
      expect([status >= 400, json['access_token']]).toEqual([true, undefined])
      expectOk(await send(encode({ ...grant, client_id: world.app.appId })))
    })

    test('another media type is not read', async () => {
      for (const type of [
        'application/json',
        'text/plain',
        'multipart/form-data; boundary=x',
        'application/xml',
      ])
        expect((await send(encode(grant), '', { 'content-type': type })).status, type).toBe(400)
    })

    test('a body larger than any request is refused', async () => {
      const { status } = await send(`${encode(grant)}&x=${'x'.repeat(70_000)}`)
      expect([400, 413]).toContain(status)
    })

    test('two tokens in one revocation or introspection are refused', async () => {
      const { access_token } = await at.connect()
      const token = [access_token, 'x']
      for (const path of ['/oauth/revoke', '/oauth/introspect'])
        expectError(
          await at.send('POST', path, { form: { token }, headers: { authorization: basic(world.app) } }),
          400,
          'invalid_request',
        )
      expectOk(await at.api(access_token))
    })
  })

  describe('parameters smuggled past the authorization endpoint', () => {
    test.each(['redirect_uri', 'client_id'])('%s twice leads to nobody', async (name) => {
      const { app, redirectUri } = await at.authorization()
      const good = name === 'redirect_uri' ? redirectUri : app.appId
      for (const values of [
        [good, 'https://evil.example.com/'],
        ['https://evil.example.com/', good],
        [good, good],
      ])
        expectErrorPage(await at.open(await at.authorization({ [name]: values })))
    })

    test.each(['scope', 'state', 'response_type', 'code_challenge', 'code_challenge_method', 'nonce'])(
      '%s twice leads back with invalid_request',
      async (name) => {
        const reply = await at.open(await at.authorization({ [name]: ['a', 'b'] }))
        expectErrorBack(reply, 'invalid_request')
      },
    )

    test.each([
      ['a request object', { request: 'eyJhbGciOiJub25lIn0.e30.' }],
      ['an address of one', { request_uri: 'https://evil.example.com/request.jwt' }],
      ['a registration', { registration: '{"redirect_uris":["https://evil.example.com/"]}' }],
    ])('%s is refused', async (_what, changes) => {
      const { status, headers } = await at.open(await at.authorization(changes))
      const refused = status === 400 || /[?&]error=/.test(textOf(headers['location']))
      expect([refused, /\/(sign-in|consent)\//.test(textOf(headers['location']))]).toEqual([true, false])
    })

    test.each(['fragment', 'form_post', 'web_message', 'query.jwt', 'form_post.jwt'])(
      'the response mode %s sends no code',
      async (response_mode) => {
        const { status, headers } = await at.open(await at.authorization({ response_mode }))
        expect(textOf(headers['location'])).not.toMatch(/\/sign-in\/|[?#&]code=/)
        expect([303, 400]).toContain(status)
      },
    )

    test('POST is not a second way in', async () => {
      const { path } = await at.authorization()
      const [pathname = '', query = ''] = path.split('?')
      const reply = await at.send('POST', pathname, {
        body: query,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      })
      expect(reply.status).toBe(405)
    })

    test.each([
      '/oauth/authorize/',
      '/OAuth/authorize',
      '/oauth//authorize',
      '/oauth/./authorize/',
      '/oauth/token/',
      '/oauth/Token',
    ])('%s is not another spelling of an endpoint', async (path) => {
      const reply = await at.send('POST', path, {
        form: { grant_type: 'client_credentials' },
        headers: { authorization: basic(world.app) },
      })
      expect([404, 405]).toContain(reply.status)
      expect(reply.json).not.toHaveProperty('access_token')
    })
  })

  describe('requests hidden in requests', () => {
    function raw(lines: readonly string[]): Promise<string> {
      const { hostname, port } = new URL(world.at.baseUrl)
      return new Promise((resolve, reject) => {
        let text = ''
        const socket = connect(Number(port), hostname, () => socket.end(lines.join('\r\n')))
        socket.setEncoding('utf8')
        socket.on('data', (chunk: string) => {
          text += chunk
        })
        socket.on('close', () => resolve(text))
        socket.on('error', reject)
      })
    }

    const hidden = 'GET /.well-known/openid-configuration HTTP/1.1\r\nHost: x\r\n\r\n'

    test.each([
      ['both lengths', ['Content-Length: 5', 'Transfer-Encoding: chunked']],
      ['two lengths', ['Content-Length: 0', `Content-Length: ${hidden.length}`]],
      ['an obscured encoding', ['Content-Length: 5', 'Transfer-Encoding: xchunked']],
      ['a length with a sign', ['Content-Length: +5']],
    ])('by %s get one refusal and no second answer', async (_how, headers) => {
      const head = [
        'POST /oauth/token HTTP/1.1',
        'Host: x',
        'Content-Type: application/x-www-form-urlencoded',
        ...headers,
      ]
      const answer = await raw([...head, '', `0\r\n\r\n${hidden}`])
      expect(answer).toMatch(/^HTTP\/1\.1 400 /)
      expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1)
    })
  })
}
