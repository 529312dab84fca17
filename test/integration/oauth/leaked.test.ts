import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { limits, mintToken, systemRandom, tokenPrefixes } from '../../../src/kernel/index.ts'
import type { ProblemBody } from '../../support/api-client.ts'
import { startTestPlatform, type TestPlatform } from '../../support/platform.ts'
import { makeStory, type Story, type TestApp, type TestMerchant, type Tokens } from '../../support/story.ts'
import { watchStatements } from '../../support/watch-statements.ts'

let at: TestPlatform
let story: Story
beforeAll(async () => {
  at = await startTestPlatform()
  story = makeStory(at)
})
afterAll(() => at.close())

const report = (value: unknown) => at.anonymous.request('POST', '/oauth/leaked', { json: { value } })

interface Told {
  readonly kind: string
  readonly title: { readonly en: string }
  readonly text: { readonly en: string }
}

async function noticesAt(path: string, api: TestMerchant['owner']['api']): Promise<readonly Told[]> {
  return (await api.call<{ data: readonly Told[] }>('GET', path)).data
}
const toDeveloper = ({ publisher }: TestApp) => noticesAt('/developer/v1/notices', publisher.owner.api)
const toMerchant = ({ merchantId, owner }: TestMerchant) =>
  noticesAt(`/merchant/v1/merchants/${merchantId}/notices`, owner.api)

describe('what is handed in', () => {
  let merchant: TestMerchant
  let app: TestApp
  let tokens: Tokens
  beforeEach(async () => {
    merchant = await story.merchant()
    app = await story.publish(await story.publisher())
    tokens = await story.connect(merchant, app)
  })

  const works = async (token: string) => (await at.bearer(token).request('GET', '/v1/orders')).status === 200
  const token = async (members: Record<string, string>) => {
    const authorization = `Basic ${Buffer.from(`${app.appId}:${app.clientSecret}`).toString('base64')}`
    const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded' }
    const body = new URLSearchParams(members)
    return fetch(`${at.baseUrl}/oauth/token`, { method: 'POST', headers, body })
  }
  const refresh = (refreshToken: string) =>
    token({ grant_type: 'refresh_token', refresh_token: refreshToken })

  test('a client secret ends at once, and its publisher is told', async () => {
    expect((await token({ grant_type: 'client_credentials' })).status).toBe(200)
    expect((await report(app.clientSecret)).status).toBe(202)
    expect((await token({ grant_type: 'client_credentials' })).status).toBe(401)
    const [notice, ...others] = await toDeveloper(app)
    expect(others).toEqual([])
    expect(notice).toMatchObject({ kind: 'secret.leaked' })
    expect(notice?.text.en).toContain(`ending in ${app.clientSecret.slice(-4)}`)
    expect(JSON.stringify(notice)).not.toContain(app.clientSecret)
    expect(await toMerchant(merchant)).toEqual([])
  })

  test('an access token ends alone; publisher and merchant are told', async () => {
    expect(await works(tokens.access_token)).toBe(true)
    expect((await report(tokens.access_token)).status).toBe(202)
    expect(await works(tokens.access_token)).toBe(false)
    expect((await refresh(tokens.refresh_token)).status).toBe(200)
    for (const told of [await toDeveloper(app), await toMerchant(merchant)])
      expect(told).toMatchObject([{ kind: 'token.leaked' }])
  })

  test('a rotation whose access token has ended gives a live one to whoever asks again', async () => {
    const lost = (await (await refresh(tokens.refresh_token)).json()) as Tokens
    expect((await report(lost.access_token)).status).toBe(202)
    const again = (await (await refresh(tokens.refresh_token)).json()) as Tokens
    expect(again.refresh_token).toBe(lost.refresh_token)
    expect(again.access_token).not.toBe(lost.access_token)
    expect(await works(again.access_token)).toBe(true)
  })

  test('a refresh token ends its whole authorization and no other', async () => {
    const other = await story.connect(merchant, app)
    expect((await report(tokens.refresh_token)).status).toBe(202)
    expect(await works(tokens.access_token)).toBe(false)
    expect((await refresh(tokens.refresh_token)).status).toBe(400)
    expect(await works(other.access_token)).toBe(true)
    const [notice] = await toMerchant(merchant)
    expect(notice?.text.en).toContain('connected again')
  })

  test('a refresh token that is used up ends nothing; one whose answer may still be fetched does', async () => {
    const second = (await (await refresh(tokens.refresh_token)).json()) as Tokens
    const third = (await (await refresh(second.refresh_token)).json()) as Tokens
    await report(tokens.refresh_token)
    expect(await works(third.access_token)).toBe(true)
    expect(await toDeveloper(app)).toEqual([])
    await report(second.refresh_token)
    expect(await works(third.access_token)).toBe(false)
    expect(await toDeveloper(app)).toHaveLength(1)
  })

  test('twice, or by ten at once, is told once', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => report(tokens.access_token)))
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
    await report(tokens.access_token)
    expect(await toMerchant(merchant)).toHaveLength(1)
  })
})

test('a personal token ends, and its person is told', async () => {
  const person = await at.person()
  const value = await at.personalToken(person)
  expect((await at.bearer(value).request('GET', '/account/v1/me')).status).toBe(200)
  expect((await report(value)).status).toBe(202)
  expect((await at.bearer(value).request('GET', '/account/v1/me')).status).toBe(401)
  expect(await noticesAt('/account/v1/notices', person.api)).toMatchObject([
    { kind: 'personal_token.leaked' },
  ])
  expect(await noticesAt('/account/v1/notices', (await at.person()).api)).toEqual([])
})

test('a session ends, and its person is told', async () => {
  const person = await at.person()
  const browser = at.browser(person)
  expect((await browser.open('/account')).status).toBe(200)
  expect((await report(person.session)).status).toBe(202)
  expect((await browser.open('/account')).location).toContain('/sign-in')
  expect(await noticesAt('/account/v1/notices', person.api)).toMatchObject([{ kind: 'session.leaked' }])
})

test('an invitation can no longer be accepted, and whoever invited is told', async () => {
  const { owner, publisherId } = await story.publisher()
  const path = `/developer/v1/publishers/${publisherId}/invitations`
  const invitation = await owner.api.call<{ token: string }>('POST', path, {
    ...{ email: 'invited@example.com', role: 'developer' },
  })
  expect((await report(invitation.token)).status).toBe(202)
  const accepted = await at.anonymous.request('POST', '/account/v1/invitations/accept', {
    json: { token: invitation.token, password: 'correct horse battery staple', displayName: 'Ida' },
  })
  expect(accepted.status).toBe(404)
  const [notice] = await noticesAt('/account/v1/notices', owner.api)
  expect(notice?.kind).toBe('invitation.leaked')
  expect(notice?.title.en).toContain('invited@example.com')
})

describe('the answer', () => {
  test('is one and the same, whatever the value opens', async () => {
    const person = await at.person()
    const values = [
      await at.personalToken(person),
      ...(Object.keys(tokenPrefixes) as (keyof typeof tokenPrefixes)[]).map((kind) =>
        mintToken(kind, systemRandom),
      ),
      at.hostKey,
    ]
    const answers = await Promise.all(values.map(report))
    const seen = answers.map(({ status, headers, text }) => {
      // How much is left to whoever asks is about them, not about the value.
      const { date: _date, 'request-id': _id, ratelimit: _left, ...rest } = headers
      return JSON.stringify([status, rest, text])
    })
    expect(new Set(seen).size).toBe(1)
    expect(answers[0]?.body).toEqual({ received: true })
    // The host's key is its operators' to change: it is told to the log, and nobody can turn the host off.
    expect((await at.host.request('GET', '/host/v1/merchants')).status).toBe(200)
  })

  test('to what is no token of this platform is 422, without a statement', async () => {
    const good = mintToken('clientSecret', systemRandom)
    const statements = watchStatements(at.db)
    for (const value of [
      'x',
      `${good.slice(0, -1)}${good.endsWith('0') ? '1' : '0'}`,
      good.replace('stoa_cs_', 'stoa_at_'),
      `${good} `,
      'ghp_0123456789',
    ]) {
      const { status, body } = await report(value)
      expect([status, (body as ProblemBody).code]).toEqual([422, 'oauth.not_a_token'])
    }
    statements.end()
    expect(statements.texts.filter((text) => /oauth_token|credential|personal_token/.test(text))).toEqual([])
  })

  test.each([{}, { value: 7 }, { value: '' }, { value: 'x'.repeat(limits.leakedValueLengthMax + 1) }])(
    'to %j is 400',
    async (json) => {
      const { status } = await at.anonymous.request('POST', '/oauth/leaked', { json })
      expect(status).toBe(400)
    },
  )

  test('to GET is 405', async () => {
    expect((await at.anonymous.request('GET', '/oauth/leaked')).status).toBe(405)
  })
})
