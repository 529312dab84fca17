import { expect } from 'vitest'
import { testPassword } from '../../../support/platform.ts'
import { packageOf } from '../../../support/story.ts'
import type { Actor } from '../actor.ts'
import { expectError, expectErrorBack, expectErrorPage, expectOk, textOf } from '../expectations.ts'
import {
  acceptRefused,
  editAuthorization,
  editHeader,
  editJson,
  giveCodeAnyway,
  pretend,
  setHeader,
  setMember,
  setStatus,
} from '../mutations.ts'
import type { Cases } from '../run-cases.ts'
import { redirectUri } from '../world.ts'

const atToken = '/oauth/token'
const atAuthorize = '/oauth/authorize'
const metadata = '/.well-known/oauth-authorization-server'

/** A page of each kind that a person sees on the way: sign-in, consent, an error. */
async function pagesOnTheWay(direct: Actor): Promise<readonly string[]> {
  const signIn = (await direct.open(await direct.authorization())).headers['location'] ?? ''
  return [signIn, '/sign-in', '/consent/unknown', `${atAuthorize}?client_id=unknown`]
}

async function orderOf(at: Actor, merchantId: string): Promise<string> {
  const lines = [{ name: 'Tea', quantity: 1, unitPrice: { amount: 500, currency: 'CNY' } }]
  const { id } = await at.world.at.host.call<{ id: string }>(
    'POST',
    `/host/v1/merchants/${merchantId}/orders`,
    { lines },
  )
  return id
}

/** RFC 9700, and what OAuth 2.1 says of codes. */
export const securityCases = {
  'rfc9700-2.1-exact-match': {
    async test(at) {
      for (const redirect_uri of [
        `${redirectUri}/../other`,
        `${redirectUri}/below`,
        `${redirectUri}.evil.example.com`,
        'https://app.example.com.evil.example.com/callback',
        'https://app.example.com/',
        'https://app.example.com',
      ])
        expectErrorPage(await at.open(await at.authorization({ redirect_uri })))
    },
    mutation: editAuthorization('matches redirect URIs by their beginning', (query) => {
      if (query.get('redirect_uri')?.startsWith(redirectUri) === true) query.set('redirect_uri', redirectUri)
    }),
  },
  'rfc9700-2.1-no-open-redirector': {
    async test(at) {
      const { email } = at.world.merchant.owner
      for (const target of [
        'https://evil.example/',
        '//evil.example',
        '/\\evil.example',
        '/.//evil.example',
      ]) {
        const browser = at.visitor()
        const page = await browser.open(`/sign-in?return_to=${encodeURIComponent(target)}`)
        const fields = { return_to: target, email, password: testPassword }
        const { location } = await browser.submit(page, fields)
        expect(new URL(location ?? 'https://nowhere.invalid', at.world.issuer).origin).toBe(at.world.issuer)
      }
    },
    mutation: editHeader('/sign-in', 'location', () => 'https://evil.example/'),
  },
  'rfc9700-2.1.1-enforces-verifier': {
    async test(at, direct) {
      const [code, other] = [await direct.code(), await direct.code()]
      expectError(await at.redeem(code, { code_verifier: other.codeVerifier }), 400, 'invalid_grant')
    },
    mutation: acceptRefused(atToken),
  },
  'rfc9700-2.1.1-downgrade': {
    async test(at) {
      const without = { code_challenge: null, code_challenge_method: null }
      const back = await at.back(await at.authorization(without))
      expect([back?.searchParams.get('error'), back?.searchParams.get('code')]).toEqual([
        'invalid_request',
        null,
      ])
    },
    mutation: giveCodeAnyway(redirectUri),
  },
  'rfc9700-2.1.1-detection': {
    async test(at) {
      expect((await at.send('GET', metadata)).json['code_challenge_methods_supported']).toEqual(['S256'])
    },
    mutation: setMember(metadata, 'code_challenge_methods_supported', ['plain', 'S256']),
  },
  'rfc9700-2.1.2-no-implicit': {
    async test(at) {
      for (const response_type of [
        'token',
        'id_token',
        'id_token token',
        'code token',
        'code id_token',
        'none',
      ]) {
        const { headers } = await at.open(await at.authorization({ response_type }))
        expect(textOf(headers['location'])).toMatch(/[?#&]error=(unsupported_response_type|invalid_request)&/)
        expect(textOf(headers['location'])).not.toMatch(/[?#&](access_token|code)=/)
      }
    },
    mutation: {
      what: '/oauth/authorize gives an access token to who asks for one',
      response({ headers }, request) {
        if (request.query.get('response_type') === 'token')
          headers.location = `${redirectUri}#access_token=stoa_at_x`
      },
    },
  },
  'rfc9700-2.3-audience': {
    async test(at, direct) {
      const { access_token } = await direct.connect()
      const { merchantId } = at.world.merchant
      for (const path of [
        '/account/v1/me',
        '/developer/v1/publishers',
        `/merchant/v1/merchants/${merchantId}/installations`,
        `/host/v1/merchants/${merchantId}`,
      ])
        expect((await at.api(access_token, path)).status, path).toBe(401)
    },
    mutation: setStatus('/merchant/v1/', 200, 401),
  },
  'rfc9700-2.3-actions': {
    async test(at, direct) {
      const { access_token } = await direct.connect()
      const stranger = await at.world.otherMerchant()
      const [mine, theirs] = [
        await orderOf(direct, at.world.merchant.merchantId),
        await orderOf(direct, stranger.merchantId),
      ]
      expectOk(await at.api(access_token, `/v1/orders/${mine}`))
      expect(
        (await at.api(access_token, `/v1/orders/${mine}:ship`, { method: 'POST', body: '' })).status,
      ).toBe(403)
      expect((await at.api(access_token, `/v1/orders/${theirs}`)).status).toBe(404)
    },
    mutation: setStatus('/v1/orders/', 200, 404),
  },
  'rfc9700-2.4-no-password': {
    async test(at) {
      const { email } = at.world.merchant.owner
      const form = { grant_type: 'password', username: email, password: testPassword }
      expectError(await at.token(form), 400, 'unsupported_grant_type')
      expect((await at.send('GET', metadata)).json['grant_types_supported']).not.toContain('password')
    },
    mutation: acceptRefused(atToken),
  },
  'rfc9700-2.6-no-http': {
    async test(at) {
      const { appId, publisher } = at.world.app
      const token = await at.world.at.personalToken(publisher.owner)
      const manifest = {
        required: ['order:read'],
        redirectUris: ['http://app.example.com/callback'],
        code: 99,
      }
      const reply = await at.fetch(`${at.world.issuer}/developer/v1/apps/${appId}/versions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/zip' },
        body: Buffer.from(await packageOf(manifest)),
      })
      expect([reply.status, await reply.text()]).toEqual([
        422,
        expect.stringContaining('package.redirect_uri_illegal'),
      ])
    },
    mutation: setStatus('/developer/v1/apps/', 201, 422),
  },
  'rfc9700-2.6-no-cors-at-authorize': {
    async test(at) {
      const { path } = await at.authorization()
      const headers = { origin: 'https://app.example.com', 'access-control-request-method': 'GET' }
      for (const method of ['GET', 'OPTIONS'])
        expect((await at.send(method, path, { headers })).headers).not.toHaveProperty(
          'access-control-allow-origin',
        )
    },
    mutation: setHeader(atAuthorize, 'access-control-allow-origin', '*'),
  },
  'rfc9700-4.2.4-no-referrer': {
    async test(at, direct) {
      for (const path of await pagesOnTheWay(direct))
        expect(textOf((await at.send('GET', path)).headers['referrer-policy']), path).toMatch(
          /^(no-referrer|same-origin)$/,
        )
    },
    mutation: setHeader('/sign-in', 'referrer-policy', null),
  },
  'rfc9700-4.12-see-other': {
    async test(at) {
      const { path } = await at.authorization()
      const browser = at.browser()
      const statuses: number[] = []
      let answer = await browser.open(path)
      while (answer.location?.startsWith('https://app.example.com') !== true && statuses.length < 10) {
        statuses.push(answer.status)
        const { location } = answer
        answer =
          location === null
            ? await browser.submit(answer, { decision: 'allow' })
            : await browser.open(location)
      }
      statuses.push(answer.status)
      // To sign-in, on, to consent; the page; its form, on, and back at the app.
      expect(statuses.filter((status) => status !== 200)).toEqual([303, 303, 303, 303, 303])
    },
    mutation: setStatus('/consent/', 307, 303),
  },
  'rfc9700-4.13-headers': {
    async test(at) {
      const lies = {
        host: 'evil.example.com',
        'x-forwarded-host': 'evil.example.com',
        'x-forwarded-proto': 'https',
        forwarded: 'host=evil.example.com;proto=https',
      }
      const honest = (await at.send('GET', metadata)).json
      expect(honest['token_endpoint']).toBe(`${at.world.issuer}/oauth/token`)
      expect((await at.send('GET', metadata, { headers: lies })).json).toEqual(honest)
    },
    mutation: {
      what: 'the metadata believes X-Forwarded-Host',
      response(response, { path, headers }) {
        const host = headers['x-forwarded-host']
        if (path === metadata && typeof host === 'string')
          response.body = response.body.replaceAll(/127\.0\.0\.1:\d+/g, host)
      },
    },
  },
  'rfc9700-4.14.2-scope-bound': {
    async test(at, direct) {
      const app = await at.world.publish({
        name: 'Narrowed',
        manifest: { required: ['order:read', 'order:write'], optional: [] },
      })
      const tokens = await direct.connect({ scope: 'order:read order:write' }, app)
      const { json } = await direct.introspect(tokens.access_token, {}, app)
      const { grant } = at.world.at.db.queries
      const narrow = (granted: string[]) =>
        grant.updateMany({ where: { installationId: String(json['installation_id']) }, data: { granted } })
      await narrow(['order:read'])
      expect((await at.refresh(tokens.refresh_token, {}, app)).json['scope']).toBe('order:read')
      await narrow(['order:read', 'order:write'])
    },
    mutation: setMember(atToken, 'scope', 'order:read order:write'),
  },
  'rfc9700-4.14.2-rotation': {
    async test(at, direct) {
      const first = await direct.connect()
      const second = String((await direct.refresh(first.refresh_token)).json['refresh_token'])
      const third = String((await direct.refresh(second)).json['refresh_token'])
      expectError(await at.refresh(first.refresh_token), 400, 'invalid_grant')
      expectError(await direct.refresh(third), 400, 'invalid_grant')
      expect((await direct.api(first.access_token)).status).toBe(401)
    },
    mutation: pretend(atToken, {
      status: 400,
      headers: { 'content-type': 'application/json' },
      body: '{"error":"invalid_grant"}',
    }),
  },
  'rfc9700-4.14.2-idle': {
    async test(at, direct) {
      const { refresh_token } = await direct.connect()
      const reply = await at.world.later(90 * 86_400_000 + 1_000, () => at.refresh(refresh_token))
      expectError(reply, 400, 'invalid_grant')
    },
    mutation: acceptRefused(atToken),
  },
  'rfc9700-4.15.1-client-id': {
    async test(at, direct) {
      const { json } = await at.introspect((await direct.connect()).access_token)
      expect(textOf(json['client_id'])).toMatch(/^app_[0-9A-Z]{26}$/)
      expect(textOf(json['sub'])).not.toBe('')
      expect(textOf(json['sub'])).not.toMatch(/^app_/)
    },
    mutation: editJson('/oauth/introspect', 'the client as the subject', (body) => {
      body['sub'] = body['client_id']
    }),
  },
  'rfc9700-4.16-clickjacking': {
    async test(at, direct) {
      for (const path of await pagesOnTheWay(direct)) {
        const policy = textOf((await at.send('GET', path)).headers['content-security-policy'])
        expect(policy, path).toMatch(/(^|; ?)frame-ancestors 'none'(;|$)/)
      }
    },
    mutation: editHeader('/sign-in', 'content-security-policy', (value) =>
      value.replace(/frame-ancestors [^;]+;?/, ''),
    ),
  },
  'oauth2.1-4.1.3-verifier-iff-challenge': {
    async test(at, direct) {
      const code = await direct.code()
      expectError(await at.redeem(code, { code_verifier: null }), 400, 'invalid_grant')
      expectOk(await at.redeem(code))
      const without = await at.authorization({ code_challenge: null, code_challenge_method: null })
      expectErrorBack(await at.open(without), 'invalid_request')
    },
    mutation: acceptRefused(atToken),
  },
} satisfies Cases
