import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { limits } from '../../../src/kernel/index.ts'
import { totpCode } from '../../support/authenticator-app.ts'
import {
  startTestPlatform,
  type TestPerson,
  type TestPlatform,
  testPassword,
} from '../../support/platform.ts'
import { leavingNothing } from '../../support/row-counts.ts'
import { makeSoftwareAuthenticator } from '../../support/software-authenticator.ts'
import type { PageAnswer } from '../../support/test-browser.ts'

let at: TestPlatform

beforeAll(async () => {
  at = await startTestPlatform({ publicHost: 'localhost' })
})
afterAll(() => at.close())

const own = { own_password: testPassword }

async function accountOf(person: TestPerson, language?: string) {
  const browser = at.browser(person, language)
  return { browser, page: await browser.open('/account') }
}

const attribute = ({ html }: PageAnswer, name: string) =>
  (new RegExp(`${name}="([^"]*)"`).exec(html)?.[1] ?? '').replaceAll('&quot;', '"').replaceAll('&amp;', '&')

describe('the account’s page', () => {
  test('is for who is signed in', async () => {
    const answer = await at.browser().open('/account')
    expect([answer.status, answer.location]).toEqual([303, '/sign-in?return_to=%2Faccount'])
  })

  test.each([
    ['en', ['Your account', 'Second factor', 'Passkeys', 'Where you are signed in', 'Personal tokens']],
    ['zh-CN', ['您的账号', '两步验证', '通行密钥', '已登录的设备', '个人令牌']],
  ])('shows everything in %s', async (locale, words) => {
    const { page } = await accountOf(await at.person({ locale }))
    expect(page.status).toBe(200)
    for (const word of words) expect(page.html).toContain(word)
    expect(page.html).toContain(`<html lang="${locale}">`)
  })

  test('is linked from the name in the header', async () => {
    const home = await at.browser(await at.person()).open('/')
    expect(home.html).toContain('<a href="/account">Signed in as Somebody</a>')
  })

  test('changes name and language, and speaks the new one', async () => {
    const person = await at.person()
    const { browser, page } = await accountOf(person)
    const saved = await browser.submitTo(page, '/account/profile', {
      display_name: '王小明',
      locale: 'zh-CN',
    })
    expect([saved.status, saved.location]).toEqual([303, '/account?done=profile'])
    const after = await browser.follow(saved)
    expect(after.html).toContain('<html lang="zh-CN">')
    expect(after.html).toContain('已保存。')
    expect(after.html).toContain('当前用户：王小明')
  })

  test('says what is wrong with a name, and keeps the old one', async () => {
    const { browser, page } = await accountOf(await at.person())
    const answer = await browser.submitTo(page, '/account/profile', { display_name: ' ', locale: 'en' })
    expect([answer.status, answer.html.includes('Something is missing or too long.')]).toEqual([400, true])
    expect(answer.html).toContain('Signed in as Somebody')
  })

  test('shows nothing that its address invents', async () => {
    const { browser } = await accountOf(await at.person())
    for (const done of ['constructor', '<script>', 'toString', 'x'])
      expect((await browser.open(`/account?done=${encodeURIComponent(done)}`)).html).not.toContain(
        'class="done"',
      )
  })

  test('does nothing for a form without our token, and nothing for a stranger', async () => {
    const person = await at.person()
    const paths = [
      ...['profile', 'password', 'second-factor', 'second-factor/confirm', 'second-factor/remove'],
      ...['recovery-codes', 'passkeys', 'passkeys/add', 'passkeys/x/remove', 'provider', 'provider/x/remove'],
      ...['sessions/x/end', 'sessions/end-others', 'tokens', 'tokens/x/revoke'],
    ]
    await leavingNothing(at, async () => {
      for (const path of paths) {
        const forged = await at.browser(person).post(`/account/${path}`, own)
        expect([forged.status, forged.html.includes('http.csrf_refused')], path).toEqual([403, true])
        const stranger = at.browser()
        const csrf = /name="csrf" value="([^"]+)"/.exec((await stranger.open('/sign-in')).html)?.[1] ?? ''
        const answer = await stranger.post(`/account/${path}`, { csrf, ...own })
        expect([answer.status, answer.location], path).toEqual([303, '/sign-in'])
      }
    })
  })
})

describe('the password', () => {
  test('changes by the current one, and the other browsers are out', async () => {
    const person = await at.person()
    const there = at.browser()
    await there.submit(await there.open('/sign-in'), { email: person.email, password: testPassword })
    const { browser, page } = await accountOf(person)
    const next = 'quite another long password'
    const wrong = await browser.submitTo(page, '/account/password', {
      own_password: 'no',
      new_password: next,
    })
    expect([wrong.status, wrong.html.includes('Your current password is wrong.')]).toEqual([403, true])
    const common = await browser.submitTo(page, '/account/password', { ...own, new_password: 'password1234' })
    expect([common.status, common.html.includes('one of the first')]).toEqual([422, true])
    const done = await browser.submitTo(page, '/account/password', { ...own, new_password: next })
    expect(done.location).toBe('/account?done=password')
    expect((await browser.follow(done)).html).toContain('Your password has changed')
    expect((await there.open('/account')).location).toBe('/sign-in?return_to=%2Faccount')
    expect(wrong.html).not.toContain(testPassword)
  })
})

describe('the second factor', () => {
  const code = (secret: string) => totpCode(secret, at.clock.nowMs())

  async function begun(person: TestPerson) {
    const { browser, page } = await accountOf(person)
    const enrol = await browser.submitTo(page, '/account/second-factor', own)
    const uri = new URL(attribute(enrol, 'name="uri" value'))
    return { browser, enrol, secret: uri.searchParams.get('secret') ?? '' }
  }

  test('is set up by scanning or typing a key, and its recovery codes are shown once', async () => {
    const person = await at.person()
    const { browser, enrol, secret } = await begun(person)
    expect(enrol.html).toContain(secret.replaceAll(/(.{4})(?=.)/g, '$1 '))
    expect(enrol.html).toMatch(
      /<svg class="qr" viewBox="0 0 \d+ \d+" role="img" aria-label="QR code with the key">/,
    )
    const wrongCode = code(secret) === '000000' ? '111111' : '000000'
    const wrong = await browser.submitTo(enrol, '/account/second-factor/confirm', { code: wrongCode })
    expect([wrong.status, wrong.html.includes('This code is wrong')]).toEqual([422, true])
    expect(wrong.html).toContain(secret.replaceAll(/(.{4})(?=.)/g, '$1 '))
    const codes = await browser.submitTo(wrong, '/account/second-factor/confirm', { code: code(secret) })
    expect(codes.html.match(/^([0-9A-Z]{4}-){3}[0-9A-Z]{4}$/gm)?.length ?? 0).toBeGreaterThanOrEqual(8)
    const page = await browser.open('/account')
    expect(page.html).toContain('Recovery codes left: 10.')
    expect(page.html).not.toMatch(/([0-9A-Z]{4}-){3}/)
  })

  test('is turned off by the password', async () => {
    const person = await at.person()
    const { browser, enrol, secret } = await begun(person)
    await browser.submitTo(enrol, '/account/second-factor/confirm', { code: code(secret) })
    const page = await browser.open('/account')
    const refused = await browser.submitTo(page, '/account/second-factor/remove', { own_password: 'no' })
    expect(refused.status).toBe(403)
    const renewed = await browser.submitTo(page, '/account/recovery-codes', own)
    expect(renewed.html).toContain('Your recovery codes')
    const done = await browser.submitTo(page, '/account/second-factor/remove', own)
    expect((await browser.follow(done)).html).toContain('Set up a second factor')
  })

  test('survives any text in the place of its address', async () => {
    const { browser, enrol } = await begun(await at.person())
    for (const uri of ['', 'x', 'otpauth://', '"><script>', 'x'.repeat(5_000)]) {
      const answer = await browser.submitTo(enrol, '/account/second-factor/confirm', { code: '000000', uri })
      expect(answer.status, uri).toBe(422)
    }
  })
})

describe('passkeys', () => {
  test('are made in two steps, listed by name and removed by the password', async () => {
    const { browser, page } = await accountOf(await at.person())
    const step = await browser.submitTo(page, '/account/passkeys', { ...own, passkey_name: 'Work <laptop>' })
    expect(step.html).toContain('This one step needs JavaScript')
    const options = JSON.parse(attribute(step, 'data-options')) as unknown
    const credential = JSON.stringify(makeSoftwareAuthenticator(at.publicUrl).create(options))
    const added = await browser.submitTo(step, '/account/passkeys/add', { credential })
    expect(added.location).toBe('/account?done=passkey')
    const after = await browser.follow(added)
    expect(after.html).toContain('<strong>Work &lt;laptop></strong>')
    const path = /action="(\/account\/passkeys\/pky_\w+\/remove)"/.exec(after.html)?.[1] ?? ''
    const refused = await browser.submitTo(after, path, { own_password: 'no' })
    expect(refused.status).toBe(403)
    const removed = await browser.follow(await browser.submitTo(after, path, own))
    expect(removed.html).not.toContain('Work &lt;laptop>')
  })

  test('that the browser did not make are refused on the page', async () => {
    const { browser, page } = await accountOf(await at.person())
    const step = await browser.submitTo(page, '/account/passkeys', { ...own, passkey_name: 'laptop' })
    for (const credential of ['', '{}', 'null', '{"id":"a","clientDataJSON":"a","attestationObject":"a"}']) {
      const answer = await browser.submitTo(step, '/account/passkeys/add', { credential })
      expect([400, 422], credential).toContain(answer.status)
      expect(answer.html).toContain('role="alert"')
    }
  })
})

describe('sessions', () => {
  test('are named in plain words, the own one marked, and end one by one or all at once', async () => {
    const person = await at.person()
    const agents = [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 26_1 like Mac OS X) AppleWebKit/605 (KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1',
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:150.0) Gecko/20100101 Firefox/150.0',
    ]
    for (const agent of agents) {
      const browser = at.browser()
      const page = await browser.open('/sign-in', { 'user-agent': agent })
      await browser.submit(page, { email: person.email, password: testPassword }, { 'user-agent': agent })
    }
    const { browser, page } = await accountOf(person)
    expect(page.html).toContain('<strong>Safari on iPhone</strong>')
    expect(page.html).toContain('<strong>Firefox on Windows</strong>')
    expect(page.html.match(/this browser/g)).toHaveLength(1)
    const [path = ''] = /\/account\/sessions\/ses_\w+\/end/.exec(page.html) ?? []
    const one = await browser.follow(await browser.submitTo(page, path, {}))
    expect(one.html.match(/\/account\/sessions\/ses_/g)).toHaveLength(1)
    const none = await browser.follow(await browser.submitTo(one, '/account/sessions/end-others', {}))
    expect(none.html).not.toContain('/account/sessions/ses_')
    expect(none.html).toContain('this browser')
  })

  test('of somebody else cannot be ended', async () => {
    const [person, other] = [await at.person(), await at.person()]
    const { data } = await other.api.call<{ data: { id: string }[] }>('GET', '/account/v1/sessions')
    const { browser, page } = await accountOf(person)
    const csrf = /name="csrf" value="([^"]+)"/.exec(page.html)?.[1] ?? ''
    const answer = await browser.post(`/account/sessions/${data[0]?.id}/end`, { csrf })
    expect(answer.status).toBe(404)
    expect((await at.browser(other).open('/account')).status).toBe(200)
  })
})

describe('personal tokens', () => {
  test('are made by the password, shown once, and revoked', async () => {
    const person = await at.person()
    const { browser, page } = await accountOf(person)
    const fields = { token_name: 'build server', audience: ['developer', 'account'] }
    expect((await browser.submitTo(page, '/account/tokens', { ...fields, own_password: 'no' })).status).toBe(
      403,
    )
    const shown = await browser.submitTo(page, '/account/tokens', { ...fields, ...own })
    const token = /stoa_pt_\w+/.exec(shown.html)?.[0] ?? ''
    expect((await at.bearer(token).request('GET', '/account/v1/me')).status).toBe(200)
    const after = await browser.open('/account')
    expect(after.html).not.toContain(token)
    expect(after.html).toContain('build server')
    const row = after.html.indexOf('build server')
    const path = /\/account\/tokens\/ptk_\w+\/revoke/.exec(after.html.slice(row))?.[0] ?? ''
    await browser.submitTo(after, path, {})
    expect((await at.bearer(token).request('GET', '/account/v1/me')).status).toBe(401)
  })
})

describe('somebody without a password', () => {
  test('is asked for none, may act for 15 minutes after signing in, and then has to sign in again', async () => {
    const person = await at.person()
    await at.db.queries.signIn.deleteMany({ where: { personId: person.personId } })
    const { browser, page } = await accountOf(person)
    expect(page.html).not.toContain('own_password')
    expect(page.html).toContain('You have no password')
    const step = await browser.submitTo(page, '/account/passkeys', { passkey_name: 'laptop' })
    expect(step.status).toBe(200)
    at.clock.advance(limits.freshSessionMs + 1)
    const late = await browser.submitTo(page, '/account/passkeys', { passkey_name: 'laptop' })
    expect([late.status, late.html.includes('You signed in too long ago')]).toEqual([403, true])
  })
})
