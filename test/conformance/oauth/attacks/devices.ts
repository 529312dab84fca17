import { beforeAll, describe, expect, test } from 'vitest'
import { type Actor, basic } from '../actor.ts'
import { expectError, expectOk, textOf } from '../expectations.ts'
import type { App, World } from '../world.ts'

let world: World
let at: Actor
let app: App

async function prepare(opened: World): Promise<void> {
  world = opened
  at = opened.direct
  app = await opened.publish({ name: 'Till', manifest: { device: true } })
}

const page = '/oauth/device'
const grantType = 'urn:ietf:params:oauth:grant-type:device_code'

/** What a phisher starts on a device of their own. */
async function begin() {
  const headers = { authorization: basic(app), 'user-agent': 'phishing kit 1.0' }
  const { json } = await at.send('POST', '/oauth/device_authorization', {
    form: { scope: 'order:read' },
    headers,
  })
  return { deviceCode: textOf(json['device_code']), userCode: textOf(json['user_code']) }
}

const poll = (device_code: string, ms = 0) =>
  world.later(ms, () => at.token({ grant_type: grantType, device_code }, app))

async function typeCode(userCode: string, browser = at.browser()) {
  return {
    browser,
    answer: await browser.submit(await browser.open(page), { user_code: userCode, step: 'code' }),
  }
}

export function deviceAttacks(open: () => World): void {
  beforeAll(() => prepare(open()))

  describe('device code phishing', () => {
    test('a link with the code decides nothing: the page asks, and shows the code to compare', async () => {
      const { deviceCode, userCode } = await begin()
      const opened = await at.browser().open(`${page}?user_code=${userCode}`)
      expect([opened.status, opened.html.includes(userCode)]).toEqual([200, true])
      expectError(await poll(deviceCode), 400, 'authorization_pending')
    })

    test('the page says which app asks, from which address and program, and warns', async () => {
      const { userCode } = await begin()
      const { answer } = await typeCode(userCode)
      for (const sentence of [
        'Till',
        'phishing kit 1.0',
        '127.0.0.1',
        'Only type a code that a device in front of you shows',
      ])
        expect(answer.html).toContain(sentence)
    })

    test('what the device says of itself is text, whatever it is', async () => {
      const headers = { authorization: basic(app), 'user-agent': '<b>till</b>' }
      const form = { scope: 'order:read' }
      const { json } = await at.send('POST', '/oauth/device_authorization', { form, headers })
      const { answer } = await typeCode(textOf(json['user_code']))
      expect(answer.html).not.toContain('<b>till')
    })

    test.each([
      ['no token', { csrf: null }, {}],
      ['a wrong token', { csrf: 'x'.repeat(43) }, {}],
      ['the right token from another site', {}, { 'sec-fetch-site': 'cross-site' }],
    ])('a forged decision with %s gives the device nothing', async (_what, fields, headers) => {
      const { deviceCode, userCode } = await begin()
      const { browser, answer } = await typeCode(userCode)
      const forged = await browser.submit(answer, { decision: 'allow', ...fields }, headers)
      expect(forged.status).toBe(403)
      expectError(await poll(deviceCode), 400, 'authorization_pending')
    })

    test('the page cannot stand in a frame', async () => {
      const { userCode } = await begin()
      const { answer } = await typeCode(userCode)
      expect(answer.headers['x-frame-options']).toMatch(/^(DENY|SAMEORIGIN)$/)
      expect(answer.headers['content-security-policy']).toContain("frame-ancestors 'none'")
    })

    test('an old code is worth nothing to whoever types it late', async () => {
      const { deviceCode, userCode } = await begin()
      await world.later(601_000, async () => {
        expect((await typeCode(userCode)).answer.html).toContain('No device waits for this code.')
      })
      expectError(await poll(deviceCode, 601_000), 400, 'expired_token')
    })

    test('a code decided once is decided: a second person cannot take it over', async () => {
      const { deviceCode, userCode } = await begin()
      const { browser, answer } = await typeCode(userCode)
      await browser.submit(answer, { decision: 'deny' })
      const stranger = at.visitor()
      stranger.plant('stoa_session', (await world.otherMerchant()).owner.session)
      expect((await typeCode(userCode, stranger)).answer.html).toContain('No device waits for this code.')
      expectError(await poll(deviceCode), 400, 'access_denied')
    })

    test('a user code is no device code, and a device code no user code', async () => {
      const { deviceCode, userCode } = await begin()
      expectError(await poll(userCode), 400, 'invalid_grant')
      expect((await typeCode(deviceCode)).answer.html).toContain('No device waits for this code.')
    })

    test('ten polls at once of a confirmed code give tokens to one', async () => {
      const { deviceCode, userCode } = await begin()
      const { browser, answer } = await typeCode(userCode)
      await browser.submit(answer, { decision: 'allow' })
      const replies = await Promise.all(Array.from({ length: 10 }, () => poll(deviceCode)))
      expect(replies.filter(({ status }) => status === 200)).toHaveLength(1)
    })
  })

  describe('an exchange does not widen', () => {
    const exchange = (subject_token: string, changes = {}, by: App = world.app) =>
      at.token(
        {
          grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
          ...{
            subject_token,
            subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
            ...changes,
          },
        },
        by,
      )

    test.each(['order:read order:write', 'order:write', 'customer:read', 'openid'])(
      'to the scope %s',
      async (scope) => {
        expectError(await exchange((await at.connect()).access_token, { scope }), 400, 'invalid_scope')
      },
    )

    test('to another app: its token is as unknown as one that is not there', async () => {
      const { access_token } = await at.connect()
      const theirs = await exchange(access_token, {}, world.other)
      const unknown = await exchange(`stoa_at_${'A'.repeat(49)}`, {}, world.other)
      expect([theirs.status, theirs.text]).toEqual([unknown.status, unknown.text])
      expect(theirs.status).toBe(400)
    })

    test('from a refresh token, a code or a token of another kind', async () => {
      const { refresh_token } = await at.connect()
      const { code } = await at.code()
      const single = textOf((await at.token({ grant_type: 'client_credentials' })).json['access_token'])
      for (const token of [refresh_token, code, single])
        expectError(await exchange(token), 400, 'invalid_request')
    })

    test('and ends with the authorization it came from', async () => {
      const tokens = await at.connect()
      const exchanged = textOf((await exchange(tokens.access_token)).json['access_token'])
      expectOk(await at.api(exchanged))
      await at.revoke(tokens.refresh_token)
      expect((await at.api(exchanged)).status).toBe(401)
    })
  })
}
