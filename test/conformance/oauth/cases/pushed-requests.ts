import { expect } from 'vitest'
import { type Actor, basic, type Parameters, type Reply } from '../actor.ts'
import { expectError, expectOk, expectPage, textOf } from '../expectations.ts'
import { acceptRefused, dropMember, editJson, refuse, setStatus } from '../mutations.ts'
import { assertionForm, makeAssertion, publishKeyed } from '../proofs.ts'
import type { Cases } from '../run-cases.ts'
import type { Mutation } from '../tampering-proxy.ts'
import type { App } from '../world.ts'

const atPar = '/oauth/par'
const metadata = '/.well-known/oauth-authorization-server'
const accepted = acceptRefused(
  atPar,
  '{"request_uri":"urn:ietf:params:oauth:request_uri:x","expires_in":60}',
  201,
)

/** The parameters of an authorization request, pushed. */
async function push(at: Actor, changes: Parameters = {}, app: App | null = at.world.app): Promise<Reply> {
  const { path } = await at.authorization({}, app ?? at.world.app)
  const form = Object.fromEntries(new URL(path, at.world.issuer).searchParams)
  const headers = app === null ? {} : { authorization: basic(app) }
  return at.send('POST', atPar, { form: { ...form, ...changes }, headers })
}

async function openPushed(at: Actor, request_uri: unknown, client_id = at.world.app.appId): Promise<Reply> {
  const query = { request_uri: String(request_uri), client_id }
  return at.send('GET', '/oauth/authorize', { query, headers: { accept: 'text/html' } })
}

/** Nothing that lets the browser go on to sign-in or to a code. */
function expectNoWayOn(reply: Reply): void {
  const location = textOf(reply.headers['location'])
  expect([/\/sign-in\/|[?&]code=/.test(location), reply.status === 400 || /error=/.test(location)]).toEqual([
    false,
    true,
  ])
}

/** A server that goes on to sign-in with whatever it is given. */
const goesOnAnyway: Mutation = {
  what: '/oauth/authorize goes on with every request',
  response(response, request) {
    if (request.path !== '/oauth/authorize') return
    Object.assign(response, { status: 303, headers: { location: '/sign-in/anything' }, body: '' })
  },
}

/** RFC 9126, and client assertions. */
export const pushedRequestCases = {
  'rfc9126-2-audience': {
    async test(at) {
      const app = await publishKeyed(at.world, 'Keyed for PAR')
      for (const aud of [at.world.issuer, `${at.world.issuer}/oauth/token`, `${at.world.issuer}${atPar}`]) {
        const { path } = await at.authorization({}, app)
        const form = Object.fromEntries(new URL(path, at.world.issuer).searchParams)
        const assertion = assertionForm(await makeAssertion(at.world, app, { aud }))
        const { status, text } = await at.send('POST', atPar, { form: { ...form, ...assertion } })
        expect(status, `${aud}: ${text}`).toBe(201)
      }
    },
    mutation: setStatus(atPar, 401, 201),
  },
  'rfc9126-2.1-client-authentication': {
    async test(at) {
      const wrong = { ...at.world.app, clientSecret: 'x' }
      expectError(await push(at, {}, wrong), 401, 'invalid_client')
      expect((await push(at, {}, null)).status).toBeGreaterThanOrEqual(400)
    },
    mutation: accepted,
  },
  'rfc9126-2.1-no-request-uri': {
    async test(at) {
      const request_uri = 'urn:ietf:params:oauth:request_uri:x'
      const { status, json } = await push(at, { request_uri })
      expect([status, textOf(json['error'])]).toEqual([
        400,
        expect.stringMatching(/^(invalid_request|request_uri_not_supported)$/),
      ])
    },
    mutation: accepted,
  },
  'rfc9126-2.1-validates': {
    async test(at) {
      for (const changes of [
        { redirect_uri: 'https://evil.example.com/callback' },
        { scope: 'customer:read' },
        { code_challenge: null, code_challenge_method: null },
      ])
        expect((await push(at, changes)).status).toBe(400)
    },
    mutation: accepted,
  },
  'rfc9126-2.2-created': {
    async test(at) {
      const { status, headers, json } = await push(at)
      expect([status, headers['cache-control']]).toEqual([201, expect.stringContaining('no-store')])
      expect([textOf(json['request_uri']), json['expires_in']]).toEqual([expect.stringMatching(/^urn:/), 60])
      expectPage(await openPushed(at, json['request_uri']))
    },
    mutation: setStatus(atPar, 200, 201),
  },
  'rfc9126-2.2-unpredictable': {
    async test(at) {
      const uris = [await push(at), await push(at)].map(({ json }) => textOf(json['request_uri']))
      // 43 characters of base64url are 256 bits, 22 are 128.
      for (const uri of uris) expect(uri).toMatch(/:[\w-]{22,}$/)
      expect(uris[0]).not.toBe(uris[1])
    },
    mutation: editJson(atPar, 'short request URIs', (body) => {
      body['request_uri'] = 'urn:ietf:params:oauth:request_uri:1'
    }),
  },
  'rfc9126-2.2-client-bound': {
    async test(at, direct) {
      const { json } = await push(direct)
      expectNoWayOn(await openPushed(at, json['request_uri'], at.world.other.appId))
    },
    mutation: goesOnAnyway,
  },
  'rfc9126-2.3-method': {
    async test(at) {
      const { status, headers } = await at.send('GET', atPar)
      expect([status, textOf(headers['allow'])]).toEqual([405, expect.stringContaining('POST')])
    },
    mutation: setStatus(atPar, 200, 405),
  },
  'rfc9126-4-one-time': {
    async test(at, direct) {
      const uri = textOf((await push(direct)).json['request_uri'])
      const authorization = await direct.authorization()
      const path = `/oauth/authorize?${new URLSearchParams({ request_uri: uri, client_id: at.world.app.appId })}`
      expect((await direct.back({ ...authorization, path }))?.searchParams.has('code')).toBe(true)
      expectNoWayOn(await openPushed(at, uri))
    },
    mutation: goesOnAnyway,
  },
  'rfc9126-4-expired': {
    async test(at, direct) {
      const uri = (await push(direct)).json['request_uri']
      expectPage(await at.world.later(50_000, () => openPushed(direct, uri)))
      await at.world.later(61_000, async () => expectNoWayOn(await openPushed(at, uri)))
    },
    mutation: goesOnAnyway,
  },
  'rfc9126-5-metadata': {
    async test(at) {
      const { json } = await at.send('GET', metadata)
      expect(json['pushed_authorization_request_endpoint']).toBe(`${at.world.issuer}${atPar}`)
    },
    mutation: dropMember(metadata, 'pushed_authorization_request_endpoint'),
  },
  'rfc9126-6-required': {
    async test(at) {
      const app = await at.world.publish({ name: 'Always pushes' })
      await app.publisher.owner.api.call('PUT', `/developer/v1/apps/${app.appId}/settings`, {
        redirectUris: [],
        requirePushedRequest: true,
      })
      expectNoWayOn(await at.open(await at.authorization({}, app)))
      const { json } = await push(at, {}, app)
      expectPage(await openPushed(at, json['request_uri'], app.appId))
    },
    mutation: goesOnAnyway,
  },
  'rfc9700-2.5-asymmetric': {
    async test(at) {
      const app = await publishKeyed(at.world, 'Keyed alone')
      const form = { grant_type: 'client_credentials', ...assertionForm(await makeAssertion(at.world, app)) }
      expectOk(await at.token(form, null))
    },
    mutation: refuse('/oauth/token', 401, 'invalid_client'),
  },
} satisfies Cases
