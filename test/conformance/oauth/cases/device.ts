import { expect } from 'vitest'
import { type Actor, basic, type Parameters, type Reply } from '../actor.ts'
import { expectError, expectOk, textOf } from '../expectations.ts'
import { acceptRefused, dropMember, editForm, otherError, setHeader, setMember } from '../mutations.ts'
import type { Cases } from '../run-cases.ts'
import type { Mutation } from '../tampering-proxy.ts'
import type { App } from '../world.ts'

const atDevice = '/oauth/device_authorization'
const atToken = '/oauth/token'
const page = '/oauth/device'
const metadata = '/.well-known/oauth-authorization-server'
const grantType = 'urn:ietf:params:oauth:grant-type:device_code'

/** An app that runs on a till. */
const till = (at: Actor, name = 'Till') => at.world.publish({ name, manifest: { device: true } })

async function begin(at: Actor, app: App, form: Parameters = { scope: 'order:read' }): Promise<Reply> {
  return at.send('POST', atDevice, { form, headers: { authorization: basic(app) } })
}

const poll = (at: Actor, app: App, code: unknown) =>
  at.token({ grant_type: grantType, device_code: String(code) }, app)

/** Asks after the interval, as a device does. */
const pollLater = (at: Actor, app: App, code: unknown, ms = 6_000) =>
  at.world.later(ms, () => poll(at, app, code))

/** The page after the merchant’s owner has typed the code. */
async function typeCode(at: Actor, userCode: string) {
  const browser = at.browser()
  const answer = await browser.submit(await browser.open(page), { user_code: userCode, step: 'code' })
  return { browser, answer }
}

async function decide(at: Actor, userCode: string, decision: 'allow' | 'deny'): Promise<void> {
  const { browser, answer } = await typeCode(at, userCode)
  const done = await browser.submit(answer, { decision })
  if (done.status !== 200)
    throw new Error(`the device page answered ${done.status}: ${done.html.slice(0, 400)}`)
}

async function codesOf(at: Actor, app: App) {
  const { status, text, json } = await begin(at, app)
  if (status !== 200) throw new Error(`no device code but ${status}: ${text}`)
  return { deviceCode: textOf(json['device_code']), userCode: textOf(json['user_code']) }
}

/** The page leaves out what it should say. */
const pageWithout = (what: string, pattern: RegExp): Mutation => ({
  what: `the device page does not say ${what}`,
  response(response, request) {
    if (request.path === page) response.body = response.body.replaceAll(pattern, '')
  },
})

/** RFC 8628, and what the standards say of public clients, of which the command line is the one. */
export const deviceCases = {
  'rfc8628-1-sign-in': {
    async test(at) {
      const { userCode } = await codesOf(at, await till(at))
      const visitor = at.visitor()
      const opened = await visitor.open(`${page}?user_code=${userCode}`)
      expect([opened.status, textOf(opened.location)]).toEqual([303, expect.stringMatching(/^\/sign-in/)])
    },
    mutation: {
      what: 'the device page asks nobody to sign in',
      response(response, request) {
        if (request.path === page) Object.assign(response, { status: 200, headers: {}, body: '' })
      },
    },
  },
  'rfc8628-3.1-client': {
    async test(at) {
      const form = { client_id: 'app_unknown', scope: 'order:read' }
      const { status, json } = await at.send('POST', atDevice, { form })
      expect([status, textOf(json['error'])]).toEqual([401, 'invalid_client'])
      expect(json).not.toHaveProperty('device_code')
    },
    mutation: acceptRefused(atDevice, '{"device_code":"x","user_code":"x"}'),
  },
  'rfc8628-3.2-members': {
    async test(at) {
      const { json } = await begin(at, await till(at))
      expect(json).toMatchObject({
        ...{ device_code: expect.stringMatching(/^stoa_dc_/), user_code: expect.any(String) },
        ...{ verification_uri: `${at.world.issuer}${page}`, expires_in: 600, interval: 5 },
      })
    },
    mutation: dropMember(atDevice, 'interval'),
  },
  'rfc8628-3.2-no-store': {
    async test(at) {
      const { headers } = await begin(at, await till(at))
      expect(textOf(headers['cache-control'])).toContain('no-store')
    },
    mutation: setHeader(atDevice, 'cache-control', null),
  },
  'rfc8628-3.3.1-shows-code': {
    async test(at, direct) {
      const { userCode } = await codesOf(direct, await till(at))
      const opened = await at.browser().open(`${page}?user_code=${userCode}`)
      expect(opened.status).toBe(200)
      expect(opened.html).toContain(userCode)
      expect(opened.html).toContain('<form')
      expectError(
        await poll(direct, await till(at), (await codesOf(direct, await till(at))).deviceCode),
        400,
        'authorization_pending',
      )
    },
    mutation: pageWithout('the code', /[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}/g),
  },
  'rfc8628-3.4-code-of-client': {
    async test(at, direct) {
      const [mine, other] = [await till(at), await till(at, 'Another till')]
      const { deviceCode, userCode } = await codesOf(direct, mine)
      await decide(direct, userCode, 'allow')
      expectError(await pollLater(at, other, deviceCode), 400, 'invalid_grant')
      expectOk(await pollLater(direct, mine, deviceCode, 12_000))
    },
    mutation: acceptRefused(atToken),
  },
  'rfc8628-3.5-pending': {
    async test(at, direct) {
      const app = await till(at)
      const { deviceCode } = await codesOf(direct, app)
      expectError(await poll(at, app, deviceCode), 400, 'authorization_pending')
    },
    mutation: otherError(atToken, 'invalid_grant'),
  },
  'rfc8628-3.5-slow-down': {
    async test(at, direct) {
      const app = await till(at)
      const { deviceCode } = await codesOf(direct, app)
      expectError(await poll(at, app, deviceCode), 400, 'authorization_pending')
      expectError(await poll(at, app, deviceCode), 400, 'slow_down')
    },
    mutation: otherError(atToken, 'authorization_pending'),
  },
  'rfc8628-3.5-access-denied': {
    async test(at, direct) {
      const app = await till(at)
      const { deviceCode, userCode } = await codesOf(direct, app)
      await decide(direct, userCode, 'deny')
      expectError(await poll(at, app, deviceCode), 400, 'access_denied')
    },
    mutation: otherError(atToken, 'authorization_pending'),
  },
  'rfc8628-3.5-expired-token': {
    async test(at, direct) {
      const app = await till(at)
      const { deviceCode } = await codesOf(direct, app)
      expectError(await pollLater(at, app, deviceCode, 601_000), 400, 'expired_token')
    },
    mutation: otherError(atToken, 'authorization_pending'),
  },
  'rfc8628-3.5-single-use': {
    async test(at, direct) {
      const app = await till(at)
      const { deviceCode, userCode } = await codesOf(direct, app)
      await decide(direct, userCode, 'allow')
      const first = await poll(at, app, deviceCode)
      expect([first.status, textOf(first.json['token_type'])]).toEqual([
        200,
        expect.stringMatching(/^bearer$/i),
      ])
      expectError(await pollLater(at, app, deviceCode), 400, 'invalid_grant')
    },
    mutation: acceptRefused(atToken),
  },
  'rfc8628-4-metadata': {
    async test(at) {
      const { json } = await at.send('GET', metadata)
      expect(json['device_authorization_endpoint']).toBe(`${at.world.issuer}${atDevice}`)
      expect(json['grant_types_supported']).toContain(grantType)
    },
    mutation: dropMember(metadata, 'device_authorization_endpoint'),
  },
  'rfc8628-5.1-rate-limit': {
    async test(at, direct) {
      const { userCode } = await codesOf(direct, await till(at))
      const browser = at.visitor()
      browser.plant('stoa_session', (await at.world.at.person()).session)
      const type = async (user_code: string) =>
        (await browser.submit(await browser.open(page), { user_code, step: 'code' })).html
      for (let guess = 0; guess < 10; guess += 1)
        expect(await type('BBBB-BBBB')).toContain('No device waits for this code.')
      // Not even the right one helps now.
      expect(await type(userCode)).toContain('Too many wrong codes.')
    },
    mutation: pageWithout('that there were too many', /Too many wrong codes[.]/g),
  },
  'rfc8628-5.2-entropy': {
    async test(at) {
      const app = await till(at)
      const codes = [await begin(at, app), await begin(at, app)].map(({ json }) =>
        textOf(json['device_code']),
      )
      for (const code of codes) expect(code).toMatch(/^stoa_dc_[0-9A-Za-z]{49}$/)
      expect(codes[0]).not.toBe(codes[1])
    },
    mutation: setMember(atDevice, 'device_code', 'stoa_dc_1234'),
  },
  'rfc8628-5.4-remote-phishing': {
    async test(at, direct) {
      const { userCode } = await codesOf(direct, await till(at))
      const { answer } = await typeCode(at, userCode)
      for (const sentence of [
        'your device must show exactly this code',
        'Only type a code that a device in front of you shows',
        '127.0.0.1',
      ])
        expect(answer.html).toContain(sentence)
    },
    mutation: pageWithout('that a device asks', /Only type a code that a device in front of you shows/g),
  },
  'rfc8628-6.1-input': {
    async test(at, direct) {
      const { userCode } = await codesOf(direct, await till(at))
      for (const typed of [
        userCode.toLowerCase(),
        userCode.replace('-', ''),
        ` ${userCode.replace('-', ' ')} `,
      ]) {
        const { answer } = await typeCode(at, typed)
        expect(answer.html, typed).toContain(userCode)
      }
    },
    mutation: editForm(page, 'takes a code as it is typed', (form) => {
      const code = form.get('user_code')
      if (code !== null && code !== code.toUpperCase()) form.set('user_code', 'BBBB-BBBB')
    }),
  },
  'rfc9449-5-public-refresh': {
    test: (at, direct) => expectNoRefreshToken(at, direct),
    mutation: setMember(atToken, 'refresh_token', 'stoa_rt_x'),
  },
  'rfc9700-2.2.2-public-refresh': {
    test: (at, direct) => expectNoRefreshToken(at, direct),
    mutation: setMember(atToken, 'refresh_token', 'stoa_rt_x'),
  },
} satisfies Cases

/** The command line’s token: signed in by a developer, from its own request on. */
async function expectNoRefreshToken(at: Actor, direct: Actor): Promise<void> {
  const client = { client_id: 'stoa-cli' }
  const { json } = await direct.send('POST', atDevice, { form: { ...client, scope: 'account' } })
  const browser = direct.browser()
  const asked = await browser.submit(await browser.open(page), {
    user_code: textOf(json['user_code']),
    step: 'code',
  })
  await browser.submit(asked, { decision: 'allow' })
  const form = { grant_type: grantType, device_code: textOf(json['device_code']), ...client }
  const reply = await at.token(form, null)
  expectOk(reply)
  expect(textOf(reply.json['access_token'])).toMatch(/^stoa_pt_/)
  expect(reply.json).not.toHaveProperty('refresh_token')
}
