import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { limits } from '../../../src/kernel/index.ts'
import type { TestPlatform } from '../../support/platform.ts'
import { cli, type DeviceWorld, deviceManifest, errorOf, openDeviceWorld } from './device-world.ts'
import { basic, post } from './flow.ts'

let at: TestPlatform
let w: DeviceWorld
beforeAll(async () => {
  w = await openDeviceWorld()
  at = w.at
})
afterAll(() => at.close())

describe('the request', () => {
  test('gives a code to type and one to ask with, for 10 minutes and every 5 seconds', async () => {
    const { code } = await w.beginApp({ scope: 'order:read' })
    expect(code).toEqual({
      device_code: expect.stringMatching(/^stoa_dc_[0-9A-Za-z]{49}$/),
      user_code: expect.stringMatching(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/),
      verification_uri: `${at.baseUrl}/oauth/device`,
      verification_uri_complete: `${at.baseUrl}/oauth/device?user_code=${code.user_code}`,
      expires_in: 600,
      interval: 5,
    })
    const rows = JSON.stringify(await at.db.queries.oauthToken.findMany({ where: { kind: 'DeviceCode' } }))
    for (const secret of [code.device_code, code.user_code, code.user_code.replace('-', '')])
      expect(rows).not.toContain(secret)
  })

  test.each<[string, Record<string, string>, string]>([
    ['a scope outside the manifest', { scope: 'customer:read' }, 'invalid_scope'],
    ['another resource', { resource: 'https://elsewhere.example.com/' }, 'invalid_target'],
    [
      'details the manifest does not declare',
      { authorization_details: '[{"type":"shops"}]' },
      'invalid_authorization_details',
    ],
    ['an unknown access type', { access_type: 'always' }, 'invalid_request'],
  ])('for %s is refused', async (_what, parameters, error) => {
    const response = await post(
      { publicUrl: at.baseUrl },
      '/oauth/device_authorization',
      parameters,
      basic(w.app.appId, w.app.clientSecret),
    )
    expect(await errorOf(response)).toBe(error)
  })

  test('of an app whose manifest does not ask for it, or with a wrong secret, is refused', async () => {
    const other = await w.story.publish(w.app.publisher, { manifest: { required: ['order:read'] } })
    const path = '/oauth/device_authorization'
    const world = { publicUrl: at.baseUrl }
    expect(await errorOf(await post(world, path, {}, basic(other.appId, other.clientSecret)))).toBe(
      'invalid_request',
    )
    expect((await post(world, path, {}, basic(w.app.appId, 'wrong'))).status).toBe(401)
  })
})

describe('the command line', () => {
  test('signs a developer in: its token works on the developer’s API alone and is theirs to end', async () => {
    const { owner } = await w.story.publisher()
    const device = await w.beginCli()
    const { browser, page } = await w.typeCode(owner, device.code.user_code)
    for (const sentence of [
      'The command line of this platform asks to act as you',
      'Register apps, upload and submit versions',
    ])
      expect(page.html).toContain(sentence)
    await browser.submit(page, { decision: 'allow' })
    const tokens = await oauth.processDeviceCodeResponse(w.as, cli, await w.patientPoll(device))
    expect(tokens).toMatchObject({
      access_token: expect.stringMatching(/^stoa_pt_/),
      token_type: 'bearer',
      scope: 'developer account',
    })
    const api = at.bearer(tokens.access_token)
    await api.call('GET', '/developer/v1/publishers')
    expect((await api.request('GET', '/v1/orders')).status).toBe(401)
    const listed = await api.call<{ data: { id: string; name: string; audiences: string[] }[] }>(
      'GET',
      '/account/v1/tokens',
    )
    const own = listed.data.find(({ name }) => name.startsWith('Stoa CLI'))
    expect(own).toMatchObject({
      name: 'Stoa CLI, asked for from 127.0.0.1',
      audiences: ['developer', 'account'],
    })
    await api.call('DELETE', `/account/v1/tokens/${own?.id}`)
    expect((await api.request('GET', '/developer/v1/publishers')).status).toBe(401)
  })

  test('asks for less when it wants less, and for nothing else', async () => {
    const { owner } = await w.story.publisher()
    const device = await w.beginCli({ scope: 'developer' })
    const { browser, page } = await w.typeCode(owner, device.code.user_code)
    expect(page.html).not.toContain('list and end your sessions')
    await browser.submit(page, { decision: 'allow' })
    const tokens = await oauth.processDeviceCodeResponse(w.as, cli, await w.patientPoll(device))
    expect(tokens.scope).toBe('developer')
    expect((await at.bearer(tokens.access_token).request('GET', '/account/v1/tokens')).status).toBe(403)
    const world = { publicUrl: at.baseUrl }
    for (const scope of ['merchant', 'order:read', 'reviewer'])
      expect(
        await errorOf(await post(world, '/oauth/device_authorization', { client_id: 'stoa-cli', scope })),
      ).toBe('invalid_scope')
  })

  test('can do nothing at the other endpoints', async () => {
    const world = { publicUrl: at.baseUrl }
    for (const grant_type of [
      'client_credentials',
      'authorization_code',
      'refresh_token',
      'urn:ietf:params:oauth:grant-type:token-exchange',
    ])
      expect(await errorOf(await post(world, '/oauth/token', { grant_type, client_id: 'stoa-cli' }))).toBe(
        'unauthorized_client',
      )
    const authorize = await at
      .browser()
      .open(
        '/oauth/authorize?client_id=stoa-cli&response_type=code&code_challenge=x&code_challenge_method=S256',
      )
    expect(authorize.status).toBe(400)
  })

  test('is not signed in by a token: only a person in a browser decides', async () => {
    const { owner } = await w.story.publisher()
    const device = await w.beginCli()
    const json = { userCode: device.code.user_code }
    const problem = await owner.api.refused('POST', '/account/v1/device-authorizations:approve', 403, {
      json,
    })
    expect(problem.code).toBe('oauth.browser_session_required')
    expect(await errorOf(await w.patientPoll(device))).toBe('authorization_pending')
  })

  test('of a person who has too many tokens is told so', async () => {
    const { owner } = await w.story.publisher()
    const { personalTokensMax } = limits
    for (let i = 1; i < personalTokensMax; i += 1) await at.personalToken(owner)
    const device = await w.beginCli()
    const { browser, page } = await w.typeCode(owner, device.code.user_code)
    await browser.submit(page, { decision: 'allow' })
    expect(await errorOf(await w.patientPoll(device))).toBe('access_denied')
  })
})

describe('polling', () => {
  test('faster than the interval is slow_down, and each time costs five seconds more', async () => {
    const device = await w.beginApp()
    expect(await errorOf(await w.poll(device))).toBe('authorization_pending')
    expect(await errorOf(await w.poll(device))).toBe('slow_down')
    at.clock.advance(5_000)
    expect(await errorOf(await w.poll(device))).toBe('slow_down')
    at.clock.advance(14_900)
    expect(await errorOf(await w.poll(device))).toBe('authorization_pending')
    at.clock.advance(10_000)
    expect(await errorOf(await w.poll(device))).toBe('slow_down')
  })

  test('of many at once lets one through', async () => {
    const device = await w.beginApp()
    const errors = await Promise.all(Array.from({ length: 10 }, async () => errorOf(await w.poll(device))))
    expect(errors.filter((error) => error === 'authorization_pending')).toHaveLength(1)
    expect(errors.filter((error) => error === 'slow_down')).toHaveLength(9)
  })

  test('after the decision gives tokens once, of however many at once', async () => {
    const merchant = await w.story.merchant()
    const device = await w.beginApp()
    const { browser, page } = await w.typeCode(merchant.owner, device.code.user_code)
    await browser.submit(page, { decision: 'allow' })
    const responses = await Promise.all(Array.from({ length: 10 }, () => w.poll(device)))
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(1)
    at.clock.advance(60_000)
    expect(await errorOf(await w.poll(device))).toBe('invalid_grant')
  })

  test('after 10 minutes is expired_token, also where somebody has agreed', async () => {
    const merchant = await w.story.merchant()
    const [waiting, agreed] = [await w.beginApp(), await w.beginCli()]
    const { browser, page } = await w.typeCode(merchant.owner, agreed.code.user_code)
    await browser.submit(page, { decision: 'allow' })
    at.clock.advance(limits.deviceCodeMs)
    for (const device of [waiting, agreed]) expect(await errorOf(await w.poll(device))).toBe('expired_token')
    const late = await w.typeCode(merchant.owner, waiting.code.user_code)
    expect(late.page.html).toContain('No device waits for this code.')
  })

  test('with another client’s code, or one that is none, is invalid_grant and slows nobody down', async () => {
    const other = await w.story.publish(w.app.publisher, { manifest: deviceManifest })
    const device = await w.beginApp()
    const world = { publicUrl: at.baseUrl }
    const grant_type = 'urn:ietf:params:oauth:grant-type:device_code'
    for (const device_code of [device.code.device_code, 'nonsense'])
      expect(
        await errorOf(
          await post(
            world,
            '/oauth/token',
            { grant_type, device_code },
            basic(other.appId, other.clientSecret),
          ),
        ),
      ).toBe('invalid_grant')
    const asCli = { grant_type, device_code: device.code.device_code, client_id: 'stoa-cli' }
    expect(await errorOf(await post(world, '/oauth/token', asCli))).toBe('invalid_grant')
    expect(await errorOf(await w.poll(device))).toBe('authorization_pending')
  })
})
