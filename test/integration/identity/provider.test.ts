import type { ServerResponse } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { limits } from '../../../src/kernel/index.ts'
import { totpCode } from '../../support/authenticator-app.ts'
import type { IdentityProvider, ProviderAccount } from '../../support/identity-provider.ts'
import { startTestPlatform, type TestPlatform, testPassword } from '../../support/platform.ts'
import { makeStory, startCodeFlow } from '../../support/story.ts'
import type { PageAnswer } from '../../support/test-browser.ts'
import { account, openProviderBench, type ProviderBench, pathOf, providerFailed } from './provider-bench.ts'

let bench: ProviderBench
let at: TestPlatform
let provider: IdentityProvider

beforeAll(async () => {
  bench = await openProviderBench()
  ;({ at, provider } = bench)
})
afterAll(() => bench.close())

describe('signing in at the host’s identity provider', () => {
  test('is offered by its name, as a link: no form may lead away from us', async () => {
    const page = await at.browser().open('/sign-in?return_to=%2Fm')
    expect(page.html).toContain(
      '<a class="button" href="/sign-in/oidc?return_to=%2Fm" rel="nofollow">Sign in with Tea House</a>',
    )
    const chinese = await at.browser(null, 'zh-CN').open('/sign-in')
    expect(chinese.html).toContain('使用 Tea House 登录')
  })

  test('asks for a code under PKCE S256, a state and a nonce, new ones each time', async () => {
    const ask = async () => new URL((await at.browser().open('/sign-in/oidc')).location ?? '').searchParams
    const [one, two] = [await ask(), await ask()]
    expect(Object.fromEntries(one)).toMatchObject({
      ...{ response_type: 'code', code_challenge_method: 'S256', scope: 'openid email profile' },
      ...{ client_id: 'stoa', redirect_uri: `${at.publicUrl}/sign-in/oidc/callback` },
    })
    for (const name of ['state', 'nonce', 'code_challenge']) {
      expect(one.get(name), name).toMatch(/^[\w-]{43}$/)
      expect(two.get(name), name).not.toBe(one.get(name))
    }
  })

  test('makes a person at the first time and finds them again, whatever their name is by then', async () => {
    const somebody = account({ locale: 'zh-Hans' })
    const first = await bench.signIn(somebody, '?return_to=%2Fm')
    expect([first.answer.status, first.answer.location]).toEqual([303, '/m'])
    const me = await bench.meOf(first.browser)
    expect(me).toMatchObject({ email: somebody.email, displayName: 'Ada Lovelace', locale: 'zh-CN' })
    const second = await bench.signIn({ ...somebody, name: 'Ada King', email: 'other@teahouse.example' })
    expect((await bench.meOf(second.browser))?.id).toBe(me?.id)
    expect(second.browser.cookie('stoa_session')).not.toBe(first.browser.cookie('stoa_session'))
  })

  test('of two people with one name and no address makes two', async () => {
    const [one, two] = [account(), account()].map(({ sub }) => ({ sub, name: 'Li Wei' }))
    const people = [await bench.signIn(one as ProviderAccount), await bench.signIn(two as ProviderAccount)]
    const [first, second] = await Promise.all(people.map(({ browser }) => bench.meOf(browser)))
    expect(first?.id).not.toBe(second?.id)
    expect([first?.email, second?.email]).toEqual([null, null])
  })

  test('for the first time twice at once makes one person', async () => {
    const somebody = account()
    const browsers = [at.browser(), at.browser()]
    const backs: URL[] = []
    for (const browser of browsers) backs.push(await bench.outAndBack(browser, somebody))
    await Promise.all(browsers.map((browser, index) => browser.open(pathOf(backs[index] as URL))))
    const [one, two] = await Promise.all(browsers.map((browser) => bench.meOf(browser)))
    expect(one?.id).toBeDefined()
    expect(two?.id).toBe(one?.id)
  })

  test.each([
    ['with marks that make text run backwards', '\u202Egnp.exe', 'gnp.exe'],
    ['that is blank', '  ', 'subject'],
    ['that is endless', 'x'.repeat(900), 'x'.repeat(100)],
  ])('makes a name %s usable', async (_what, name, expected) => {
    const { browser } = await bench.signIn(account({ name }))
    expect((await bench.meOf(browser))?.displayName).toContain(expected)
  })

  test('that the person breaks off leads back to our page', async () => {
    const browser = at.browser()
    const answer = await browser.open(pathOf(await bench.outAndBack(browser, null)))
    expect([answer.status, answer.html.includes(providerFailed)]).toEqual([401, true])
    expect(browser.cookie('stoa_session')).toBeUndefined()
  })

  test('of somebody who was disabled here is refused', async () => {
    const somebody = account()
    const { browser } = await bench.signIn(somebody)
    const id = (await bench.meOf(browser))?.id ?? ''
    await at.db.queries.person.update({ where: { id }, data: { disabledAt: new Date() } })
    const { answer, browser: again } = await bench.signIn(somebody)
    expect([answer.status, again.cookie('stoa_session')]).toEqual([401, undefined])
  })

  test('asks whoever has a second factor here for its code', async () => {
    const somebody = account()
    const { browser } = await bench.signIn(somebody)
    const headers = { cookie: `stoa_session=${browser.cookie('stoa_session')}` }
    const csrf = /name="csrf" value="([^"]+)"/.exec((await browser.open('/account')).html)?.[1] ?? ''
    const post = <T>(path: string, json: object) =>
      at.anonymous.with({ ...headers, 'x-csrf-token': csrf }).call<T>('POST', path, json)
    const begun = await post<{ secret: string; enrolment: string }>('/account/v1/second-factor:enrol', {})
    const code = () => totpCode(begun.secret, at.clock.nowMs())
    await post('/account/v1/second-factor', { enrolment: begun.enrolment, code: code() })
    at.clock.advance(60_000)
    const { answer, browser: again } = await bench.signIn(somebody, '?return_to=%2Fm')
    expect(answer.location).toBe('/sign-in/second-factor?return_to=%2Fm&lang=en')
    expect(again.cookie('stoa_session')).toBeUndefined()
    const done = await again.submit(await again.follow(answer), { code: code() })
    expect([done.status, done.location]).toEqual([303, '/m'])
    expect(await bench.meOf(again)).not.toBeNull()
  })

  test('goes on with the authorization it was for', async () => {
    const story = makeStory(at)
    const { browser: known } = await bench.signIn(account())
    expect(await bench.meOf(known)).not.toBeNull()
    const browser = at.browser()
    const app = await story.publish(await story.publisher())
    const flow = await startCodeFlow(at, app)
    const page = await browser.follow(await browser.open(flow.path))
    const href = /href="(\/sign-in\/oidc\?return_to=[^"]+)"/.exec(page.html)?.[1] ?? ''
    expect(decodeURIComponent(href)).toMatch(/return_to=\/sign-in\/[\w-]{43}$/)
    provider.account = account()
    const back = await provider.visit((await browser.open(href)).location ?? '')
    const end = await browser.follow(await browser.open(pathOf(back)))
    expect(end.url).toContain('/consent/')
  })
})

describe('the provider', () => {
  test('is asked for its metadata once in ten minutes, also by many at once', async () => {
    at.clock.advance(limits.providerFreshMs)
    const discoveries = () => provider.requests.filter((line) => line.includes('openid-configuration')).length
    const before = discoveries()
    await Promise.all(Array.from({ length: 5 }, () => at.browser().open('/sign-in/oidc')))
    await at.browser().open('/sign-in/oidc')
    expect(discoveries() - before).toBe(1)
    at.clock.advance(limits.providerFreshMs)
    await at.browser().open('/sign-in/oidc')
    expect(discoveries() - before).toBe(2)
  })

  test.each<[string, (response: ServerResponse, issuer: string) => void]>([
    ['answers with an error', (response) => response.writeHead(500).end()],
    ['redirects', (response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()],
    [
      'says that it is another issuer',
      (response) =>
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end('{"issuer":"https://evil.example"}'),
    ],
    [
      'sends more than it may',
      (response) =>
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(`{"issuer":"${'x'.repeat(limits.providerAnswerBytesMax)}"}`),
    ],
    ['sends no JSON', (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>')],
    [
      'has no authorization endpoint',
      (response, issuer) =>
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ issuer })),
    ],
  ])('that %s is a page which says so, and the password still works', async (_what, answer) => {
    at.clock.advance(limits.providerFreshMs)
    provider.intercept('/.well-known/openid-configuration', (_request, response) =>
      answer(response, provider.issuer),
    )
    const page = await at.browser().open('/sign-in/oidc')
    expect([page.status, page.html.includes('identity.provider_unavailable')]).toEqual([503, true])
    at.clock.advance(limits.providerFreshMs)
    const person = await at.person()
    const browser = at.browser()
    const done = await browser.submit(await browser.open('/sign-in'), {
      email: person.email,
      password: testPassword,
    })
    expect(done.status).toBe(303)
  })

  test('may keep its claims behind UserInfo, and may want the secret in the body', async () => {
    const other = await openProviderBench({ claimsIn: 'userinfo', clientAuth: 'client_secret_post' })
    const somebody = account({ groups: ['reviewers'] })
    const { browser } = await other.signIn(somebody)
    expect(await other.meOf(browser)).toMatchObject({
      email: somebody.email,
      displayName: 'Ada Lovelace',
      platformRoles: ['reviewer'],
    })
    await other.close()
  })
})

test.each([
  'https://evil.example/',
  '//evil.example',
  '/\\evil.example',
  '%2F%2Fevil.example',
  '/.//evil.example',
])('after the provider nobody is led elsewhere: %j', async (target) => {
  const { answer } = await bench.signIn(account(), `?return_to=${encodeURIComponent(target)}`)
  expect(answer.status).toBe(303)
  expect(new URL(answer.location ?? '', at.publicUrl).origin).toBe(at.publicUrl)
  expect(answer.location).toMatch(/^\/(?![/\\])/)
})

test('without a provider there is no button, and its addresses lead nowhere', async () => {
  const plain = await startTestPlatform()
  const page: PageAnswer = await plain.browser().open('/sign-in')
  expect(page.html).not.toContain('/sign-in/oidc')
  for (const path of ['/sign-in/oidc', '/sign-in/oidc/callback?code=x'])
    expect((await plain.browser().open(path)).status, path).toBe(404)
  await plain.close()
})
