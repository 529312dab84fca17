import * as oauth from 'oauth4webapi'
import { beforeAll, describe, expect, test } from 'vitest'
import { testPassword } from '../../../support/platform.ts'
import type { Actor } from '../actor.ts'
import { expectError, textOf } from '../expectations.ts'
import type { World } from '../world.ts'

let world: World
let at: Actor

function prepare(opened: World): void {
  world = opened
  at = opened.direct
}

const credentials = () => ({ email: world.merchant.owner.email, password: testPassword })
const installations = () => world.at.db.queries.oauthGrant.count()

export function browserAttacks(open: () => World): void {
  beforeAll(() => prepare(open()))

  describe('mix-up', () => {
    const honest = (): oauth.AuthorizationServer => ({
      issuer: world.issuer,
      authorization_response_iss_parameter_supported: true,
    })
    const evil: oauth.AuthorizationServer = {
      issuer: 'https://evil.example.com',
      authorization_response_iss_parameter_supported: true,
    }

    test('a client that believes to talk to another server rejects our response by its iss', async () => {
      const authorization = await at.authorization()
      const back = (await at.back(authorization)) ?? new URL(authorization.redirectUri)
      const client = { client_id: world.app.appId }
      expect(() => oauth.validateAuthResponse(evil, client, back, authorization.state)).toThrow(/iss/)
      expect(oauth.validateAuthResponse(honest(), client, back, authorization.state).get('code')).toMatch(
        /^stoa_ac_/,
      )
    })

    test('so it does with an error of ours', async () => {
      const app = await world.another()
      const authorization = await at.authorization({}, app)
      const back = (await at.back(authorization, { decision: 'deny' })) ?? new URL(authorization.redirectUri)
      const client = { client_id: app.appId }
      expect(() => oauth.validateAuthResponse(evil, client, back, authorization.state)).toThrow(/iss/)
    })

    test('a response whose iss somebody took out, or named twice, is rejected', async () => {
      const authorization = await at.authorization()
      const back = (await at.back(authorization)) ?? new URL(authorization.redirectUri)
      const client = { client_id: world.app.appId }
      const without = new URL(back)
      without.searchParams.delete('iss')
      const twice = new URL(back)
      twice.searchParams.append('iss', evil.issuer)
      for (const url of [without, twice])
        expect(() => oauth.validateAuthResponse(honest(), client, url, authorization.state)).toThrow(/iss/)
    })

    test('a code that reached the other server is not redeemed by its client', async () => {
      const code = await at.code()
      expectError(await at.redeem(code, {}, world.other), 400, 'invalid_grant')
    })
  })

  describe('a forged consent', () => {
    const foreign: readonly (readonly [how: string, headers: Readonly<Record<string, string>>])[] = [
      ['another site', { 'sec-fetch-site': 'cross-site' }],
      ['a site next door', { 'sec-fetch-site': 'same-site' }],
    ]

    test.each([
      ['no token', null],
      ['an empty token', ''],
      ['a token of the right length', 'x'.repeat(43)],
    ])('with %s is refused and grants nothing', async (_what, csrf) => {
      const before = await installations()
      for (const decision of ['allow', 'deny']) {
        const { browser, page } = await at.consentPage(await at.authorization())
        const answered = await browser.submit(page, { decision, csrf })
        expect([answered.status, answered.location]).toEqual([403, null])
      }
      expect(await installations()).toBe(before)
    })

    test('with the token of another browser is refused and grants nothing', async () => {
      const before = await installations()
      const own = await at.consentPage(await at.authorization())
      const thief = at.visitor()
      const form = (await thief.open('/sign-in')).html
      const [, csrf = ''] = /name="csrf" value="([^"]+)"/.exec(form) ?? []
      expect(csrf).not.toBe('')
      const answered = await own.browser.submit(own.page, { decision: 'allow', csrf })
      expect([answered.status, answered.location]).toEqual([403, null])
      expect(await installations()).toBe(before)
    })

    test.each(foreign)('from %s is refused even with the right token', async (_how, headers) => {
      const before = await installations()
      const { browser, page } = await at.consentPage(await at.authorization())
      const answered = await browser.submit(page, { decision: 'allow' }, headers)
      expect([answered.status, answered.location]).toEqual([403, null])
      expect(await installations()).toBe(before)
    })

    test('as a link, as JSON or as plain text grants nothing', async () => {
      const before = await installations()
      const { browser, page } = await at.consentPage(await at.authorization())
      const { pathname } = new URL(page.url)
      const linked = await browser.open(`${pathname}?decision=allow&merchant_id=${world.merchant.merchantId}`)
      expect(linked.location).toBeNull()
      for (const type of ['application/json', 'text/plain']) {
        const answered = await browser.post(pathname, { decision: 'allow' }, { 'content-type': type })
        expect([answered.status >= 400, answered.location]).toEqual([true, null])
      }
      expect(await installations()).toBe(before)
    })

    test('in the browser of another person, by the address of the page, grants nothing', async () => {
      const { page } = await at.consentPage(await at.authorization())
      const stranger = await world.otherMerchant()
      const browser = at.visitor()
      browser.plant('stoa_session', stranger.owner.session)
      const opened = await browser.open(new URL(page.url).pathname)
      expect([
        opened.status,
        opened.html.includes('name="csrf"') && opened.html.includes('value="allow"'),
      ]).toEqual([410, false])
    })
  })

  describe('a forged sign-in', () => {
    test.each([
      ['no token', null],
      ['somebody else’s token', 'x'.repeat(43)],
    ])('with %s signs nobody in', async (_what, csrf) => {
      const browser = at.visitor()
      const plain = await browser.submit(await browser.open('/sign-in'), { ...credentials(), csrf })
      const signIn = await browser.follow(await browser.open((await at.authorization()).path))
      const forApp = await browser.submit(signIn, { ...credentials(), csrf })
      for (const answered of [plain, forApp])
        expect([answered.status, answered.location]).toEqual([403, null])
      expect(browser.cookie('stoa_session')).toBeUndefined()
    })

    test('from another site signs nobody in, even with the right token', async () => {
      const browser = at.visitor()
      const headers = { 'sec-fetch-site': 'cross-site' }
      const answered = await browser.submit(await browser.open('/sign-in'), credentials(), headers)
      expect([answered.status, browser.cookie('stoa_session')]).toEqual([403, undefined])
    })
  })

  describe('session fixation', () => {
    test('a session planted before sign-in is not the one after it, and knows nobody', async () => {
      const planted = world.merchant.owner.session.replace(/.{12}$/, 'AAAAAAAAAAAA')
      const browser = at.visitor()
      browser.plant('stoa_session', planted)
      await browser.submit(await browser.open('/sign-in'), credentials())
      const after = browser.cookie('stoa_session')
      expect(after).toMatch(/^stoa_/)
      expect(after).not.toBe(planted)
      const thief = at.visitor()
      thief.plant('stoa_session', planted)
      expect((await thief.open('/m')).location).toMatch(/^\/sign-in/)
    })

    test('a live session of the thief in the victim’s browser is replaced, not signed in as the victim', async () => {
      const thief = await world.otherMerchant()
      const browser = at.visitor()
      browser.plant('stoa_session', thief.owner.session)
      await browser.submit(await browser.open('/sign-in'), credentials())
      expect(browser.cookie('stoa_session')).not.toBe(thief.owner.session)
      const own = at.visitor()
      own.plant('stoa_session', thief.owner.session)
      expect((await own.open('/m')).html).not.toContain(world.merchant.merchantId)
    })

    test('the authorization server’s own session, planted by the thief, ends when the victim signs in', async () => {
      const thief = at.visitor()
      thief.plant('stoa_session', (await world.otherMerchant()).owner.session)
      await thief.follow(await thief.open((await at.authorization()).path))
      const victim = at.browser()
      for (const name of ['stoa_oauth_session', 'stoa_oauth_session.sig']) {
        expect(thief.cookie(name), name).toBeDefined()
        victim.plant(name, thief.cookie(name) ?? '')
      }
      const page = await victim.follow(await victim.open((await at.authorization()).path))
      const back = await victim.follow(await victim.submit(page, { decision: 'allow' }))
      expect(textOf(back.location)).toMatch(/[?&]code=/)
      // Whoever planted it is not signed in by it.
      const { path } = await at.authorization({ prompt: 'none' })
      expect(textOf((await thief.open(path)).location)).toMatch(/error=login_required/)
      expect(victim.cookie('stoa_oauth_session')).not.toBe(thief.cookie('stoa_oauth_session'))
    })
  })

  describe('clickjacking', () => {
    test('no page of sign-in, consent, refusal or error can stand in a frame', async () => {
      const { browser, page } = await at.consentPage(await at.authorization())
      const refused = await browser.submit(page, { decision: 'allow', csrf: 'x' })
      const pages = [
        ...[page, refused],
        await at.visitor().open('/sign-in'),
        await at.visitor().follow(await at.visitor().open((await at.authorization()).path)),
        await at.visitor().open('/oauth/authorize?client_id=unknown'),
        await at.visitor().open('/oauth/authorize/unknown'),
        await browser.open('/consent/unknown'),
        await browser.open('/no-such-page'),
      ]
      for (const { url, headers } of pages) {
        expect(headers['x-frame-options'], url).toMatch(/^(DENY|SAMEORIGIN)$/)
        expect(headers['content-security-policy'], url).toContain("frame-ancestors 'none'")
      }
    })

    test('the consent page lets its form lead to us and to the app, and runs no script of others', async () => {
      const { page } = await at.consentPage(await at.authorization())
      const policy = page.headers['content-security-policy'] ?? ''
      expect(policy).toContain("form-action 'self' https://app.example.com;")
      expect(policy).toMatch(/script-src 'self';/)
      const other = await at.browser().open('/sign-in')
      expect(other.headers['content-security-policy']).toContain("form-action 'self';")
    })
  })
}
