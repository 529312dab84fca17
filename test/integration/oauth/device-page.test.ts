import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sql } from '../../../src/db/index.ts'
import { limits } from '../../../src/kernel/index.ts'
import type { TestPerson, TestPlatform } from '../../support/platform.ts'
import { type DeviceWorld, errorOf, openDeviceWorld } from './device-world.ts'

const plainHttp = { [oauth.allowInsecureRequests]: true } as const
let at: TestPlatform
let w: DeviceWorld
beforeAll(async () => {
  w = await openDeviceWorld()
  at = w.at
})
afterAll(() => at.close())

describe('an app on a device', () => {
  test('gets the installation’s tokens after a manager has compared the code and agreed', async () => {
    const merchant = await w.story.merchant()
    const device = await w.beginApp({ scope: 'order:read order:write' })
    expect(await errorOf(await w.poll(device))).toBe('authorization_pending')
    const { browser, page } = await w.typeCode(merchant.owner, device.code.user_code)
    const done = await browser.submit(page, { decision: 'allow', optional: ['order:write'] })
    expect(done.html).toContain('The device goes on by itself within seconds.')
    const response = await w.patientPoll(device)
    const tokens = await oauth.processDeviceCodeResponse(w.as, device.client, response)
    expect(tokens).toMatchObject({ scope: 'order:read order:write', merchant_id: merchant.merchantId })
    expect(tokens.refresh_token).toMatch(/^stoa_rt_/)
    await at.bearer(tokens.access_token).call('GET', '/v1/orders')
    const refreshed = await oauth.refreshTokenGrantRequest(
      w.as,
      device.client,
      device.auth,
      tokens.refresh_token ?? '',
      plainHttp,
    )
    expect(refreshed.status).toBe(200)
  })

  test.each([
    [
      'en',
      [
        'Till',
        'made by Tea Tools',
        'your device must show exactly this code',
        '127.0.0.1',
        'till/3.1 (counter 2)',
        'UTC',
        'Only type a code that a device in front of you shows',
        'See your orders',
      ],
    ],
    [
      'zh-CN',
      [
        'Till',
        '由 Tea Tools 开发',
        '您的设备必须显示完全相同的代码',
        '127.0.0.1',
        'till/3.1 (counter 2)',
        'UTC',
        '请只输入您面前的设备所显示的代码',
        '查看您的订单',
      ],
    ],
  ])(
    'the page says in %s who asks, for what, from where and when, and warns',
    async (language, sentences) => {
      const merchant = await w.story.merchant()
      const { code } = await w.beginApp()
      const { page } = await w.typeCode(merchant.owner, code.user_code, language)
      expect(page.status).toBe(200)
      for (const sentence of [code.user_code, ...sentences]) expect(page.html).toContain(sentence)
      expect(page.html).toContain(new Date(at.clock.nowMs()).toISOString().slice(0, 10))
    },
  )

  test('asks at which merchant, where there are several', async () => {
    const [one, two] = [await w.story.merchant('One Tea'), await w.story.merchant('Two Teas')]
    await w.story.member(two.merchantId, 'owner', one.owner)
    const device = await w.beginApp()
    const { browser, page } = await w.typeCode(one.owner, device.code.user_code)
    expect(page.html).toContain('Choose the merchant')
    const consent = await browser.submit(page, { merchant_id: two.merchantId, step: 'code' })
    expect(consent.html).toContain('asks Two Teas for permission')
    await browser.submit(consent, { decision: 'allow' })
    const tokens = (await (await w.patientPoll(device)).json()) as Record<string, unknown>
    expect(tokens['merchant_id']).toBe(two.merchantId)
  })

  test('gets nothing from a member who may not decide', async () => {
    const merchant = await w.story.merchant()
    const staff = await w.story.member(merchant.merchantId, 'staff')
    const device = await w.beginApp()
    const { browser, page } = await w.typeCode(staff, device.code.user_code)
    const refused = await browser.submit(page, { decision: 'allow' })
    expect([refused.status, refused.html.includes('capability.role_required')]).toEqual([403, true])
    expect(await errorOf(await w.patientPoll(device))).toBe('authorization_pending')
  })

  test('is told when the person refuses, and the code is worth nothing any more', async () => {
    const merchant = await w.story.merchant()
    const device = await w.beginApp()
    const { browser, page } = await w.typeCode(merchant.owner, device.code.user_code)
    const denied = await browser.submit(page, { decision: 'deny' })
    expect(denied.html).toContain('Nothing was given to the device.')
    expect(await errorOf(await w.patientPoll(device))).toBe('access_denied')
    const again = await browser.submit(page, { decision: 'allow' })
    expect(again.status).toBe(422)
    expect(again.html).toContain('No device waits for this code.')
  })

  test('with access_type=online is the person’s, and ends with their session', async () => {
    const merchant = await w.story.merchant()
    const device = await w.beginApp({ scope: 'openid order:read' })
    const { browser, page } = await w.typeCode(merchant.owner, device.code.user_code)
    await browser.submit(page, { decision: 'allow' })
    const tokens = await oauth.processDeviceCodeResponse(w.as, device.client, await w.patientPoll(device))
    expect(oauth.getValidatedIdTokenClaims(tokens)?.sub).toMatch(/^[\w-]{43}$/)
    await sql(at.db.queries, 'delete from session where person_id = $1', merchant.owner.personId)
    at.clock.advance(limits.accessTokenCacheMs + 1)
    expect((await at.bearer(tokens.access_token).request('GET', '/v1/orders')).status).toBe(401)
  })
})

describe('against phishing', () => {
  test('nobody decides without signing in first, and a link alone does nothing', async () => {
    const device = await w.beginApp()
    const link = new URL(device.code.verification_uri_complete ?? '')
    const stranger = await at.browser().open(link.pathname + link.search)
    expect(stranger.location).toBe(`/sign-in?return_to=${encodeURIComponent(link.pathname + link.search)}`)
    const merchant = await w.story.merchant()
    const page = await at.browser(merchant.owner).open(link.pathname + link.search)
    expect(page.html).toContain(`value="${device.code.user_code}"`)
    expect(page.html).toContain('Whoever sends you one by mail, chat or phone wants to act in your name.')
    expect(page.html).not.toContain('Till')
    expect(await errorOf(await w.patientPoll(device))).toBe('authorization_pending')
  })

  test('a form of another site decides nothing', async () => {
    const merchant = await w.story.merchant()
    const device = await w.beginCli()
    const { browser, page } = await w.typeCode(merchant.owner, device.code.user_code)
    const forged = [
      await browser.submit(page, { decision: 'allow', csrf: null }),
      await browser.submit(page, { decision: 'allow', csrf: 'guessed' }),
      await browser.submit(page, { decision: 'allow' }, { 'sec-fetch-site': 'cross-site' }),
    ]
    expect(forged.map(({ status }) => status)).toEqual([403, 403, 403])
    expect(await errorOf(await w.patientPoll(device))).toBe('authorization_pending')
  })

  test('the code is taken as people type it', async () => {
    const merchant = await w.story.merchant()
    const device = await w.beginCli()
    const typed = ` ${device.code.user_code.toLowerCase().replace('-', ' ')} `
    const { page } = await w.typeCode(merchant.owner, typed)
    expect(page.html).toContain('Is this your device?')
  })

  test('wrong codes are counted per person, and a right one does not help after ten', async () => {
    const merchant = await w.story.merchant()
    const device = await w.beginCli()
    const { browser, page } = await w.typeCode(merchant.owner, 'BCDF-GHJK')
    expect(page.html).toContain('No device waits for this code.')
    for (let i = 1; i < limits.userCodeFailuresMax; i += 1)
      await browser.submit(page, { user_code: 'vowels aeiou' })
    const blocked = await browser.submit(page, { user_code: device.code.user_code, step: 'code' })
    expect(blocked.html).toContain('Too many wrong codes.')
    const json = { userCode: device.code.user_code }
    const answer = await merchant.owner.api.request('POST', '/account/v1/device-authorizations:find', {
      json,
    })
    expect([answer.status, answer.headers['retry-after']]).toEqual([429, '900'])
    const other = await w.story.merchant()
    expect((await w.typeCode(other.owner, device.code.user_code)).page.html).toContain('Is this your device?')
    at.clock.advance(limits.userCodeWindowMs)
    const fresh = await w.beginCli()
    expect((await w.typeCode(merchant.owner, fresh.code.user_code)).page.html).toContain(
      'Is this your device?',
    )
  })

  test('guessing through installation.create counts like guessing on the page, and installs nothing', async () => {
    const merchant = await w.story.merchant()
    const path = `/merchant/v1/merchants/${merchant.merchantId}/installations`
    const json = {
      appId: w.app.appId,
      versionId: w.app.versionId,
      optionalScopes: [],
      locale: 'en',
      userCode: 'BCDF-GHJK',
    }
    const { api } = merchant.owner
    for (let i = 0; i < limits.userCodeFailuresMax; i += 1)
      expect((await api.refused('POST', path, 404, { json })).code).toBe('oauth.user_code_not_found')
    expect((await api.refused('POST', path, 429, { json })).code).toBe('oauth.too_many_user_codes')
    expect((await api.call<{ data: object[] }>('GET', path)).data).toEqual([])
  })

  test('a network has more tries than a person, and not without end', async () => {
    await sql(at.db.queries, 'delete from user_code_attempt')
    const people = await Promise.all(Array.from({ length: 10 }, () => at.person()))
    const guess = (person: TestPerson) =>
      person.api.request<{ code: string }>('POST', '/account/v1/device-authorizations:find', {
        json: { userCode: 'X' },
      })
    for (const person of people)
      for (let i = 0; i < limits.userCodeFailuresMax; i += 1) expect((await guess(person)).status).toBe(404)
    expect((await guess(await at.person())).status).toBe(429)
    const rows = await sql<{ failures: number }>(at.db.queries, 'select failures from user_code_attempt')
    expect(rows.length).toBe(11)
    await sql(at.db.queries, 'delete from user_code_attempt')
  })
})
