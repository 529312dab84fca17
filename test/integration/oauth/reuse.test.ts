import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestPlatform, type TestPlatform } from '../../support/platform.ts'
import {
  allow,
  makeStory,
  redirectUri,
  type Story,
  startCodeFlow,
  type TestApp,
  type TestMerchant,
  type Tokens,
} from '../../support/story.ts'
import { basic, post } from './flow.ts'

let at: TestPlatform
let story: Story
let app: TestApp
let merchant: TestMerchant

beforeAll(async () => {
  at = await startTestPlatform()
  story = makeStory(at)
  app = await story.publish(await story.publisher(), {
    name: 'Printer',
    manifest: { required: ['order:read'] },
  })
  merchant = await story.merchant('Quiet Teas')
})
afterAll(() => at.close())

function refresh(token: string, by = app): Promise<Response> {
  const members = { grant_type: 'refresh_token', refresh_token: token }
  return post({ publicUrl: at.baseUrl }, '/oauth/token', members, basic(by.appId, by.clientSecret))
}

async function rotated(token: string): Promise<Tokens> {
  const response = await refresh(token)
  expect(response.status).toBe(200)
  // Two tokens of the same millisecond have no order that anybody would know.
  at.clock.advance(1_000)
  return (await response.json()) as Tokens
}

interface Authorization {
  readonly id: string
  readonly installationId: string
  readonly state: string
  readonly endReason: string | null
  readonly refreshTokens: number
  readonly tokens: readonly {
    readonly number: number
    readonly kind: string
    readonly state: string
    readonly successor: number | null
  }[]
}

const ofApp = () => `/developer/v1/apps/${app.appId}/authorizations`

async function newestOf(installationId: string): Promise<Authorization> {
  const { data } = await app.publisher.owner.api.call<{ data: Authorization[] }>('GET', ofApp())
  const [newest] = data.filter((one) => one.installationId === installationId)
  return app.publisher.owner.api.call<Authorization>('GET', `${ofApp()}/${newest?.id}`)
}

interface Notice {
  readonly kind: string
  readonly title: { readonly en: string }
  readonly data: { readonly authorizationId?: string }
}

const noticesOf = async (authorizationId: string) => {
  const lists = await Promise.all([
    app.publisher.owner.api.call<{ data: Notice[] }>('GET', '/developer/v1/notices'),
    merchant.owner.api.call<{ data: Notice[] }>(
      'GET',
      `/merchant/v1/merchants/${merchant.merchantId}/notices`,
    ),
  ])
  return lists.map(({ data }) => data.filter((notice) => notice.data.authorizationId === authorizationId))
}

describe('a refresh token that comes after its successor was used', () => {
  test('ends its authorization alone, and developer and merchant are told once, each in their words', async () => {
    const [first, other] = [await story.connect(merchant, app), await story.connect(merchant, app)]
    at.clock.advance(1_000)
    const second = await rotated(first.refresh_token)
    const third = await rotated(second.refresh_token)
    for (const token of [first.refresh_token, first.refresh_token, second.refresh_token, third.refresh_token])
      expect(await (await refresh(token)).json()).toMatchObject({ error: 'invalid_grant' })
    expect((await refresh(other.refresh_token)).status).toBe(200)

    const { data } = await app.publisher.owner.api.call<{ data: Authorization[] }>('GET', ofApp())
    const ended = data.find(({ endReason }) => endReason === 'reused')
    expect(ended).toMatchObject({ state: 'ended', refreshTokens: 3 })
    const [toDeveloper, toMerchant] = await noticesOf(ended?.id ?? '')
    expect(toDeveloper).toMatchObject([
      { kind: 'refresh_token.reused', title: { en: 'A refresh token of Printer was used twice' } },
    ])
    expect(toMerchant).toMatchObject([
      { kind: 'app_access.ended', title: { en: 'Printer was signed out for safety' } },
    ])
    const installation = await merchant.owner.api.call(
      'GET',
      `/merchant/v1/installations/${ended?.installationId}`,
    )
    expect(installation['state']).toBe('active')
  })

  test('of many at once tells once', async () => {
    const first = await story.connect(merchant, app)
    const second = await rotated(first.refresh_token)
    await rotated(second.refresh_token)
    await Promise.all(Array.from({ length: 10 }, () => refresh(first.refresh_token)))
    const { id } = await newestOf(first.installation_id)
    expect((await noticesOf(id)).map((list) => list.length)).toEqual([1, 1])
  })

  test('a merchant marks the notice as read', async () => {
    const path = `/merchant/v1/merchants/${merchant.merchantId}/notices?unread=true`
    const unread = await merchant.owner.api.call<{ data: (Notice & { id: string })[] }>('GET', path)
    const [one] = unread.data
    await merchant.owner.api.call('POST', `/merchant/v1/notices/${one?.id}:read`)
    const after = await merchant.owner.api.call<{ data: object[] }>('GET', path)
    expect(after.data).toHaveLength(unread.data.length - 1)
    const stranger = (await story.merchant()).owner
    const problem = await stranger.api.refused('POST', `/merchant/v1/notices/${one?.id}:read`, 404)
    expect(problem.code).toBe('notices.not_found')
  })
})

describe('the tree of an authorization', () => {
  test('shows developer and merchant each token with its one successor, and no secret', async () => {
    const own = await story.merchant()
    const first = await story.connect(own, app)
    at.clock.advance(1_000)
    const third = await rotated((await rotated(first.refresh_token)).refresh_token)
    const tree = await newestOf(first.installation_id)
    const chain = tree.tokens
      .filter(({ kind }) => kind === 'refresh_token')
      .map(({ number, state, successor }) => [number, state, successor])
    expect(chain).toEqual([
      [5, 'live', null],
      [3, 'used', 5],
      [1, 'used', 3],
    ])
    expect(tree.tokens.filter(({ kind }) => kind === 'access_token')).toHaveLength(3)

    const list = await own.owner.api.call<{ data: Authorization[] }>(
      'GET',
      `/merchant/v1/installations/${first.installation_id}/authorizations`,
    )
    expect(list.data.map(({ id }) => id)).toEqual([tree.id])
    expect(await own.owner.api.call('GET', `/merchant/v1/authorizations/${tree.id}`)).toEqual(tree)
    const text = JSON.stringify([tree, list])
    const rows = await at.db.queries.oauthToken.findMany({ where: { grantId: tree.id } })
    for (const secret of [third.refresh_token, third.access_token, ...rows.map(({ hash }) => hash)])
      expect(text).not.toContain(secret)
  })

  test('says why it is over', async () => {
    const own = await story.merchant()
    const tokens = await story.connect(own, app)
    await post(
      { publicUrl: at.baseUrl },
      '/oauth/revoke',
      { token: tokens.refresh_token },
      basic(app.appId, app.clientSecret),
    )
    expect(await newestOf(tokens.installation_id)).toMatchObject({ state: 'ended', endReason: 'revoked' })
    const again = await story.connect(own, app)
    await own.owner.api.call('DELETE', `/merchant/v1/installations/${again.installation_id}`)
    expect(await newestOf(again.installation_id)).toMatchObject({ state: 'ended', endReason: 'uninstalled' })
    const person = await story.merchant()
    const online = await story.connect(person, app, [], { access_type: 'online' })
    await at.host.call('DELETE', `/host/v1/merchants/${person.merchantId}/members/${person.owner.personId}`)
    const gone = await newestOf(online.installation_id)
    expect(gone).toMatchObject({ state: 'ended', endReason: 'person_gone' })
    expect(gone.tokens.map(({ state }) => state)).toEqual(['revoked', 'revoked'])
  })

  test('of somebody else is not there', async () => {
    const tokens = await story.connect(await story.merchant(), app)
    const { id } = await newestOf(tokens.installation_id)
    const stranger = await story.publish(await story.publisher())
    const elsewhere = `/developer/v1/apps/${stranger.appId}/authorizations`
    const { api } = stranger.publisher.owner
    for (const path of [`${ofApp()}/${id}`, `${elsewhere}/${id}`])
      expect((await api.refused('GET', path, 404)).code).toBe('oauth.authorization_not_found')
    expect((await api.refused('GET', ofApp(), 404)).code).toBe('capability.not_found')
    const other = (await story.merchant()).owner.api
    expect((await other.refused('GET', `/merchant/v1/authorizations/${id}`, 404)).code).toBe(
      'oauth.authorization_not_found',
    )
    const list = `/merchant/v1/installations/${tokens.installation_id}/authorizations`
    expect((await other.refused('GET', list, 404)).code).toBe('capability.not_found')
  })

  test('comes in pages', async () => {
    const own = await story.merchant()
    for (let i = 0; i < 3; i += 1) await story.connect(own, app)
    const [installation] = (
      await own.owner.api.call<{ data: { id: string }[] }>(
        'GET',
        `/merchant/v1/merchants/${own.merchantId}/installations`,
      )
    ).data
    const path = `/merchant/v1/installations/${installation?.id}/authorizations`
    type Page = { data: { id: string }[]; hasMore: boolean; nextCursor: string | null }
    const one = await own.owner.api.call<Page>('GET', `${path}?limit=2`)
    const two = await own.owner.api.call<Page>('GET', `${path}?limit=2&after=${one.nextCursor}`)
    expect([one.data.length, one.hasMore, two.data.length, two.hasMore]).toEqual([2, true, 1, false])
    expect(new Set([...one.data, ...two.data].map(({ id }) => id)).size).toBe(3)
  })
})

describe('a code', () => {
  test('used by twenty at once gives tokens to one, and ends them, each time', async () => {
    for (let round = 0; round < 4; round += 1) {
      const flow = await startCodeFlow(at, app)
      const browser = at.browser(merchant.owner)
      const back = await allow(browser, await browser.follow(await browser.open(flow.path)))
      const client = { client_id: app.appId }
      const callback = oauth.validateAuthResponse(flow.as, client, back, flow.state)
      const members = {
        ...{ grant_type: 'authorization_code', code: callback.get('code') ?? '' },
        ...{ redirect_uri: redirectUri, code_verifier: flow.codeVerifier },
      }
      const responses = await Promise.all(
        Array.from({ length: 20 }, () =>
          post({ publicUrl: at.baseUrl }, '/oauth/token', members, basic(app.appId, app.clientSecret)),
        ),
      )
      const good = responses.filter(({ status }) => status === 200)
      expect(good).toHaveLength(1)
      const tokens = (await good[0]?.json()) as Tokens
      const { status } = await at.bearer(tokens.access_token).request('GET', '/v1/orders')
      expect(status).toBe(401)
      expect((await refresh(tokens.refresh_token)).status).toBe(400)
    }
  })
})
