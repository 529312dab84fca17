import { expect } from 'vitest'
import { expectOk, plainAscii, textOf } from '../expectations.ts'
import { editHeader, editJson, editRequestHeaders, setHeader, setMember, setStatus } from '../mutations.ts'
import type { Cases } from '../run-cases.ts'
import type { Mutation } from '../tampering-proxy.ts'

const orders = '/v1/orders'
const shipOrder = '/v1/orders/ord_01JZZZZZZZZZZZZZZZZZZZZZZZ:ship'
const unknownToken = `stoa_at_${'A'.repeat(49)}`

/** An API that looks for a token where it should not. */
const tokenFrom = (where: 'query' | 'form'): Mutation => ({
  what: `the API takes an access token from the ${where}`,
  request(request) {
    const sent = where === 'query' ? request.query : new URLSearchParams(request.body)
    const token = sent.get('access_token')
    if (token !== null) request.headers['authorization'] = `Bearer ${token}`
    return undefined
  },
})

/** RFC 6750, what OAuth 2.1 adds to it, RFC 9728 and RFC 9068: the API. */
export const apiCases = {
  'rfc6750-2-one-method': {
    async test(at, direct) {
      const { access_token } = await direct.connect()
      const reply = await at.api(unknownToken, orders, { query: { access_token } })
      expect(reply.status).toBe(401)
    },
    mutation: tokenFrom('query'),
  },
  'rfc6750-2.1-header': {
    async test(at, direct) {
      const { access_token } = await direct.connect()
      expectOk(await at.api(access_token))
      expectOk(await at.api(null, orders, { headers: { authorization: `bearer ${access_token}` } }))
    },
    mutation: editRequestHeaders(orders, 'knows Bearer in one spelling', (headers) => {
      if (textOf(headers['authorization']).startsWith('bearer')) delete headers['authorization']
    }),
  },
  'rfc6750-2.2-no-form': {
    async test(at, direct) {
      const { access_token } = await direct.connect()
      const reply = await at.api(null, shipOrder, { method: 'POST', form: { access_token } })
      expect(reply.status).toBe(401)
    },
    mutation: tokenFrom('form'),
  },
  'rfc6750-2.3-no-query': {
    async test(at, direct) {
      const { access_token } = await direct.connect()
      expect((await at.api(null, orders, { query: { access_token } })).status).toBe(401)
    },
    mutation: tokenFrom('query'),
  },
  'rfc6750-3-challenge': {
    async test(at) {
      const { status, headers } = await at.api(null)
      expect(status).toBe(401)
      expect(textOf(headers['www-authenticate'])).not.toBe('')
    },
    mutation: setHeader(orders, 'www-authenticate', null),
  },
  'rfc6750-3-bearer': {
    async test(at) {
      for (const token of [null, unknownToken, 'x'])
        expect(textOf((await at.api(token)).headers['www-authenticate'])).toMatch(/^Bearer [a-z_]+="[^"]+"/)
    },
    mutation: editHeader(orders, 'www-authenticate', () => 'Bearer'),
  },
  'rfc6750-3-no-error-without-token': {
    async test(at) {
      expect(textOf((await at.api(null)).headers['www-authenticate'])).not.toMatch(/error/)
    },
    mutation: editHeader(orders, 'www-authenticate', (value) => `${value}, error="invalid_token"`),
  },
  'rfc6750-3-charset': {
    async test(at, direct) {
      const { access_token } = await direct.connect()
      const replies = [
        await at.api('"\\é'),
        await at.api(access_token, shipOrder, { method: 'POST', body: '' }),
      ]
      for (const { headers } of replies) {
        const parameters = [
          ...textOf(headers['www-authenticate']).matchAll(/error(_description)?="([^"]*)"/g),
        ]
        expect(parameters.length).toBeGreaterThan(0)
        for (const [, , value] of parameters) expect(value).toMatch(plainAscii)
      }
    },
    mutation: editHeader(orders, 'www-authenticate', (value) => value.replace('error="', 'error="é')),
  },
  'rfc6750-3.1-invalid-token': {
    async test(at, direct) {
      const { access_token: revoked } = await direct.connect()
      await direct.revoke(revoked)
      for (const token of ['x', unknownToken, revoked]) {
        const { status, headers } = await at.api(token)
        expect(status).toBe(401)
        expect(textOf(headers['www-authenticate'])).toMatch(/^Bearer error="invalid_token"/)
      }
    },
    mutation: editHeader(orders, 'www-authenticate', (value) =>
      value.replace('invalid_token', 'invalid_request'),
    ),
  },
  'rfc6750-3.1-insufficient-scope': {
    async test(at, direct) {
      const { access_token } = await direct.connect()
      const { status, headers } = await at.api(access_token, shipOrder, { method: 'POST', body: '' })
      expect(status).toBe(403)
      expect(textOf(headers['www-authenticate'])).toMatch(/error="insufficient_scope"/)
      expect(textOf(headers['www-authenticate'])).toMatch(/scope="order:write"/)
    },
    mutation: setStatus(orders, 401, 403),
  },
  'rfc6750-5.2-short-lived': {
    async test(at, direct) {
      const { access_token, expires_in } = (await at.redeem(await direct.code())).json
      expect(expires_in).toBeLessThanOrEqual(3600)
      expectOk(await at.api(String(access_token)))
      const { status } = await at.world.later(3_601_000, () => at.api(String(access_token)))
      expect(status).toBe(401)
    },
    mutation: setMember('/oauth/token', 'expires_in', 86_400),
  },
  'rfc9728-2-authorization-servers': {
    async test(at) {
      const { json } = await at.send('GET', '/.well-known/oauth-protected-resource/v1')
      expect(json['authorization_servers']).toEqual([at.world.issuer])
    },
    mutation: setMember('/.well-known/oauth-protected-resource/v1', 'authorization_servers', [
      'https://evil.example',
    ]),
  },
  'rfc9728-3.3-identical': {
    async test(at) {
      const { json } = await at.send('GET', '/.well-known/oauth-protected-resource/v1')
      expect(json['resource']).toBe(`${at.world.issuer}/v1`)
    },
    mutation: editJson('/.well-known/oauth-protected-resource/v1', 'a slash more', (body) => {
      body['resource'] = `${body['resource']}/`
    }),
  },
  'rfc9728-5.1-challenge': {
    async test(at) {
      const challenge = textOf((await at.api(null)).headers['www-authenticate'])
      const [, address] = /resource_metadata="([^"]+)"/.exec(challenge) ?? []
      expect(address).toBe(`${at.world.issuer}/.well-known/oauth-protected-resource/v1`)
      const { pathname } = new URL(address ?? '')
      expect((await at.send('GET', pathname)).json['resource']).toBe(`${at.world.issuer}/v1`)
    },
    mutation: editHeader(orders, 'www-authenticate', (value) => value.replace('/v1"', '"')),
  },
  'rfc9068-6-opaque': {
    async test(at, direct) {
      const { json } = await at.redeem(await direct.code())
      expect(textOf(json['access_token'])).toMatch(/^stoa_at_[0-9A-Za-z]{49}$/)
    },
    mutation: setMember('/oauth/token', 'access_token', 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJpbnNfMSJ9.AAAA'),
  },
  'oauth2.1-5.2.1-ignores-query': {
    async test(at, direct) {
      const [mine, others] = [await direct.connect(), await direct.connect({}, at.world.other)]
      await direct.revoke(others.access_token, {}, at.world.other)
      const query = { access_token: mine.access_token }
      const bare = await at.api(null, orders, { query })
      expect([bare.status, textOf(bare.headers['www-authenticate'])]).toEqual([
        401,
        expect.not.stringMatching(/error/),
      ])
      expect((await at.api(others.access_token, orders, { query })).status).toBe(401)
    },
    mutation: tokenFrom('query'),
  },
  'oauth2.1-5.2.2-validation': {
    async test(at, direct) {
      const app = await at.world.publish({ name: 'Short guest' })
      const { access_token } = await direct.connect({}, app)
      const { json } = await direct.introspect(access_token, {}, app)
      expectOk(await direct.api(access_token))
      const { owner } = at.world.merchant
      await owner.api.call('DELETE', `/merchant/v1/installations/${json['installation_id']}`)
      expect((await at.api(access_token)).status).toBe(401)
    },
    mutation: setStatus(orders, 200, 401),
  },
} satisfies Cases
