import { expect } from 'vitest'
import {
  backOf,
  expectError,
  expectErrorBack,
  expectErrorPage,
  expectOk,
  expectPage,
  plainAscii,
} from '../expectations.ts'
import {
  acceptRefused,
  dropMember,
  editAuthorization,
  editBack,
  editHeader,
  editRequestHeaders,
  giveCodeAnyway,
  pretend,
  refuse,
  setMember,
} from '../mutations.ts'
import type { Cases } from '../run-cases.ts'
import { redirectUri } from '../world.ts'

const atAuthorize = '/oauth/authorize'
const atToken = '/oauth/token'

const otherUri = 'https://app.example.com/other'

/** RFC 6749 §2 to §4: client authentication, the authorization endpoint, codes. */
export const authorizationCases = {
  'rfc6749-2.3-one-method': {
    async test(at) {
      const form = { grant_type: 'client_credentials', client_secret: at.world.app.clientSecret }
      expectError(await at.token(form), 400, 'invalid_request')
    },
    mutation: acceptRefused(atToken),
  },
  'rfc6749-2.3.1-basic': {
    test: async (at) => expectOk(await at.token({ grant_type: 'client_credentials' })),
    mutation: editRequestHeaders(atToken, 'does not read the Authorization header', (headers) => {
      delete headers['authorization']
    }),
  },
  'rfc6749-2.3.1-basic-encoding': {
    async test(at) {
      const { appId, clientSecret } = at.world.app
      const encoded = (text: string) => text.replaceAll('_', '%5F')
      const authorization = `Basic ${Buffer.from(`${encoded(appId)}:${encoded(clientSecret)}`).toString('base64')}`
      expectOk(await at.token({ grant_type: 'client_credentials' }, null, { authorization }))
    },
    mutation: refuse(atToken, 401, 'invalid_client'),
  },
  'rfc6749-2.3.1-not-in-uri': {
    async test(at) {
      const { appId, clientSecret } = at.world.app
      const query = { client_id: appId, client_secret: clientSecret }
      const reply = await at.send('POST', atToken, { query, form: { grant_type: 'client_credentials' } })
      expect(reply.status).toBeGreaterThanOrEqual(400)
      expect(reply.json).not.toHaveProperty('access_token')
    },
    mutation: {
      what: '/oauth/token takes what stands in the query',
      request(request) {
        request.body = `${request.body}&${request.query}`
        return undefined
      },
    },
  },
  'rfc6749-3.1-get': {
    test: async (at) => expectPage(await at.open(await at.authorization())),
    mutation: refuse(atAuthorize, 405, 'method_not_allowed'),
  },
  'rfc6749-3.1-authenticates-owner': {
    async test(at) {
      const { status, headers } = await at.open(await at.authorization())
      expect([status, headers['location']]).toEqual([303, expect.stringMatching(/^\/sign-in\//)])
    },
    mutation: editHeader(atAuthorize, 'location', () => `${redirectUri}?code=stoa_ac_x`),
  },
  'rfc6749-3.1-empty-parameter': {
    test: async (at) => expectPage(await at.open(await at.authorization({ scope: '' }))),
    mutation: editAuthorization('takes an empty scope for a scope', (query) => {
      if (query.get('scope') === '') query.set('scope', '""')
    }),
  },
  'rfc6749-3.1-unknown-parameter': {
    test: async (at) => expectPage(await at.open(await at.authorization({ nobody_knows: '1' }))),
    mutation: editHeader(atAuthorize, 'location', () => `${redirectUri}?error=invalid_request`),
  },
  'rfc6749-3.1-no-duplicate': {
    async test(at) {
      for (const name of ['state', 'scope', 'redirect_uri', 'client_id'])
        expectErrorPageOrBack(await at.open(await at.authorization({ [name]: ['one', 'two'] })), name)
      const scope = ['order:read', 'order:read']
      expectErrorBack(await at.open(await at.authorization({ scope })), 'invalid_request')
    },
    mutation: editAuthorization('takes the last of two', (query) => {
      for (const name of new Set(query.keys())) query.set(name, query.getAll(name).at(-1) ?? '')
    }),
  },
  'rfc6749-3.1.1-response-type': {
    async test(at) {
      const asked = async (response_type: string | null) =>
        backOf(await at.open(await at.authorization({ response_type }))).get('error')
      expect(await asked(null)).toBe('invalid_request')
      expect(await asked('nonsense')).toBe('unsupported_response_type')
    },
    mutation: editAuthorization('reads every response type as code', (query) =>
      query.set('response_type', 'code'),
    ),
  },
  'rfc6749-3.1.2-no-fragment': {
    async test(at) {
      for (const redirect_uri of [`${redirectUri}#x`, `${redirectUri}#`])
        expectErrorPage(await at.open(await at.authorization({ redirect_uri })))
    },
    mutation: editAuthorization('cuts a fragment off', (query) => {
      query.set('redirect_uri', query.get('redirect_uri')?.split('#')[0] ?? '')
    }),
  },
  'rfc6749-3.1.2.2-registered': {
    async test(at) {
      const without = await at.world.publish({ redirectUris: [] })
      expectErrorPage(await at.open(await at.authorization({}, without)))
    },
    mutation: giveCodeAnyway(redirectUri),
  },
  'rfc6749-3.1.2.3-simple-comparison': {
    async test(at) {
      for (const redirect_uri of [
        `${redirectUri}/`,
        `${redirectUri}?next=1`,
        'https://APP.example.com/callback',
        'https://app.example.com:443/callback',
        'https://app.example.com/Callback',
        'https://app.example.com/callbac%6B',
      ])
        expectErrorPage(await at.open(await at.authorization({ redirect_uri })))
    },
    mutation: editAuthorization('compares redirect URIs without regard to case', (query) => {
      query.set('redirect_uri', (query.get('redirect_uri') ?? '').toLowerCase())
    }),
  },
  'rfc6749-3.1.2.3-must-be-named': {
    async test(at) {
      const two = await at.world.publish({ redirectUris: [redirectUri, otherUri] })
      expectErrorPage(await at.open(await at.authorization({ redirect_uri: null }, two)))
    },
    mutation: editAuthorization('takes the first redirect URI', (query) => {
      if (!query.has('redirect_uri')) query.set('redirect_uri', redirectUri)
    }),
  },
  'rfc6749-3.1.2.4-no-redirect': {
    async test(at) {
      const foreign = { redirect_uri: 'https://evil.example.com/callback' }
      expectErrorPage(await at.open(await at.authorization(foreign)))
    },
    mutation: giveCodeAnyway(redirectUri),
  },
  'rfc6749-3.3-default-scope': {
    async test(at) {
      const authorization = await at.authorization({ scope: null })
      const code = (await at.back(authorization))?.searchParams.get('code') ?? ''
      expect((await at.redeem({ ...authorization, code })).json['scope']).toBe('order:read')
    },
    mutation: editAuthorization('has another default', (query) => {
      if (!query.has('scope')) query.set('scope', 'order:write')
    }),
  },
  'rfc6749-3.3-tells-scope': {
    async test(at) {
      const app = await at.world.publish()
      const authorization = await at.authorization({ scope: 'order:read order:write' }, app)
      const code = (await at.back(authorization))?.searchParams.get('code') ?? ''
      const { json } = await at.redeem({ ...authorization, code })
      expect(json['scope']).toBe('order:read')
    },
    mutation: dropMember(atToken, 'scope'),
  },
  'rfc6749-4.1.2-code-lifetime': {
    async test(at, direct) {
      const [timely, late] = [await direct.code(), await direct.code()]
      await at.world.later(50_000, async () => expectOk(await at.redeem(timely)))
      await at.world.later(61_000, async () => expectError(await at.redeem(late), 400, 'invalid_grant'))
    },
    mutation: acceptRefused(atToken),
  },
  'rfc6749-4.1.2-code-single-use': {
    async test(at, direct) {
      const code = await direct.code()
      expectOk(await at.redeem(code))
      expectError(await at.redeem(code), 400, 'invalid_grant')
    },
    mutation: acceptRefused(atToken),
  },
  'rfc6749-4.1.2-code-reuse-revokes': {
    async test(at, direct) {
      const code = await direct.code()
      const first = (await direct.redeem(code)).json
      expectOk(await direct.api(String(first['access_token'])))
      expectError(await at.redeem(code), 400, 'invalid_grant')
      expect((await direct.api(String(first['access_token']))).status).toBe(401)
      expectError(await direct.refresh(String(first['refresh_token'])), 400, 'invalid_grant')
    },
    mutation: pretend(atToken, {
      status: 400,
      headers: { 'content-type': 'application/json' },
      body: '{"error":"invalid_grant"}',
    }),
  },
  'rfc6749-4.1.2-state': {
    async test(at) {
      const state = 'a b+c%20&d=ä'
      const back = await at.back(await at.authorization({ state }))
      expect(back?.searchParams.has('code')).toBe(true)
      expect(back?.searchParams.getAll('state')).toEqual([state])
    },
    mutation: editBack('a state that was tidied', (back) =>
      back.set('state', (back.get('state') ?? '').trim().normalize('NFD')),
    ),
  },
  'rfc6749-4.1.2.1-access-denied': {
    async test(at) {
      const back = await at.back(await at.authorization({}, await at.world.another()), { decision: 'deny' })
      expect([back?.searchParams.get('error'), back?.searchParams.get('code')]).toEqual([
        'access_denied',
        null,
      ])
      expect(back?.href.startsWith(`${redirectUri}?`)).toBe(true)
      expect(back?.hash).toBe('')
    },
    mutation: editBack('a code though the merchant declined', (back) => back.set('code', 'stoa_ac_x')),
  },
  'rfc6749-4.1.2.1-error-state': {
    async test(at) {
      const state = 'a b+c%20&d=ä'
      const reply = await at.open(await at.authorization({ state, scope: 'nonsense' }))
      expect(backOf(reply).getAll('state')).toEqual([state])
    },
    mutation: editBack('no state', (back) => back.delete('state')),
  },
  'rfc6749-4.1.2.1-unknown-client': {
    async test(at) {
      for (const client_id of ['app_unknown', '', null])
        expectErrorPage(await at.open(await at.authorization({ client_id })))
    },
    mutation: giveCodeAnyway(redirectUri),
  },
  'rfc6749-4.1.2.1-invalid-scope': {
    async test(at) {
      for (const scope of ['order:read everything', 'customer:read', 'order:read\u0007'])
        expectErrorBack(await at.open(await at.authorization({ scope })), 'invalid_scope')
    },
    mutation: giveCodeAnyway(redirectUri),
  },
  'rfc6749-4.1.2.1-error-charset': {
    async test(at) {
      for (const scope of ['"', '\\', 'é', '\u0001', '<script>']) {
        const back = backOf(await at.open(await at.authorization({ scope })))
        expect(back.get('error')).toBe('invalid_scope')
        expect(back.get('error_description') ?? '').toMatch(plainAscii)
      }
    },
    mutation: editBack('the scope in quotation marks', (back) => {
      back.set('error_description', `unknown scope "${back.get('scope')}"`)
    }),
  },
  'rfc6749-4.1.3-code-of-client': {
    async test(at, direct) {
      const code = await direct.code()
      expectError(await at.redeem(code, {}, at.world.other), 400, 'invalid_grant')
    },
    mutation: acceptRefused(atToken),
  },
  'rfc6749-4.1.3-code-valid': {
    async test(at, direct) {
      const code = await direct.code()
      for (const [from, to] of [
        [-1, undefined],
        [20, 21],
      ] as const) {
        const character = code.code.slice(from, to) === 'A' ? 'B' : 'A'
        const changed = code.code.slice(0, from) + character + (to === undefined ? '' : code.code.slice(to))
        expectError(await at.redeem({ ...code, code: changed }), 400, 'invalid_grant')
      }
    },
    mutation: acceptRefused(atToken),
  },
  'rfc6749-4.1.3-redirect-uri': {
    async test(at, direct) {
      const code = await direct.code()
      for (const redirect_uri of [null, otherUri, `${redirectUri}/`]) {
        const { status, json } = await at.redeem(code, { redirect_uri })
        expect(status).toBe(400)
        expect(json['error']).toMatch(/^invalid_(grant|request)$/)
      }
      expectOk(await direct.redeem(code))
    },
    mutation: acceptRefused(atToken),
  },
  'rfc6749-4.3.2-no-password': {
    async test(at) {
      const form = { grant_type: 'password', username: 'somebody@example.com', password: 'x' }
      expectError(await at.token(form), 400, 'unsupported_grant_type')
    },
    mutation: acceptRefused(atToken),
  },
  'rfc6749-4.4-confidential-only': {
    async test(at) {
      const form = { grant_type: 'client_credentials', client_id: at.world.app.appId }
      const { status, json } = await at.token(form, null)
      expect([status, json['error']]).toEqual([
        expect.toSatisfy((is) => is === 400 || is === 401),
        expect.stringMatching(/^invalid_(client|request)$/),
      ])
    },
    mutation: acceptRefused(atToken),
  },
  'rfc6749-4.4.3-no-refresh-token': {
    async test(at) {
      const { json } = await at.token({ grant_type: 'client_credentials' })
      expect(json).toHaveProperty('access_token')
      expect(json).not.toHaveProperty('refresh_token')
    },
    mutation: setMember(atToken, 'refresh_token', 'stoa_rt_x'),
  },
} satisfies Cases

function expectErrorPageOrBack(reply: Parameters<typeof expectErrorPage>[0], name: string): void {
  const { location } = reply.headers
  const refused = location === undefined ? reply.status === 400 : /[?&]error=invalid_request/.test(location)
  expect(refused, `${name} twice: ${reply.status} ${location}`).toBe(true)
}
