import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { countAttempt } from '../../../src/identity/sign-in/store.ts'
import { attemptsKey } from '../../../src/identity/sign-in/throttle.ts'
import { mintToken } from '../../../src/kernel/index.ts'
import {
  startTestPlatform,
  type TestPerson,
  type TestPlatform,
  testPassword,
} from '../../support/platform.ts'
import { leavingNothing } from '../../support/row-counts.ts'
import { host, makeStory } from '../../support/story.ts'
import type { TestBrowser } from '../../support/test-browser.ts'

let at: TestPlatform
let person: TestPerson

beforeAll(async () => {
  at = await startTestPlatform()
  person = await at.person()
})
afterAll(() => at.close())

const credentials = (change: Record<string, string> = {}) => ({
  email: person.email,
  password: testPassword,
  ...change,
})

async function signedIn(browser: TestBrowser, query = '') {
  return browser.submit(await browser.open(`/sign-in${query}`), credentials())
}

async function statusOfMe(session: string | undefined): Promise<number> {
  const { status } = await at.anonymous.request('GET', '/account/v1/me', {
    headers: { cookie: `stoa_session=${session}` },
  })
  return status
}

describe('sign-in', () => {
  test('with the right password starts a session whose cookie scripts and other sites cannot use', async () => {
    const browser = at.browser()
    const answer = await signedIn(browser)
    expect([answer.status, answer.location]).toEqual([303, '/'])
    const cookie = answer.setCookies.find((header) => header.startsWith('stoa_session='))
    expect(cookie).toMatch(/; Path=\/.*; HttpOnly; SameSite=Lax$/)
    expect((await browser.follow(answer)).html).toContain('Signed in as Somebody')
    expect(await statusOfMe(browser.cookie('stoa_session'))).toBe(200)
  })

  test.each<[string, Record<string, string>]>([
    ['a wrong password', { password: 'not the password' }],
    ['an unknown address', { email: 'nobody@example.com' }],
    ['nothing filled in', { email: '', password: '' }],
    ['an address with U+0000', { email: 'a\u0000@example.com' }],
    ['a password longer than any', { password: 'x'.repeat(5_000) }],
  ])(
    'with %s shows the same page again, with one and the same sentence and no session',
    async (_what, change) => {
      const browser = at.browser()
      await leavingNothing(at, async () => {
        const answer = await browser.submit(await browser.open('/sign-in'), credentials(change))
        expect(answer.status).toBe(401)
        expect(answer.html).toContain('role="alert"')
        expect(answer.html).toContain(
          'Email or password is wrong. After many tries, wait 15 minutes and try again.',
        )
        expect(answer.html).not.toContain(change['password'] || 'value="not')
        expect(browser.cookie('stoa_session')).toBeUndefined()
      })
    },
  )

  test('after many wrong passwords even the right one is refused, and says nothing about it', async () => {
    const victim = await at.person()
    const attempts = { purpose: 'sign-in', account: victim.email, address: '127.0.0.1' } as const
    // As twenty forms would count, without twenty times 150 ms of hashing.
    for (let i = 0; i < 20; i += 1) await countAttempt(at.db.queries, attemptsKey(attempts), at.clock.nowMs())
    const browser = at.browser()
    const fields = { email: victim.email, password: testPassword }
    const answer = await browser.submit(await browser.open('/sign-in'), fields)
    expect([answer.status, answer.html.includes('Email or password is wrong.')]).toEqual([401, true])
  })

  test('a session planted before it (fixation) is worth nothing after it', async () => {
    const attacker = await at.person()
    const browser = at.browser()
    browser.plant('stoa_session', attacker.session)
    const page = await browser.open('/sign-in')
    await browser.submit(page, credentials())
    const session = browser.cookie('stoa_session')
    expect(session).not.toBe(attacker.session)
    const { body } = await at.anonymous.request<{ id: string }>('GET', '/account/v1/me', {
      headers: { cookie: `stoa_session=${attacker.session}` },
    })
    expect(body.id).toBe(attacker.personId)
    const made = mintToken('session', at.random)
    const other = at.browser()
    other.plant('stoa_session', made)
    await signedIn(other)
    expect(other.cookie('stoa_session')).not.toBe(made)
    expect(await statusOfMe(made)).toBe(401)
  })

  test('each one makes another session, and signing out ends exactly this one', async () => {
    const [one, two] = [at.browser(), at.browser()]
    await signedIn(one)
    await signedIn(two)
    const [first, second] = [one.cookie('stoa_session'), two.cookie('stoa_session')]
    expect(first).not.toBe(second)
    const home = await one.open('/')
    const token = /name="csrf" value="([^"]+)"/.exec(home.html)?.[1] ?? ''
    const out = await one.post('/sign-out', { csrf: token })
    expect([out.status, out.location]).toEqual([303, '/'])
    expect([await statusOfMe(first), await statusOfMe(second)]).toEqual([401, 200])
  })
})

describe('the way back after sign-in', () => {
  const kept = ({ html }: { readonly html: string }) =>
    /name="return_to" value="([^"]*)"/.exec(html)?.[1]?.replaceAll('&amp;', '&')

  test('leads to our own page', async () => {
    const answer = await signedIn(at.browser(), `?return_to=${encodeURIComponent('/m?merchant=x&lang=en')}`)
    expect(answer.location).toBe('/m?merchant=x&lang=en')
  })

  test.each([
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    '/.//evil.example',
    '/a/..//evil.example',
    '/%2e//evil.example',
    'evil.example',
    'javascript:alert(1)',
    '\\\\evil.example',
    '/\r\n//evil.example',
  ])('never leads elsewhere: %j', async (target) => {
    const page = await at.browser().open(`/sign-in?return_to=${encodeURIComponent(target)}`)
    const location = kept(page) ?? ''
    expect(location).toMatch(/^\/(?![/\\])/)
    expect(new URL(location, at.baseUrl).origin).toBe(at.baseUrl)
  })

  test('never leads elsewhere though the form was changed', async () => {
    const browser = at.browser()
    const page = await browser.open('/sign-in')
    const answer = await browser.submit(page, { ...credentials(), return_to: '/.//evil.example' })
    expect([answer.status, answer.location]).toEqual([303, '/'])
  })

  test('a page that needs a sign-in names itself as the way back', async () => {
    const answer = await at.browser().open('/m?merchant=mer_1')
    expect([answer.status, answer.location]).toEqual([303, '/sign-in?return_to=%2Fm%3Fmerchant%3Dmer_1'])
  })
})

describe('a form', () => {
  const post = (browser: TestBrowser, fields: Record<string, string | null>, headers = {}) =>
    browser.open('/sign-in').then((page) => browser.submit(page, { ...credentials(), ...fields }, headers))

  test.each<[string, Record<string, string | null>, Record<string, string>]>([
    ['without the token', { csrf: null }, {}],
    ['with a wrong token', { csrf: 'wrong' }, {}],
    ['sent from another site', {}, { 'sec-fetch-site': 'cross-site' }],
    ['sent from a sibling site', {}, { 'sec-fetch-site': 'same-site' }],
    ['sent as JSON', {}, { 'content-type': 'application/json' }],
  ])('%s is refused with a page that says so, and signs nobody in', async (_what, fields, headers) => {
    const browser = at.browser()
    await leavingNothing(at, async () => {
      const answer = await post(browser, fields, headers)
      expect(answer.status).toBe(403)
      expect(answer.html).toContain('http.csrf_refused')
      expect(browser.cookie('stoa_session')).toBeUndefined()
    })
  })

  test('with the token of another browser is refused', async () => {
    const other = await at.browser().open('/sign-in')
    const token = /name="csrf" value="([^"]+)"/.exec(other.html)?.[1] ?? ''
    const answer = await post(at.browser(), { csrf: token })
    expect(answer.status).toBe(403)
  })

  test('with the token this browser had before it signed in is refused', async () => {
    const browser = at.browser()
    const before = await browser.open('/sign-in')
    await browser.submit(before, credentials())
    expect((await browser.submit(before, credentials())).status).toBe(403)
  })

  test('sent by this page or typed into the address bar is accepted', async () => {
    expect((await post(at.browser(), {}, { 'sec-fetch-site': 'same-origin' })).status).toBe(303)
    expect((await post(at.browser(), {}, { 'sec-fetch-site': 'none' })).status).toBe(303)
  })

  test('larger than any of ours is refused as a page', async () => {
    const answer = await post(at.browser(), { password: 'x'.repeat(20_000) })
    expect([answer.status, answer.html.includes('capability.body_too_large')]).toEqual([413, true])
  })

  test('of every page that writes refuses a missing token', async () => {
    for (const path of [
      '/sign-in',
      '/sign-out',
      '/invitation',
      '/m/installations/x/uninstall',
      '/m/apps/x/consent',
    ]) {
      const answer = await at.browser(person).post(path, { decision: 'allow' })
      expect([answer.status, answer.html.includes('http.csrf_refused')], path).toEqual([403, true])
    }
  })
})

describe('the language of a page', () => {
  test.each([
    ['the browser’s', 'zh-CN,zh;q=0.9,en;q=0.8', '/sign-in', 'zh-CN', '登录'],
    ['English for a browser of another language', 'fr', '/sign-in', 'en', 'Sign in'],
    ['the one asked for', 'en', '/sign-in?lang=zh-CN', 'zh-CN', '登录'],
  ])('is %s', async (_what, language, path, lang, title) => {
    const { html } = await at.browser(null, language).open(path)
    expect(html).toContain(`<html lang="${lang}">`)
    expect(html).toContain(`<h1>${title}</h1>`)
  })

  test('is the person’s own once they have signed in', async () => {
    const reader = await at.person({ locale: 'zh-CN' })
    expect((await at.browser(reader, 'en').open('/')).html).toContain('<html lang="zh-CN">')
  })

  test('stays through a form that failed', async () => {
    const browser = at.browser(null, 'en')
    const answer = await browser.submit(
      await browser.open('/sign-in?lang=zh-CN'),
      credentials({ password: 'x' }),
    )
    expect(answer.html).toContain('邮箱或密码不正确')
  })
})

describe('an invitation', () => {
  const story = () => makeStory(at)
  async function invite(email: string): Promise<string> {
    const { merchantId } = await story().merchant('Tea & <b>Cake</b>')
    const { invitation } = await at.act<{ invitation: { token: string } }>('merchant_member.create', host, {
      ...{ merchantId, role: 'staff', email },
    })
    return invitation.token
  }

  test('is accepted with a new account, which can sign in', async () => {
    const token = await invite('new@example.com')
    const browser = at.browser()
    const page = await browser.open(`/invitation?token=${token}`)
    expect(page.html).toContain('Tea &amp; &lt;b>Cake&lt;/b>')
    const short = await browser.submit(page, { display_name: 'Ann', password: 'short' })
    expect([short.status, short.html.includes('At least 12 characters')]).toEqual([422, true])
    const done = await browser.submit(short, { display_name: 'Ann', password: testPassword })
    expect([done.status, done.location]).toEqual([303, '/sign-in'])
    const signedInAs = await browser.submit(await browser.follow(done), {
      email: 'new@example.com',
      password: testPassword,
    })
    expect(signedInAs.location).toBe('/')
    expect((await browser.open('/m')).html).toContain('Apps for Tea')
  })

  test('is accepted by somebody signed in, and works once', async () => {
    const token = await invite('other@example.com')
    const browser = at.browser(await at.person())
    const page = await browser.open(`/invitation?token=${token}`)
    expect((await browser.submit(page)).location).toBe('/')
    const again = await browser.open(`/invitation?token=${token}`)
    expect([again.status, again.html.includes('identity.invitation_not_valid')]).toEqual([404, true])
  })

  test('that is none shows the error page', async () => {
    for (const token of ['', 'x', mintToken('invitation', at.random)])
      expect((await at.browser().open(`/invitation?token=${token}`)).html).toContain(
        'identity.invitation_not_valid',
      )
  })
})
