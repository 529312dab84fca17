import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sql } from '../../../src/db/index.ts'
import { limits } from '../../../src/kernel/index.ts'
import { startTestPlatform, type TestPerson, type TestPlatform } from '../../support/platform.ts'
import {
  allow,
  type CodeFlow,
  makeStory,
  redirectUri,
  type Story,
  startCodeFlow,
  type TestApp,
  type TestMerchant,
} from '../../support/story.ts'

let at: TestPlatform
let story: Story
let app: TestApp
const http = { [oauth.allowInsecureRequests]: true } as const
const manifest = { required: ['order:read'], optional: ['order:write'], events: ['order.paid'] }

beforeAll(async () => {
  at = await startTestPlatform()
  story = makeStory(at)
  app = await story.publish(await story.publisher(), { manifest })
})
afterAll(() => at.close())

const clientOf = ({ appId }: TestApp): oauth.Client => ({ client_id: appId })
const authOf = ({ clientSecret }: TestApp) => oauth.ClientSecretBasic(clientSecret)

async function redeem(flow: CodeFlow, back: URL, by: TestApp, nonce?: string) {
  const callback = oauth.validateAuthResponse(flow.as, clientOf(by), back, flow.state)
  const request = [callback, redirectUri, flow.codeVerifier, http] as const
  const response = await oauth.authorizationCodeGrantRequest(flow.as, clientOf(by), authOf(by), ...request)
  const expected = nonce === undefined ? {} : { expectedNonce: nonce, requireIdToken: true }
  return oauth.processAuthorizationCodeResponse(flow.as, clientOf(by), response, expected)
}

/** A person signs in to an app that is installed at their merchant. */
async function signIn(person: TestPerson, by = app, scope = 'openid order:read') {
  const nonce = oauth.generateRandomNonce()
  const flow = await startCodeFlow(at, by, { scope, nonce })
  const browser = at.browser(person)
  const page = await browser.follow(await browser.open(flow.path))
  const back = await allow(browser, page)
  return { flow, page, tokens: await redeem(flow, back, by, nonce) }
}

async function installedAt(name?: string): Promise<TestMerchant> {
  const merchant = await story.merchant(name)
  await story.install(merchant, app)
  return merchant
}

const statusOf = async (token: string) => (await at.bearer(token).request('GET', '/v1/orders')).status

async function refresh(flow: CodeFlow, token: string, by = app): Promise<Response> {
  return oauth.refreshTokenGrantRequest(flow.as, clientOf(by), authOf(by), token, http)
}

async function endMembership({ merchantId }: TestMerchant, { personId }: TestPerson): Promise<void> {
  await at.host.call('DELETE', `/host/v1/merchants/${merchantId}/members/${personId}`)
}

describe('OpenID Connect', () => {
  test('tells an app who is there by an identifier of its own, verified by an independent client', async () => {
    const merchant = await installedAt()
    const staff = await story.member(merchant.merchantId, 'staff')
    const { flow, tokens } = await signIn(staff)
    const claims = oauth.getValidatedIdTokenClaims(tokens)
    expect(claims).toMatchObject({ iss: at.baseUrl, aud: app.appId })
    const sub = claims?.sub ?? ''
    expect(sub).toMatch(/^[\w-]{43}$/)
    expect(JSON.stringify(claims)).not.toContain(staff.personId)
    expect(JSON.stringify(claims)).not.toContain(staff.email)
    expect(tokens.scope?.split(' ').sort()).toEqual(['openid', 'order:read'])

    const userinfo = await oauth.userInfoRequest(flow.as, clientOf(app), tokens.access_token, http)
    expect(await oauth.processUserInfoResponse(flow.as, clientOf(app), sub, userinfo)).toEqual({ sub })
    expect(oauth.getValidatedIdTokenClaims((await signIn(staff)).tokens)?.sub).toBe(sub)

    const other = await story.publish(app.publisher, { manifest })
    await story.install(merchant, other)
    const elsewhere = oauth.getValidatedIdTokenClaims((await signIn(staff, other)).tokens)?.sub
    expect(elsewhere).not.toBe(sub)
    const introspection = await oauth.introspectionRequest(
      flow.as,
      clientOf(app),
      authOf(app),
      tokens.access_token,
      http,
    )
    expect(await introspection.json()).toMatchObject({ active: true, sub, scope: 'openid order:read' })
  })

  test('names nobody’s installation, and an installation’s token names nobody', async () => {
    const merchant = await installedAt()
    const offline = await story.connect(merchant, app)
    expect(offline.id_token).toBeUndefined()
    const answers = await Promise.all(
      [`Bearer ${offline.access_token}`, 'Bearer stoa_at_nonsense', 'DPoP stoa_at_nonsense', null].map(
        (authorization) =>
          fetch(`${at.baseUrl}/oauth/userinfo`, authorization === null ? {} : { headers: { authorization } }),
      ),
    )
    expect(answers.map(({ status }) => status)).toEqual([403, 401, 401, 401])
    expect(answers.map(({ headers }) => headers.get('www-authenticate'))).toEqual([
      'Bearer error="insufficient_scope", scope="openid"',
      'Bearer error="invalid_token"',
      'DPoP error="invalid_token", algs="ES256 EdDSA Ed25519 PS256 RS256"',
      'Bearer, DPoP algs="ES256 EdDSA Ed25519 PS256 RS256"',
    ])
  })

  test.each([
    ['openid for an installation', { scope: 'openid order:read', access_type: 'offline' }],
    ['an access type that is none', { access_type: 'always' }],
  ])('%s is invalid_request', async (_what, parameters) => {
    const flow = await startCodeFlow(at, app, parameters)
    const { location } = await at.browser().open(flow.path)
    expect(new URL(location ?? '').searchParams.get('error')).toBe('invalid_request')
  })
})

describe('signing in to an installed app', () => {
  test('asks a member of whatever role one question, changes no permission, and says whose it is', async () => {
    const merchant = await installedAt('Quiet Teas')
    const staff = await story.member(merchant.merchantId, 'staff')
    const { page, tokens } = await signIn(staff)
    expect(page.html).toContain('may do there what Quiet Teas has agreed to')
    expect(page.html).not.toContain('type="checkbox"')
    const [grant] = await sql<{ epoch: number; consents: number }>(
      at.db.queries,
      `select g.epoch, (select count(*)::int from consent c where c.merchant_id = g.merchant_id) as consents
       from "grant" g where g.merchant_id = $1`,
      merchant.merchantId,
    )
    expect(grant).toEqual({ epoch: 1, consents: 1 })
    await at.bearer(tokens.access_token).call('GET', '/v1/orders')
    const [row] = await sql<{ person_id: string | null; account_id: string }>(
      at.db.queries,
      'select g.person_id, g.account_id from oauth_grant g where g.person_id = $1',
      staff.personId,
    )
    expect(row).toEqual({ person_id: staff.personId, account_id: staff.personId })
  })

  test('in Chinese for whoever reads Chinese', async () => {
    const merchant = await installedAt()
    const flow = await startCodeFlow(at, app, { access_type: 'online' })
    const browser = at.browser(merchant.owner, 'zh-CN')
    const page = await browser.follow(await browser.open(flow.path))
    const chinese = await browser.open(`${new URL(page.url).pathname}?lang=zh-CN`)
    expect(chinese.html).toContain('已同意的权限范围内操作')
  })

  test('is the consent of a manager where the app is not installed, and the person’s token all the same', async () => {
    const merchant = await story.merchant()
    const { page, tokens } = await signIn(merchant.owner)
    expect(page.html).toContain('asks Green Leaf Tea for permission')
    expect(oauth.getValidatedIdTokenClaims(tokens)?.sub).toBeDefined()
    const staff = await story.member((await story.merchant()).merchantId, 'staff')
    const flow = await startCodeFlow(at, app, { scope: 'openid' })
    const browser = at.browser(staff)
    const asked = await browser.follow(await browser.open(flow.path))
    const refused = await browser.submit(asked, { decision: 'allow' })
    expect(refused.status).toBe(403)
    expect(refused.html).toContain('capability.role_required')
  })

  test('cannot be done at another merchant’s installation, nor answered for an offline request', async () => {
    const mine = await installedAt()
    const foreign = await installedAt()
    const foreignId = await sql<{ id: string }>(
      at.db.queries,
      'select id from installation where merchant_id = $1',
      foreign.merchantId,
    )
    const flow = await startCodeFlow(at, app, { access_type: 'online' })
    const browser = at.browser(mine.owner)
    const page = await browser.follow(await browser.open(flow.path))
    const planted = await browser.submit(page, { decision: 'allow', installation_id: foreignId[0]?.id ?? '' })
    expect(planted.html).toContain('install.not_found')

    const ownId = await sql<{ id: string }>(
      at.db.queries,
      'select id from installation where merchant_id = $1',
      mine.merchantId,
    )
    const offline = await startCodeFlow(at, app)
    const consent = await browser.follow(await browser.open(offline.path))
    const quiet = await browser.submit(consent, { decision: 'allow', installation_id: ownId[0]?.id ?? '' })
    expect(quiet.html).toContain('install.not_installed')
  })
})

describe('a person’s token is over', () => {
  async function signedIn() {
    const merchant = await installedAt()
    const staff = await story.member(merchant.merchantId, 'staff')
    const { flow, tokens } = await signIn(staff)
    expect(await statusOf(tokens.access_token)).toBe(200)
    return { merchant, staff, flow, tokens }
  }

  async function expectOver({ flow, tokens }: Awaited<ReturnType<typeof signedIn>>): Promise<void> {
    at.clock.advance(limits.accessTokenCacheMs + 1)
    expect(await statusOf(tokens.access_token)).toBe(401)
    const refreshed = await refresh(flow, tokens.refresh_token ?? '')
    expect([refreshed.status, ((await refreshed.json()) as { error: string }).error]).toEqual([
      400,
      'invalid_grant',
    ])
    const userinfo = await oauth.userInfoRequest(flow.as, clientOf(app), tokens.access_token, http)
    expect(userinfo.status).toBe(401)
    const introspection = await oauth.introspectionRequest(
      flow.as,
      clientOf(app),
      authOf(app),
      tokens.access_token,
      http,
    )
    expect(await introspection.json()).toEqual({ active: false })
  }

  test('with their sign-out', async () => {
    const world = await signedIn()
    const page = await at.browser(world.staff).open('/')
    const csrf = /name="csrf" value="([^"]+)"/.exec(page.html)?.[1] ?? ''
    const browser = at.browser(world.staff)
    await browser.post('/sign-out', { csrf })
    await expectOver(world)
  })

  test('with their membership', async () => {
    const world = await signedIn()
    await endMembership(world.merchant, world.staff)
    await expectOver(world)
  })

  test('when they are disabled', async () => {
    const world = await signedIn()
    await sql(at.db.queries, 'update person set disabled_at = now() where id = $1', world.staff.personId)
    await expectOver(world)
  })

  test('with the uninstallation, like every other', async () => {
    const world = await signedIn()
    const [row] = await sql<{ id: string }>(
      at.db.queries,
      'select id from installation where merchant_id = $1',
      world.merchant.merchantId,
    )
    await world.merchant.owner.api.call('DELETE', `/merchant/v1/installations/${row?.id}`)
    await expectOver(world)
  })

  test('and lives on by refresh as long as none of that happens', async () => {
    const { flow, tokens } = await signedIn()
    const response = await refresh(flow, tokens.refresh_token ?? '')
    const next = await oauth.processRefreshTokenResponse(flow.as, clientOf(app), response)
    expect(await statusOf(next.access_token)).toBe(200)
    expect(oauth.getValidatedIdTokenClaims(next)?.sub).toBe(oauth.getValidatedIdTokenClaims(tokens)?.sub)
  })
})

test('when the person who installed an app leaves, the installation’s tokens and events go on', async () => {
  const merchant = await story.merchant()
  const installer = await story.member(merchant.merchantId, 'manager')
  const tokens = await story.connect({ ...merchant, owner: installer }, app)
  const before = await signIn(installer)
  await endMembership(merchant, installer)
  await sql(at.db.queries, 'delete from session where person_id = $1', installer.personId)
  await sql(at.db.queries, 'update person set disabled_at = now() where id = $1', installer.personId)
  at.clock.advance(limits.accessTokenCacheMs + 1)
  expect(await statusOf(before.tokens.access_token)).toBe(401)
  expect(await statusOf(tokens.access_token)).toBe(200)

  const flow = await startCodeFlow(at, app)
  const response = await refresh(flow, tokens.refresh_token)
  const next = await oauth.processRefreshTokenResponse(flow.as, clientOf(app), response)
  expect(next['installation_id']).toBe(tokens.installation_id)
  expect(await statusOf(next.access_token)).toBe(200)

  const orders = `/host/v1/merchants/${merchant.merchantId}/orders`
  const lines = [{ name: 'Tea', quantity: 1, unitPrice: { amount: 100, currency: 'CNY' } }]
  const { id } = await at.host.call<{ id: string }>('POST', orders, { lines })
  await at.host.call('POST', `${orders}/${id}:pay`)
  await at.platform.events.relayNow()
  const [delivery] = await sql<{ state: string }>(
    at.db.queries,
    `select state from delivery where merchant_id = $1 and subject = $2`,
    merchant.merchantId,
    id,
  )
  expect(delivery?.state).toBe('pending')
})
