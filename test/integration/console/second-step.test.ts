import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { limits } from '../../../src/kernel/index.ts'
import { totpCode } from '../../support/authenticator-app.ts'
import {
  startTestPlatform,
  type TestPerson,
  type TestPlatform,
  testPassword,
} from '../../support/platform.ts'
import { makeSoftwareAuthenticator } from '../../support/software-authenticator.ts'
import { makeStory, startCodeFlow } from '../../support/story.ts'
import type { PageAnswer, TestBrowser } from '../../support/test-browser.ts'

let at: TestPlatform

beforeAll(async () => {
  at = await startTestPlatform({ publicHost: 'localhost' })
})
afterAll(() => at.close())

interface Enrolled extends TestPerson {
  readonly secret: string
  readonly recoveryCodes: readonly string[]
}

const wrongCode = (secret: string) => (totpCode(secret, at.clock.nowMs()) === '000000' ? '111111' : '000000')
const code = (secret: string) => totpCode(secret, at.clock.nowMs())

async function enrolled(person?: TestPerson): Promise<Enrolled> {
  const somebody = person ?? (await at.person())
  const { api } = somebody
  const begun = await api.call<{ secret: string; enrolment: string }>(
    ...(['POST', '/account/v1/second-factor:enrol', { password: testPassword }] as const),
  )
  const { recoveryCodes } = await api.call<{ recoveryCodes: string[] }>('POST', '/account/v1/second-factor', {
    ...{ enrolment: begun.enrolment, code: code(begun.secret) },
  })
  at.clock.advance(60_000)
  return { ...somebody, secret: begun.secret, recoveryCodes }
}

async function withPassword(browser: TestBrowser, { email }: TestPerson, query = ''): Promise<PageAnswer> {
  const page = await browser.open(`/sign-in${query}`)
  return browser.submit(page, { email, password: testPassword })
}

async function statusOfMe(session: string | undefined): Promise<number> {
  const { status } = await at.anonymous.request('GET', '/account/v1/me', {
    headers: { cookie: `stoa_session=${session}` },
  })
  return status
}

describe('the second step of a sign-in', () => {
  test('comes after the right password, starts no session before, and leads on to where the first one was for', async () => {
    const person = await enrolled()
    const browser = at.browser()
    const first = await withPassword(browser, person, '?return_to=%2Fm')
    expect([first.status, first.location]).toEqual([303, '/sign-in/second-factor?return_to=%2Fm&lang=en'])
    expect(browser.cookie('stoa_session')).toBeUndefined()
    const step = first.setCookies.find((header) => header.startsWith('stoa_sign_in='))
    expect(step).toMatch(/; Max-Age=600; Path=\/sign-in; .*HttpOnly; SameSite=Lax$/)
    const page = await browser.follow(first)
    expect(page.html).toContain('One more step')
    const wrong = await browser.submit(page, { code: wrongCode(person.secret) })
    expect([wrong.status, wrong.html.includes('This code is wrong or was used already.')]).toEqual([
      401,
      true,
    ])
    expect(browser.cookie('stoa_session')).toBeUndefined()
    const done = await browser.submit(wrong, { code: code(person.secret) })
    expect([done.status, done.location]).toEqual([303, '/m'])
    expect(await statusOfMe(browser.cookie('stoa_session'))).toBe(200)
    expect(browser.cookie('stoa_sign_in')).toBeUndefined()
  })

  test('takes a recovery code', async () => {
    const person = await enrolled()
    const browser = at.browser()
    const page = await browser.follow(await withPassword(browser, person))
    const done = await browser.submit(page, { code: person.recoveryCodes[3] ?? '' })
    expect([done.status, done.location]).toEqual([303, '/'])
  })

  test('makes a new session: one planted before it (fixation) is worth nothing after it', async () => {
    const [person, attacker] = [await enrolled(), await at.person()]
    const browser = at.browser()
    browser.plant('stoa_session', attacker.session)
    const page = await browser.follow(await withPassword(browser, person))
    expect(browser.cookie('stoa_session')).toBe(attacker.session)
    await browser.submit(page, { code: code(person.secret) })
    const session = browser.cookie('stoa_session')
    expect(session).not.toBe(attacker.session)
    expect(await statusOfMe(session)).toBe(200)
  })

  test('is nothing in another browser that got hold of its cookie', async () => {
    const person = await enrolled()
    const [browser, thief] = [at.browser(), at.browser()]
    await withPassword(browser, person)
    await thief.open('/sign-in')
    thief.plant('stoa_sign_in', browser.cookie('stoa_sign_in') ?? '')
    const page = await thief.open('/sign-in/second-factor')
    const answer = await thief.submit(page, { code: code(person.secret) })
    expect([answer.status, answer.html.includes('open for too long')]).toEqual([401, true])
    expect(thief.cookie('stoa_session')).toBeUndefined()
  })

  test('works once: its cookie, kept, lets nobody in again', async () => {
    const person = await enrolled()
    const browser = at.browser()
    const page = await browser.follow(await withPassword(browser, person))
    const [step, visitor] = [browser.cookie('stoa_sign_in') ?? '', browser.cookie('stoa_visitor') ?? '']
    await browser.submit(page, { code: code(person.secret) })
    at.clock.advance(60_000)
    const again = at.browser()
    again.plant('stoa_visitor', visitor)
    again.plant('stoa_sign_in', step)
    const second = await again.submit(await again.open('/sign-in/second-factor'), {
      code: code(person.secret),
    })
    expect(second.status).toBe(401)
    expect(again.cookie('stoa_session')).toBeUndefined()
  })

  test('ends with its ten minutes, and with the password it began with', async () => {
    const person = await enrolled()
    const [slow, stale] = [at.browser(), at.browser()]
    const slowPage = await slow.follow(await withPassword(slow, person))
    at.clock.advance(limits.secondFactorMs)
    const late = await slow.submit(slowPage, { code: code(person.secret) })
    expect([late.status, late.html.includes('open for too long')]).toEqual([401, true])

    const stalePage = await stale.follow(await withPassword(stale, person))
    await person.api.call('PUT', '/account/v1/password', {
      ...{ currentPassword: testPassword, newPassword: 'quite another long password' },
    })
    const old = await stale.submit(stalePage, { code: code(person.secret) })
    expect([old.status, old.html.includes('open for too long')]).toEqual([401, true])
  })

  test('without a first one leads back to it', async () => {
    const answer = await at.browser().open('/sign-in/second-factor')
    expect([answer.status, answer.location]).toEqual([303, '/sign-in'])
  })

  test.each([
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    '/%5Cevil.example/..//x',
    '%2F%2Fevil.example',
  ])('never leads to another place afterwards: %j', async (target) => {
    const person = await enrolled()
    const browser = at.browser()
    const first = await withPassword(browser, person, `?return_to=${encodeURIComponent(target)}`)
    const page = await browser.follow(first)
    const done = await browser.submit(page, { code: code(person.secret), return_to: target })
    expect(done.status).toBe(303)
    expect(new URL(done.location ?? '', at.baseUrl).origin).toBe(at.baseUrl)
    expect(done.location).toMatch(/^\/(?![/\\])/)
  })

  test('is part of an authorization as well, which goes on to the consent', async () => {
    const story = makeStory(at)
    const merchant = await story.merchant()
    const owner = await enrolled(merchant.owner)
    const app = await story.publish(await story.publisher())
    const flow = await startCodeFlow(at, app)
    const browser = at.browser()
    const signIn = await browser.follow(await browser.open(flow.path))
    expect(signIn.url).toContain('/sign-in/')
    const second = await browser.follow(
      await browser.submit(signIn, { email: owner.email, password: testPassword }),
    )
    expect(second.url).toMatch(/\/sign-in\/[^/]+\/second-factor\?/)
    expect(second.headers['content-security-policy']).toContain("form-action 'self' http://127.0.0.1:9;")
    const consent = await browser.follow(await browser.submit(second, { code: code(owner.secret) }))
    expect(consent.url).toContain('/consent/')
  })
})

describe('a passkey on the sign-in page', () => {
  interface Question {
    readonly rpId: string
    readonly challenge: string
  }
  const questionOf = ({ html }: PageAnswer) =>
    JSON.parse((/data-options="([^"]*)"/.exec(html)?.[1] ?? '').replaceAll('&quot;', '"')) as Question

  async function withPasskey(person: TestPerson) {
    // It counts nothing, as passkeys that are synchronised do: only the challenge tells a repeated answer.
    const device = makeSoftwareAuthenticator(at.publicUrl, false)
    const { options, enrolment } = await person.api.call<{ options: unknown; enrolment: string }>(
      ...(['POST', '/account/v1/passkeys:enrol', { name: 'laptop', password: testPassword }] as const),
    )
    const credential = device.create(options)
    await person.api.call('POST', '/account/v1/passkeys', { enrolment, credential })
    return device
  }

  const form = (page: PageAnswer) => /<form[^>]*data-passkey[\s\S]*?<\/form>/.exec(page.html)?.[0] ?? ''
  const fieldsOf = (page: PageAnswer) =>
    Object.fromEntries(
      [...form(page).matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, n = '', v = '']) => [n, v]),
    )

  test('is offered by a script of our own, in a form that stays hidden without it', async () => {
    const page = await at.browser().open('/sign-in')
    expect(form(page)).toMatch(/^<form[^>]* hidden/)
    expect(page.html).toContain('<script type="module" src="/assets/passkeys.js"></script>')
    expect(questionOf(page)).toMatchObject({ rpId: 'localhost', userVerification: 'required' })
    const script = await at.anonymous.request('GET', '/assets/passkeys.js')
    expect([script.status, script.headers['content-type']]).toEqual([200, 'text/javascript; charset=utf-8'])
  })

  test('signs in and leads on, and a second time its answer is worth nothing', async () => {
    const person = await at.person()
    const device = await withPasskey(person)
    const browser = at.browser()
    const page = await browser.open('/sign-in?return_to=%2Fm')
    const fields = { ...fieldsOf(page), credential: JSON.stringify(device.get(questionOf(page))) }
    const done = await browser.post('/sign-in', fields)
    expect([done.status, done.location]).toEqual([303, '/m'])
    expect(await statusOfMe(browser.cookie('stoa_session'))).toBe(200)

    const again = at.browser()
    again.plant('stoa_visitor', browser.cookie('stoa_visitor') ?? '')
    const replayed = await again.post('/sign-in', fields)
    expect([replayed.status, replayed.html.includes('open for too long')]).toEqual([401, true])
    expect(again.cookie('stoa_session')).toBeUndefined()
  })

  test('that nobody has registered is refused with the password still at hand', async () => {
    const device = makeSoftwareAuthenticator(at.publicUrl)
    device.create({ challenge: 'x', rp: { id: 'localhost' }, user: { id: 'eA' } })
    const browser = at.browser()
    const page = await browser.open('/sign-in')
    const answer = await browser.post('/sign-in', {
      ...{ ...fieldsOf(page), credential: JSON.stringify(device.get(questionOf(page))) },
    })
    expect([answer.status, answer.html.includes('This passkey is not known here.')]).toEqual([401, true])
    expect(answer.html).toContain('name="password"')
  })

  test('without the token of our own page is refused', async () => {
    const person = await at.person()
    const device = await withPasskey(person)
    const browser = at.browser()
    const page = await browser.open('/sign-in')
    const fields = { ...fieldsOf(page), credential: JSON.stringify(device.get(questionOf(page))), csrf: '' }
    expect((await browser.post('/sign-in', fields)).status).toBe(403)
  })
})
