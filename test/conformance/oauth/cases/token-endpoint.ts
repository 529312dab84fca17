import { expect } from 'vitest'
import { expectError, expectErrorPage, expectOk, plainAscii, textOf } from '../expectations.ts'
import {
  acceptRefused,
  dropMember,
  editForm,
  editJson,
  otherError,
  refuse,
  setHeader,
  setStatus,
} from '../mutations.ts'
import type { Cases } from '../run-cases.ts'
import { redirectUri } from '../world.ts'

const atToken = '/oauth/token'
const clientCredentials = { grant_type: 'client_credentials' }

const changeLast = (text: string) => text.slice(0, -1) + (text.endsWith('A') ? 'B' : 'A')

/** RFC 6749 §3.2, §5, §6 and §10: the token endpoint and what the server must see to. */
export const tokenEndpointCases = {
  'rfc6749-3.2-post': {
    async test(at) {
      const { status, headers } = await at.send('GET', atToken, { query: clientCredentials })
      expect([status, headers['allow']]).toEqual([405, expect.stringContaining('POST')])
    },
    mutation: setStatus(atToken, 200, 405),
  },
  'rfc6749-3.2-unknown-parameter': {
    test: async (at) => expectOk(await at.token({ ...clientCredentials, nobody_knows: '1' })),
    mutation: refuse(atToken, 400, 'invalid_request'),
  },
  'rfc6749-3.2-no-duplicate': {
    async test(at) {
      const twice = [clientCredentials.grant_type, clientCredentials.grant_type]
      expectError(await at.token({ grant_type: twice }), 400, 'invalid_request')
      const scope = ['order:read', 'order:write']
      expectError(await at.token({ ...clientCredentials, scope }), 400, 'invalid_request')
    },
    mutation: editForm(atToken, 'takes the first of two', (form) => {
      for (const name of new Set(form.keys())) form.set(name, form.get(name) ?? '')
    }),
  },
  'rfc6749-3.2.1-client-authentication': {
    async test(at) {
      const { appId } = at.world.app
      const { status, json } = await at.token(
        { ...clientCredentials, client_id: appId, client_secret: 'x' },
        null,
      )
      expect([status, json['error']]).toEqual([401, 'invalid_client'])
      const code = {
        grant_type: 'authorization_code',
        code: 'x',
        redirect_uri: redirectUri,
        client_id: appId,
      }
      expect((await at.token(code, null)).status).not.toBe(200)
    },
    mutation: acceptRefused(atToken),
  },
  'rfc6749-5.1-members': {
    async test(at, direct) {
      const tokens = (await at.redeem(await direct.code())).json
      const refreshed = (await at.refresh(String(tokens['refresh_token']))).json
      for (const answer of [tokens, refreshed, (await at.token(clientCredentials)).json]) {
        expect(textOf(answer['access_token'])).toMatch(/^stoa_at_/)
        expect(textOf(answer['token_type'])).toMatch(/^bearer$/i)
      }
    },
    mutation: dropMember(atToken, 'token_type'),
  },
  'rfc6749-5.1-expires-in': {
    async test(at) {
      const { json } = await at.token(clientCredentials)
      expect(json['expires_in']).toEqual(expect.any(Number))
    },
    mutation: editJson(atToken, 'expires_in as text', (body) => {
      body['expires_in'] = String(body['expires_in'])
    }),
  },
  'rfc6749-5.1-json': {
    async test(at) {
      const { headers } = await at.token(clientCredentials)
      expect(textOf(headers['content-type'])).toMatch(/^application\/json\b/)
    },
    mutation: setHeader(atToken, 'content-type', 'application/x-www-form-urlencoded'),
  },
  'rfc6749-5.1-no-store': {
    async test(at) {
      expect((await at.token(clientCredentials)).headers['cache-control']).toBe('no-store')
      expect((await at.token(clientCredentials, null)).headers['cache-control']).toBe('no-store')
    },
    mutation: setHeader(atToken, 'cache-control', null),
  },
  'rfc6749-5.2-status-400': {
    async test(at) {
      expectError(await at.token({}), 400, 'invalid_request')
      expectError(await at.token({ grant_type: 'refresh_token' }), 400, 'invalid_request')
      expectError(await at.token({ grant_type: 'authorization_code', code: 'x' }), 400, 'invalid_request')
    },
    mutation: setStatus(atToken, 422, 400),
  },
  'rfc6749-5.2-invalid-client': {
    async test(at) {
      const { status, headers, json } = await at.token(clientCredentials, {
        ...at.world.app,
        clientSecret: changeLast(at.world.app.clientSecret),
      })
      expect([status, json['error']]).toEqual([401, 'invalid_client'])
      expect(textOf(headers['www-authenticate'])).toMatch(/^Basic\b/)
    },
    mutation: setHeader(atToken, 'www-authenticate', null),
  },
  'rfc6749-5.2-unauthorized-client': {
    async test(at, direct) {
      const without = await at.world.publish({ redirectUris: [] })
      expectError(await at.redeem(await direct.code(), {}, without), 400, 'unauthorized_client')
    },
    mutation: otherError(atToken, 'invalid_grant'),
  },
  'rfc6749-5.2-unsupported-grant-type': {
    test: async (at) => expectError(await at.token({ grant_type: 'x' }), 400, 'unsupported_grant_type'),
    mutation: otherError(atToken, 'invalid_request'),
  },
  'rfc6749-5.2-error-charset': {
    async test(at) {
      for (const odd of ['"', '\\', 'é', '\u0001', '<script>'])
        for (const form of [{ grant_type: odd }, { ...clientCredentials, scope: odd }]) {
          const { status, json } = await at.token(form)
          expect(status).toBe(400)
          expect(textOf(json['error_description'])).toMatch(plainAscii)
        }
    },
    mutation: editJson(atToken, 'what was sent in quotation marks', (body) => {
      body['error_description'] = `I do not know "${body['error']}"`
    }),
  },
  'rfc6749-6-client-authentication': {
    async test(at, direct) {
      const { refresh_token } = await direct.connect()
      const { status, json } = await at.refresh(refresh_token, { client_id: at.world.app.appId }, null)
      expect(status).toBeGreaterThanOrEqual(400)
      expect(json).not.toHaveProperty('access_token')
      expectOk(await direct.refresh(refresh_token))
    },
    mutation: acceptRefused(atToken),
  },
  'rfc6749-6-client-bound': {
    async test(at, direct) {
      const { refresh_token } = await direct.connect()
      expectError(await at.refresh(refresh_token, {}, at.world.other), 400, 'invalid_grant')
      expectOk(await direct.refresh(refresh_token))
    },
    mutation: acceptRefused(atToken),
  },
  'rfc6749-6-scope-not-wider': {
    async test(at, direct) {
      const { refresh_token } = await direct.connect()
      for (const scope of ['order:read order:write', 'customer:read'])
        expectError(await at.refresh(refresh_token, { scope }), 400, 'invalid_scope')
    },
    mutation: acceptRefused(atToken),
  },
  'rfc6749-6-scope-omitted': {
    async test(at, direct) {
      const { refresh_token, scope } = await direct.connect()
      expect((await at.refresh(refresh_token)).json['scope']).toBe(scope)
    },
    mutation: editForm(atToken, 'takes a refresh without scope for one with none', (form) => {
      if (form.get('grant_type') === 'refresh_token' && !form.has('scope')) form.set('scope', 'order:write')
    }),
  },
  'rfc6749-6-scope-identical': {
    async test(at) {
      const app = await at.world.publish({
        name: 'Shipping desk',
        manifest: { required: ['order:read', 'order:write'], optional: [] },
      })
      const code = await at.code({ scope: 'order:read order:write' }, app)
      const first = String((await at.redeem(code)).json['refresh_token'])
      const narrow = (await at.refresh(first, { scope: 'order:read' }, app)).json
      expect(narrow['scope']).toBe('order:read')
      const full = (await at.refresh(String(narrow['refresh_token']), {}, app)).json
      expect(full['scope']).toBe('order:read order:write')
    },
    mutation: editForm(atToken, 'forgets every scope but the first', (form) => {
      if (form.get('grant_type') === 'refresh_token') form.set('scope', 'order:read')
    }),
  },
  'rfc6749-10.4-not-guessable': {
    async test(at, direct) {
      const { refresh_token } = await direct.connect()
      expectError(await at.refresh(changeLast(refresh_token)), 400, 'invalid_grant')
      expectError(await at.refresh(refresh_token.replace(/.{7}$/, 'AAAAAAA')), 400, 'invalid_grant')
    },
    mutation: acceptRefused(atToken),
  },
  'rfc6749-10.10-entropy': {
    async test(at, direct) {
      const codes = await Promise.all([direct.code(), direct.code()])
      const pairs = await Promise.all(codes.map(async (code) => (await at.redeem(code)).json))
      const singles = await Promise.all(Array.from({ length: 10 }, () => at.token(clientCredentials)))
      const values = [
        ...codes.map(({ code }) => code),
        ...pairs.flatMap((pair) => [String(pair['access_token']), String(pair['refresh_token'])]),
        ...singles.map(({ json }) => String(json['access_token'])),
      ]
      expect(new Set(values).size).toBe(values.length)
      // 62 characters each, the last 6 a checksum: 43 random ones are 256 bits.
      for (const value of values) expect(value).toMatch(/^stoa_(ac|at|rt)_[0-9A-Za-z]{43}[0-9A-Za-z]{6}$/)
    },
    mutation: editJson(atToken, 'short tokens', (body) => {
      body['access_token'] = String(body['access_token']).slice(0, 24)
    }),
  },
  'rfc6749-10.12-csrf': {
    async test(at, direct) {
      const { browser, page } = await direct.consentPage(await direct.authorization())
      const cookies = ['stoa_session', 'stoa_oauth_interaction', 'stoa_oauth_interaction.sig']
      const cookie = cookies.map((name) => `${name}=${browser.cookie(name) ?? ''}`).join('; ')
      const { pathname } = new URL(page.url)
      const form = { decision: 'allow', merchant_id: at.world.merchant.merchantId }
      for (const csrf of [null, '', 'x'.repeat(43)]) {
        const { status, headers } = await at.send('POST', pathname, {
          form: { ...form, csrf },
          headers: { cookie },
        })
        expect([status, headers['location']]).toEqual([403, undefined])
      }
    },
    mutation: {
      what: 'the consent form goes through without its token',
      response(response, request) {
        if (request.method !== 'POST' || !request.path.startsWith('/consent/')) return
        Object.assign(response, {
          status: 303,
          headers: { location: `${redirectUri}?code=stoa_ac_x` },
          body: '',
        })
      },
    },
  },
  'rfc6749-10.13-clickjacking': {
    async test(at, direct) {
      const signIn = (await direct.open(await direct.authorization())).headers['location'] ?? ''
      for (const path of [signIn, '/sign-in', '/oauth/authorize?client_id=x', '/consent/unknown'])
        expect(textOf((await at.send('GET', path)).headers['x-frame-options']), path).toMatch(
          /^(DENY|SAMEORIGIN)$/,
        )
    },
    mutation: setHeader('/oauth/authorize', 'x-frame-options', null),
  },
  'rfc6749-10.14-sanitize': {
    async test(at) {
      const markup = '<img src=x onerror=alert(1)>'
      for (const changes of [
        { redirect_uri: markup },
        { client_id: markup },
        { redirect_uri: `${redirectUri}${markup}`, state: markup },
      ]) {
        const reply = await at.open(await at.authorization(changes))
        expectErrorPage(reply)
        expect(reply.text).not.toContain('<img')
      }
    },
    mutation: {
      what: 'the error page shows parameters as they are',
      response(response, request) {
        if (request.path === '/oauth/authorize')
          response.body += request.query.toString() && [...request.query.values()].join(' ')
      },
    },
  },
} satisfies Cases
