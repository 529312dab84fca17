import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CompiledOperation } from '../../../src/capability/index.ts'
import { mintToken, systemRandom, type TokenKind } from '../../../src/kernel/index.ts'
import type { ProblemBody, RequestOptions } from '../../support/api-client.ts'
import { startTestPlatform, type TestPerson, type TestPlatform } from '../../support/platform.ts'
import { leavingNothing } from '../../support/row-counts.ts'
import { makeStory } from '../../support/story.ts'
import { fill, makeTenant, type Tenant } from './tenants.ts'

let at: TestPlatform
let mine: Tenant
let stranger: TestPerson

beforeAll(async () => {
  at = await startTestPlatform()
  mine = await makeTenant(at)
  stranger = await at.person()
})
afterAll(() => at.close())

function guarded(): readonly CompiledOperation[] {
  return [...at.platform.catalog.operations.values()].filter(
    ({ operation }) => operation.access.kind !== 'public',
  )
}

function isBearerOnly({ operation: { audience } }: CompiledOperation): boolean {
  return audience === 'app' || audience === 'host'
}

/** The operation as far as its credential: no body, ids of my own. */
function knock(compiled: CompiledOperation, options: RequestOptions = {}) {
  const { method, path } = compiled.operation
  return at.anonymous.request<ProblemBody>(method, fill(path, mine.ids), options)
}

const algorithms = 'algs="ES256 EdDSA Ed25519 PS256 RS256"'
/** RFC 9449 §7.2, figure 17. */
const bothSchemes = () => `Bearer ${metadata()}, DPoP ${algorithms}, ${metadata()}`
const metadata = () => `resource_metadata="${at.baseUrl}/.well-known/oauth-protected-resource/v1"`

describe('every operation that is not public answers 401', () => {
  test('without a credential, and names the scheme', async () => {
    await leavingNothing(at, async () => {
      for (const compiled of guarded()) {
        const { status, headers, body } = await knock(compiled)
        const { id, audience } = compiled.operation
        expect([status, body.code], id).toEqual([401, 'capability.unauthenticated'])
        expect(headers['www-authenticate'], id).toBe(audience === 'app' ? bothSchemes() : 'Bearer')
      }
    })
  })

  test('with a credential that is none, or is of another kind', async () => {
    const mint = (kind: TokenKind) => `Bearer ${mintToken(kind, systemRandom)}`
    const credentials = [
      ...['Bearer x', 'Bearer', 'Basic YTpi', `Bearer ${at.hostKey}x`, 'bearer  '],
      ...[mint('accessToken'), mint('personalToken'), mint('session'), mint('hostKey')],
    ]
    for (const compiled of guarded()) {
      for (const authorization of credentials) {
        const { status, headers } = await knock(compiled, { headers: { authorization } })
        expect(status, `${compiled.operation.id} ${authorization}`).toBe(401)
        expect(headers['www-authenticate']).toMatch(/^Bearer error="invalid_token"/)
      }
    }
  })

  test('with the right credential of another part of the API', async () => {
    const tokens = { app: mine.accessToken, host: at.hostKey, person: await at.personalToken(stranger) }
    const kindOf = (audience: string) => (audience === 'app' || audience === 'host' ? audience : 'person')
    const foreign = guarded().flatMap((compiled) =>
      Object.entries(tokens)
        .filter(([kind]) => kind !== kindOf(compiled.operation.audience))
        .map(([kind, token]) => ({ compiled, kind, token })),
    )
    for (const { compiled, kind, token } of foreign) {
      const { status } = await knock(compiled, { headers: { authorization: `Bearer ${token}` } })
      expect(status, `${compiled.operation.id} with the credential of ${kind}`).toBe(401)
    }
  })
})

test('a wrong credential is an error on a public address too, never nobody', async () => {
  const { status } = await at.anonymous.request('GET', '/openapi.json', {
    headers: { authorization: 'Bearer x' },
  })
  expect(status).toBe(401)
})

describe('a personal token', () => {
  test('of other audiences is refused everywhere else', async () => {
    const owner = mine.merchant.owner
    const token = await at.personalToken(owner, { audiences: ['account'] })
    const api = at.bearer(token)
    expect((await api.request('GET', '/account/v1/me')).status).toBe(200)
    const refused = await api.refused('GET', `/merchant/v1/merchants/${mine.ids['merchantId']}/market`, 403)
    expect(refused.code).toBe('capability.wrong_credential')
  })

  test('of somebody without a role is refused with what it would take', async () => {
    const codes = new Set<string>()
    for (const compiled of guarded()) {
      const { audience, access, method, path, id } = compiled.operation
      if (!['publisher', 'merchant', 'staff'].includes(access.kind)) continue
      expect(audience, id).not.toBe('app')
      codes.add((await stranger.api.refused(method, fill(path, mine.ids), 403)).code)
    }
    expect([...codes]).toEqual(['capability.role_required'])
  })

  test('that has expired or was revoked is nobody’s', async () => {
    const short = await at.personalToken(stranger, { lifetimeMs: 60_000 })
    const revoked = await at.personalToken(stranger)
    const { data } = await at
      .bearer(revoked)
      .call<{ data: readonly { id: string; createdAt: string }[] }>('GET', '/account/v1/tokens')
    await stranger.api.call('DELETE', `/account/v1/tokens/${data.at(0)?.id}`)
    await stranger.api.call('DELETE', `/account/v1/tokens/${data.at(1)?.id}`).catch(() => undefined)
    at.clock.advance(61_000)
    const statuses = await Promise.all(
      [short, revoked].map(async (token) => (await at.bearer(token).request('GET', '/account/v1/me')).status),
    )
    expect(statuses).toContain(401)
    expect(statuses[0]).toBe(401)
  })
})

describe('an access token', () => {
  test('without the scope is refused with the scope that is missing', async () => {
    const story = makeStory(at)
    const app = await story.publish(mine.app.publisher, { manifest: { required: [] } })
    const { access_token } = await story.connect(mine.merchant, app)
    const { status, headers, body } = await at.bearer(access_token).request<ProblemBody>('GET', '/v1/orders')
    expect([status, body.code]).toEqual([403, 'capability.permission_not_granted'])
    expect(body.missingScopes).toEqual(['order:read'])
    expect(headers['www-authenticate']).toBe(
      `Bearer error="insufficient_scope", scope="order:read", ${metadata()}, DPoP ${algorithms}, ${metadata()}`,
    )
  })

  test('of the app itself acts for no merchant', async () => {
    const body = new URLSearchParams({ grant_type: 'client_credentials' })
    const basic = Buffer.from(`${mine.app.appId}:${mine.app.clientSecret}`).toString('base64')
    const { body: tokens } = await at.anonymous.request<{ access_token: string }>('POST', '/oauth/token', {
      raw: body.toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', authorization: `Basic ${basic}` },
    })
    const api = at.bearer(tokens.access_token)
    expect((await api.refused('GET', '/v1/orders', 403)).code).toBe('capability.installation_required')
    expect(await api.call('GET', '/v1/installations')).toMatchObject({
      data: [
        { installationId: mine.ids['installationId'], scopes: ['order:read', 'order:refund', 'order:write'] },
      ],
    })
  })

  test('that has expired is refused', async () => {
    const api = at.bearer(mine.accessToken)
    expect((await api.request('GET', '/v1/orders')).status).toBe(200)
    at.clock.advance(60 * 60 * 1000)
    const { status, headers } = await api.request('GET', '/v1/orders')
    expect(status).toBe(401)
    expect(headers['www-authenticate']).toBe(
      `Bearer error="invalid_token", error_description="the token is unknown, expired or revoked", ${metadata()}, DPoP ${algorithms}, ${metadata()}`,
    )
  })
})

describe('a session cookie', () => {
  const cookieOf = (person: TestPerson) => ({ cookie: `stoa_session=${person.session}` })

  test('is refused wherever a Bearer token is asked for, whoever it belongs to', async () => {
    const bearerOnly = guarded().filter(isBearerOnly)
    expect(bearerOnly.length).toBeGreaterThan(15)
    for (const compiled of bearerOnly) {
      const { status, body } = await knock(compiled, { headers: cookieOf(mine.merchant.owner) })
      expect([status, body.code], compiled.operation.id).toEqual([401, 'capability.unauthenticated'])
    }
  })

  test('is refused under another spelling of such an address', async () => {
    for (const path of [
      '/V1/orders',
      '/v1/Orders',
      '/v1/orders/',
      '//v1/orders',
      '/%761/orders',
      '/Host/v1/staff',
    ]) {
      const { status } = await at.anonymous.request('GET', path, { headers: cookieOf(mine.merchant.owner) })
      expect(status, path).toBe(404)
    }
  })

  test('reads without more, and writes only with the token of this very browser', async () => {
    const headers = cookieOf(stranger)
    const patch = (more: Record<string, string>) =>
      at.anonymous.request<ProblemBody>('PATCH', '/account/v1/me', {
        json: { displayName: 'Renamed' },
        headers: { ...headers, ...more },
      })
    expect((await at.anonymous.request('GET', '/account/v1/me', { headers })).status).toBe(200)
    const tokenOf = async (person: TestPerson) => {
      const { html } = await at.browser(person).open('/')
      return /name="csrf" value="([^"]+)"/.exec(html)?.[1] ?? ''
    }
    const foreign = await tokenOf(mine.merchant.owner)
    await leavingNothing(at, async () => {
      for (const more of [{}, { 'x-csrf-token': 'wrong' }, { 'x-csrf-token': foreign }]) {
        const { status, body } = await patch(more)
        expect([status, body.code]).toEqual([403, 'http.csrf_refused'])
      }
    })
    expect(await at.anonymous.request('GET', '/account/v1/me', { headers })).toMatchObject({
      body: { displayName: 'Somebody' },
    })
    expect((await patch({ 'x-csrf-token': await tokenOf(stranger) })).status).toBe(200)
  })

  test('is worth nothing once its person has signed out', async () => {
    const person = await at.person()
    const browser = at.browser(person)
    await browser.post('/sign-out', {
      csrf: /name="csrf" value="([^"]+)"/.exec((await browser.open('/')).html)?.[1] ?? '',
    })
    expect(browser.cookie('stoa_session')).toBeUndefined()
    const { status } = await at.anonymous.request('GET', '/account/v1/me', { headers: cookieOf(person) })
    expect(status).toBe(401)
  })
})
