import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sql } from '../../../src/db/index.ts'
import { isWellFormedToken, limits } from '../../../src/kernel/index.ts'
import { startTestPlatform, type TestPlatform } from '../../support/platform.ts'
import { makeStory, type Story, type TestApp, type TestMerchant, type Tokens } from '../../support/story.ts'
import { basic, post } from './flow.ts'

let at: TestPlatform
let story: Story
let app: TestApp
let as: oauth.AuthorizationServer
let merchant: TestMerchant
let installationId: string
const http = { [oauth.allowInsecureRequests]: true } as const
const grantType = 'urn:ietf:params:oauth:grant-type:token-exchange'
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'
const sessionTokenType = 'urn:stoa:params:oauth:token-type:session_token'
const bound = { type: 'refund', max_amount_per_day: 1_000, currency: 'CNY' }

beforeAll(async () => {
  at = await startTestPlatform()
  story = makeStory(at)
  const manifest = { required: ['order:read'], optional: ['order:write', 'order:refund'], details: [bound] }
  app = await story.publish(await story.publisher(), { manifest })
  merchant = await story.merchant()
  installationId = await story.install(merchant, app, ['order:write', 'order:refund'])
  const issuer = new URL(at.baseUrl)
  as = await oauth.processDiscoveryResponse(
    issuer,
    await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...http }),
  )
})
afterAll(() => at.close())

interface SessionToken {
  readonly token: string
  readonly tokenType: string
  readonly expiresAt: string
}

const mint = (person = merchant.owner, id = installationId) =>
  person.api.call<SessionToken>('POST', `/merchant/v1/installations/${id}/session-tokens`)

interface Exchanged extends Tokens {
  readonly issued_token_type: string
  readonly expires_in: number
  readonly token_type: string
}

/** The exchange as a client library sends it, and what it answers. */
async function exchange(
  subject: string,
  parameters: Record<string, string> = {},
  by = app,
): Promise<Response> {
  const type = subject.startsWith('stoa_st_') ? sessionTokenType : accessTokenType
  const request = new URLSearchParams({ subject_token: subject, subject_token_type: type, ...parameters })
  const client = { client_id: by.appId }
  const auth = oauth.ClientSecretBasic(by.clientSecret)
  return oauth.genericTokenEndpointRequest(as, client, auth, grantType, request, http)
}

async function exchanged(subject: string, parameters: Record<string, string> = {}): Promise<Exchanged> {
  const response = await exchange(subject, parameters)
  const client = { client_id: app.appId }
  return (await oauth.processGenericTokenEndpointResponse(as, client, response)) as unknown as Exchanged
}

async function expectError(response: Response, error: string): Promise<void> {
  expect([response.status, ((await response.json()) as { error: string }).error]).toEqual([400, error])
}

async function introspect(token: string, by = app): Promise<Record<string, unknown>> {
  const world = { publicUrl: at.baseUrl }
  const response = await post(world, '/oauth/introspect', { token }, basic(by.appId, by.clientSecret))
  return (await response.json()) as Record<string, unknown>
}

const statusOf = async (token: string) => (await at.bearer(token).request('GET', '/v1/orders')).status

describe('a session token', () => {
  test('is given to a member of whatever role, for 60 seconds, and kept as a hash alone', async () => {
    const staff = await story.member(merchant.merchantId, 'staff')
    const { token, tokenType, expiresAt } = await mint(staff)
    expect(isWellFormedToken('sessionToken', token)).toBe(true)
    expect(tokenType).toBe(sessionTokenType)
    expect(Date.parse(expiresAt) - at.clock.nowMs()).toBeLessThanOrEqual(limits.sessionTokenMs)
    const rows = JSON.stringify(await at.db.queries.oauthToken.findMany({ where: { kind: 'SessionToken' } }))
    expect(rows).not.toContain(token)
  })

  test('opens nothing itself', async () => {
    const { token } = await mint()
    expect(await statusOf(token)).toBe(401)
    expect(await introspect(token)).toEqual({ active: false })
  })

  test('of an installation that is not theirs is not there', async () => {
    const stranger = (await story.merchant()).owner
    const path = `/merchant/v1/installations/${installationId}/session-tokens`
    expect((await stranger.api.refused('POST', path, 404)).code).toBe('oauth.installation_not_found')
  })

  test('comes from the host too, for a member or for nobody in particular', async () => {
    const path = `/host/v1/installations/${installationId}/session-tokens`
    const { token } = await at.host.call<SessionToken>('POST', path, {})
    const nobody = await exchanged(token)
    expect(await introspect(nobody.access_token)).not.toHaveProperty('person_id')
    await expectError(await exchange(token, { access_type: 'online' }), 'invalid_request')
    const { personId } = merchant.owner
    const named = await at.host.call<SessionToken>('POST', path, { personId })
    await exchanged(named.token, { access_type: 'online' })
    const stranger = await at.person()
    const problem = await at.host.refused('POST', path, 404, { json: { personId: stranger.personId } })
    expect(problem.code).toBe('oauth.person_not_member')
  })
})

describe('the exchange of a session token', () => {
  test('gives an access token of the person at the same installation, without refresh token', async () => {
    const tokens = await exchanged((await mint()).token)
    expect(tokens).toEqual({
      access_token: expect.stringMatching(/^stoa_at_/),
      issued_token_type: accessTokenType,
      token_type: 'bearer',
      expires_in: 600,
      scope: expect.any(String),
      merchant_id: merchant.merchantId,
      installation_id: installationId,
      authorization_details: [bound],
    })
    expect(tokens.scope.split(' ').sort()).toEqual(['order:read', 'order:refund', 'order:write'])
    expect(await statusOf(tokens.access_token)).toBe(200)
    const people = () =>
      sql<{ person_id: string }>(
        at.db.queries,
        'select person_id from access_record where installation_id = $1 and person_id is not null and merchant_id = $2',
        installationId,
        merchant.merchantId,
      )
    // Records of reads are written in groups.
    await expect.poll(async () => (await people())[0]?.person_id).toBe(merchant.owner.personId)
    expect(await introspect(tokens.access_token)).toMatchObject({
      ...{ active: true, client_id: app.appId, act: { client_id: app.appId } },
      installation_id: installationId,
    })
  })

  test('gives the installation’s own token when that is asked for: it stays when the person leaves', async () => {
    const staff = await story.member(merchant.merchantId, 'staff')
    const { token } = await mint(staff)
    const [online, offline] = [await exchanged(token), await exchanged(token, { access_type: 'offline' })]
    await at.host.call('DELETE', `/host/v1/merchants/${merchant.merchantId}/members/${staff.personId}`)
    at.clock.advance(limits.accessTokenCacheMs + 1)
    expect([await statusOf(online.access_token), await statusOf(offline.access_token)]).toEqual([401, 200])
    await expectError(await exchange(token), 'invalid_request')
  })

  test('ends with the personal token or session by which the session token came', async () => {
    const staff = await story.member(merchant.merchantId, 'staff')
    const { access_token } = await exchanged((await mint(staff)).token)
    expect(await statusOf(access_token)).toBe(200)
    await sql(
      at.db.queries,
      'update personal_token set revoked_at = now() where person_id = $1',
      staff.personId,
    )
    at.clock.advance(limits.accessTokenCacheMs + 1)
    expect(await statusOf(access_token)).toBe(401)
  })

  test('is over after 60 seconds, and what it gave after 10 minutes', async () => {
    const { token } = await mint()
    const { access_token } = await exchanged(token)
    at.clock.advance(limits.sessionTokenMs)
    await expectError(await exchange(token), 'invalid_request')
    expect(await statusOf(access_token)).toBe(200)
    at.clock.advance(limits.exchangedTokenMs)
    expect(await statusOf(access_token)).toBe(401)
  })

  test('follows the merchant: what was withdrawn meanwhile is not given, and nothing after uninstalling', async () => {
    const own = await story.merchant()
    const id = await story.install(own, app, ['order:write'])
    const { token } = await mint(own.owner, id)
    await story.install(own, app)
    expect((await exchanged(token)).scope).toBe('order:read')
    await expectError(await exchange(token, { scope: 'order:write' }), 'invalid_scope')
    await own.owner.api.call('DELETE', `/merchant/v1/installations/${id}`)
    await expectError(await exchange(token), 'invalid_request')
  })
})

describe('the exchange of an access token', () => {
  test('narrows it and grows the act chain, up to four', async () => {
    let { access_token: token } = await exchanged((await mint()).token)
    for (let depth = 2; depth <= limits.exchangeDepthMax; depth += 1) {
      const next = await exchanged(token, { scope: 'order:read' })
      expect(next.scope).toBe('order:read')
      token = next.access_token
    }
    const self = { client_id: app.appId }
    expect(await introspect(token)).toMatchObject({
      act: { ...self, act: { ...self, act: { ...self, act: self } } },
    })
    await expectError(await exchange(token), 'invalid_request')
  })

  test('never lives longer than what it is made of', async () => {
    const first = await exchanged((await mint()).token)
    const { exp } = await introspect(first.access_token)
    let token = first.access_token
    for (let depth = 2; depth <= limits.exchangeDepthMax; depth += 1)
      token = (await exchanged(token)).access_token
    const last = await introspect(token)
    expect(last['exp'] as number).toBeLessThanOrEqual(exp as number)
    const rows = await sql<{ expires_at: Date }>(
      at.db.queries,
      `select t.expires_at from oauth_token t where t.kind = 'AccessToken' and t.grant_id = (
         select grant_id from oauth_token where kind = 'AccessToken' order by created_at desc limit 1)
       order by t.created_at`,
    )
    const ends = rows.map(({ expires_at: at }) => at.getTime())
    expect(ends).toHaveLength(limits.exchangeDepthMax)
    expect(ends.toSorted((one, other) => other - one)).toEqual(ends)
  })

  test('of a code flow’s token works as well; a revoked one is refused, and the refresh token takes all along', async () => {
    const own = await story.merchant()
    const tokens = await story.connect(own, app)
    const narrow = await exchanged(tokens.access_token, { scope: 'order:read' })
    expect(narrow.installation_id).toBe(tokens.installation_id)
    const revoke = async (token: string) =>
      post({ publicUrl: at.baseUrl }, '/oauth/revoke', { token }, basic(app.appId, app.clientSecret))
    await revoke(tokens.access_token)
    await expectError(await exchange(tokens.access_token), 'invalid_request')
    expect(await statusOf(narrow.access_token)).toBe(200)
    await revoke(tokens.refresh_token)
    expect(await statusOf(narrow.access_token)).toBe(401)
  })

  test('does not turn a person’s token into the installation’s, nor the other way round', async () => {
    const online = await exchanged((await mint()).token)
    await expectError(await exchange(online.access_token, { access_type: 'offline' }), 'invalid_request')
    const offline = await story.connect(await story.merchant(), app)
    await expectError(await exchange(offline.access_token, { access_type: 'online' }), 'invalid_request')
  })
})

describe('is refused', () => {
  test.each<[string, Record<string, string>, string]>([
    ['a wider scope', { scope: 'order:read customer:read' }, 'invalid_scope'],
    ['openid, which is not exchanged for', { scope: 'openid order:read' }, 'invalid_scope'],
    ['another resource', { resource: 'https://elsewhere.example.com/' }, 'invalid_target'],
    ['another audience', { audience: 'https://elsewhere.example.com/' }, 'invalid_target'],
    [
      'a refresh token',
      { requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' },
      'invalid_request',
    ],
    ['an actor token', { actor_token: 'x', actor_token_type: accessTokenType }, 'invalid_request'],
    [
      'an unknown subject type',
      { subject_token_type: 'urn:ietf:params:oauth:token-type:jwt' },
      'invalid_request',
    ],
    ['a session token as an access token', { subject_token_type: accessTokenType }, 'invalid_request'],
    ['an access type that is none', { access_type: 'always' }, 'invalid_request'],
    [
      'a wider bound',
      { authorization_details: JSON.stringify([{ ...bound, max_amount_per_day: 1_001 }]) },
      'invalid_authorization_details',
    ],
  ])('%s', async (_what, parameters, error) => {
    await expectError(await exchange((await mint()).token, parameters), error)
  })

  test('whatever is no token of ours, a refresh token and client credentials', async () => {
    const own = await story.connect(await story.merchant(), app)
    const credentials = await post(
      { publicUrl: at.baseUrl },
      '/oauth/token',
      { grant_type: 'client_credentials' },
      basic(app.appId, app.clientSecret),
    )
    const { access_token } = (await credentials.json()) as Tokens
    for (const subject of ['nonsense', own.refresh_token, access_token])
      await expectError(await exchange(subject), 'invalid_request')
    await expectError(
      await post(
        { publicUrl: at.baseUrl },
        '/oauth/token',
        { grant_type: grantType },
        basic(app.appId, app.clientSecret),
      ),
      'invalid_request',
    )
  })

  test('another app’s session token and access token: the same answer as for none', async () => {
    const other = await story.publish(app.publisher, { manifest: { required: ['order:read'] } })
    await story.install(merchant, other)
    const { token } = await mint()
    const { access_token } = await exchanged(token)
    for (const subject of [token, access_token]) {
      const stolen = await exchange(subject, {}, other)
      const unknown = await exchange('stoa_at_nonsense', {}, other)
      expect(await stolen.json()).toEqual(await unknown.json())
    }
    expect(await statusOf(access_token)).toBe(200)
  })

  test('without the client’s secret', async () => {
    const { token } = await mint()
    const members = {
      grant_type: grantType,
      client_id: app.appId,
      subject_token: token,
      subject_token_type: sessionTokenType,
    }
    expect((await post({ publicUrl: at.baseUrl }, '/oauth/token', members)).status).toBe(401)
  })
})

test('a narrower bound is granted for the token alone', async () => {
  const narrow = { ...bound, max_amount_per_day: 1 }
  const tokens = await exchanged((await mint()).token, { authorization_details: JSON.stringify([narrow]) })
  expect(tokens.authorization_details).toEqual([narrow])
  const problem = await at
    .bearer(tokens.access_token)
    .refused('POST', '/v1/orders/ord_01JD0000000000000000000001:refund', 403, {
      json: { amount: { amount: 2, currency: 'CNY' } },
    })
  expect(problem.code).toBe('capability.bound_exceeded')
  expect((await exchanged((await mint()).token)).authorization_details).toEqual([bound])
})
