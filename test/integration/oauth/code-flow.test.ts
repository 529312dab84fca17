import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as b from './browser.ts'
import * as f from './flow.ts'
import * as w from './world.ts'

let world: w.World
beforeAll(async () => {
  world = await w.openWorld()
})
afterAll(() => world.close())

describe('the code flow', () => {
  test('leads from the app over sign-in and consent to tokens of the installation', async () => {
    const app = await w.addApp(world)
    const installation = await w.install(world, app.appId)
    const authorization = await f.authorizationOf(world, app)
    const browser = b.makeBrowser()

    const signInPage = b.locationOf(world, await browser.open(authorization.url.href))
    expect(signInPage.pathname).toMatch(/^\/sign-in\/[\w-]+$/)
    const asked = {
      appId: app.appId,
      ...{ scopes: ['order:read', 'order:write'], accessType: 'offline' },
      redirectOrigin: 'https://app.example.com',
    }
    expect(await (await browser.open(signInPage.href)).json()).toEqual({
      ...asked,
      uid: signInPage.pathname.split('/')[2],
      prompt: 'login',
    })
    const resume = b.locationOf(world, await browser.open(`${signInPage.href}?person=per_one`, 'POST'))
    const consentPage = b.locationOf(world, await browser.open(resume.href))
    expect(consentPage.pathname).toMatch(/^\/consent\/[\w-]+$/)
    expect(await (await browser.open(consentPage.href)).json()).toMatchObject({ ...asked, prompt: 'consent' })

    const back = await f.consent(world, browser, consentPage, installation)
    expect(back.origin + back.pathname).toBe(w.redirectUri)
    expect(back.searchParams.get('iss')).toBe(world.publicUrl)
    expect(back.searchParams.get('code')).toMatch(/^stoa_ac_/)

    const response = await f.redeem(world, app, authorization, back)
    expect(response.headers.get('cache-control')).toBe('no-store')
    const tokens = await oauth.processAuthorizationCodeResponse(world.as, app.client, response)
    expect(tokens).toEqual({
      access_token: expect.stringMatching(/^stoa_at_[0-9A-Za-z]{49}$/),
      refresh_token: expect.stringMatching(/^stoa_rt_[0-9A-Za-z]{49}$/),
      token_type: 'bearer',
      expires_in: 3600,
      scope: 'order:read order:write',
      merchant_id: installation.merchantId,
      installation_id: installation.installationId,
    })
    expect(await world.server.verifyAccessToken(tokens.access_token)).toEqual({
      kind: 'app',
      appId: app.appId,
      installation: { ...installation, appId: app.appId, grantEpoch: 1 },
      ...{ scopes: new Set(['order:read', 'order:write']), bounds: [] },
      personId: null,
    })
  })

  test('no plain token, code, session or interaction stands in the database', async () => {
    const app = await w.addApp(world)
    const authorization = await f.authorizationOf(world, app)
    const browser = b.makeBrowser()
    const page = await f.signIn(world, browser, authorization.url)
    const back = await f.consent(world, browser, page, await w.install(world, app.appId))
    const tokens = (await (await f.redeem(world, app, authorization, back)).json()) as f.Tokens
    await f.signIn(world, browser, authorization.url)
    const q = world.database.db.queries
    const rows = JSON.stringify([
      await q.oauthToken.findMany(),
      await q.oauthState.findMany(),
      await q.oauthGrant.findMany(),
    ])
    const cookies = [...browser.cookies.values()].filter(({ name }) => !name.endsWith('.sig'))
    expect(cookies.length).toBeGreaterThan(1)
    const secrets = [
      tokens.access_token,
      tokens.refresh_token,
      back.searchParams.get('code') ?? '',
      ...cookies.map(({ value }) => value),
    ]
    for (const secret of secrets) expect(rows).not.toContain(secret)
  })

  test('asks for the whole manifest when the app names no scope', async () => {
    const app = await w.addApp(world)
    const installation = await w.install(world, app.appId)
    const tokens = await f.connect(world, app, installation, { scope: null })
    expect(tokens.scope.split(' ').sort()).toEqual([...w.scopes].sort())
  })

  test('gives only what was granted of what was asked', async () => {
    const app = await w.addApp(world)
    const installation = await w.install(world, app.appId, ['order:read'])
    const authorization = await f.authorizationOf(world, app, { scope: w.scopes.join(' ') })
    const choice = { ...installation, granted: ['order:read'], refused: ['order:write', 'customer:read'] }
    const back = await f.authorize(world, authorization, choice)
    const tokens = (await (await f.redeem(world, app, authorization, back)).json()) as f.Tokens
    expect(tokens.scope).toBe('order:read')
  })

  test('connects an app that has no scope at all', async () => {
    const app = await w.addApp(world, { manifest: w.manifestOf([]) })
    const installation = await w.install(world, app.appId, [])
    const authorization = await f.authorizationOf(world, app, { scope: null })
    const back = await f.authorize(world, authorization, { ...installation, granted: [] })
    const tokens = (await (await f.redeem(world, app, authorization, back)).json()) as f.Tokens
    expect(tokens.scope ?? '').toBe('')
    const caller = await world.server.verifyAccessToken(tokens.access_token)
    expect(caller?.installation?.installationId).toBe(installation.installationId)
    expect(caller?.scopes.size).toBe(0)
  })

  test('a refusal leads back with access_denied, state and iss', async () => {
    const app = await w.addApp(world)
    const authorization = await f.authorizationOf(world, app)
    const browser = b.makeBrowser()
    const page = await f.signIn(world, browser, authorization.url)
    const resume = b.locationOf(world, await browser.open(`${page.href}/deny`, 'POST'))
    const back = b.locationOf(world, await browser.open(resume.href))
    expect(back.searchParams.get('error')).toBe('access_denied')
    expect(back.searchParams.get('state')).toBe(authorization.state)
    expect(back.searchParams.get('iss')).toBe(world.publicUrl)
  })

  test('asks again at each request, and another person may go on in the same browser', async () => {
    const app = await w.addApp(world)
    const browser = b.makeBrowser()
    const first = await f.authorizationOf(world, app)
    await f.consent(
      world,
      browser,
      await f.signIn(world, browser, first.url),
      await w.install(world, app.appId),
    )

    const installation = await w.install(world, app.appId)
    const second = await f.authorizationOf(world, app)
    const page = await f.signIn(world, browser, second.url, 'per_two')
    expect(page.pathname).toMatch(/^\/consent\//)
    const back = await f.consent(world, browser, page, { ...installation, personId: 'per_two' })
    const tokens = (await (await f.redeem(world, app, second, back)).json()) as f.Tokens
    expect(tokens.installation_id).toBe(installation.installationId)
  })

  test('prompt=none cannot be answered without a page', async () => {
    const app = await w.addApp(world)
    const { url } = await f.authorizationOf(world, app, { prompt: 'none' })
    const back = b.locationOf(world, await b.makeBrowser().open(url.href))
    expect(back.searchParams.get('error')).toBe('login_required')
  })
})

describe('the pages’ side', () => {
  test('another browser, another path or an unknown uid has no interaction', async () => {
    const app = await w.addApp(world)
    const browser = b.makeBrowser()
    const { url } = await f.authorizationOf(world, app)
    const page = b.locationOf(world, await browser.open(url.href))
    expect(await (await b.makeBrowser().open(page.href)).json()).toBeNull()
    const elsewhere = await browser.open(page.href, 'GET')
    expect(await elsewhere.json()).not.toBeNull()

    const [cookie] = [...browser.cookies.values()].filter(({ name }) => name === 'stoa_oauth_interaction')
    const signature = [...browser.cookies.values()].find(({ name }) => name === 'stoa_oauth_interaction.sig')
    const planted = `stoa_oauth_interaction=${cookie?.value}; stoa_oauth_interaction.sig=${signature?.value}`
    const other = await b.makeBrowser().open(`${world.publicUrl}/sign-in/other`, 'GET', { cookie: planted })
    expect(await other.json()).toBeNull()
    const refused = await b.makeBrowser().open(`${world.publicUrl}/sign-in/other?person=per_one`, 'POST')
    expect(refused.status).toBe(404)
    expect(await refused.json()).toMatchObject({ code: 'oauth.interaction_not_found' })
  })

  test.each([
    ['another person', (i: w.TestInstallation) => ({ ...i, personId: 'per_other' })],
    ['another merchant', (i: w.TestInstallation) => ({ ...i, merchantId: 'mer_other' })],
    ['an unknown installation', (i: w.TestInstallation) => ({ ...i, installationId: 'ins_other' })],
  ])('the consent of %s completes nothing', async (_who, change) => {
    const app = await w.addApp(world)
    const installation = await w.install(world, app.appId)
    const browser = b.makeBrowser()
    const page = await f.signIn(world, browser, (await f.authorizationOf(world, app)).url)
    const choice = { personId: 'per_one', ...change(installation) }
    const query = new URLSearchParams({
      ...{ person: choice.personId, merchant: choice.merchantId, installation: choice.installationId },
      granted: 'order:read',
    })
    const response = await browser.open(`${page.href}?${query}`, 'POST')
    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({ code: 'oauth.interaction_not_found' })
  })

  test('the installation of another app completes nothing', async () => {
    const app = await w.addApp(world)
    const foreign = await w.install(world, (await w.addApp(world)).appId)
    const browser = b.makeBrowser()
    const page = await f.signIn(world, browser, (await f.authorizationOf(world, app)).url)
    await expect(f.consent(world, browser, page, foreign)).rejects.toThrow('404')
  })

  test('consent and what the caller writes commit together or not at all', async () => {
    const app = await w.addApp(world)
    const installation = await w.install(world, app.appId)
    const browser = b.makeBrowser()
    const page = await f.signIn(world, browser, (await f.authorizationOf(world, app)).url)
    const uid = page.pathname.split('/')[2] ?? ''
    const agreement = { ...f.agreementOf(installation), uid }
    const failing = world.database.db.tx(async (tx) => {
      await world.server.completeAuthorization(tx, agreement)
      throw new Error('the caller fails afterwards')
    })
    await expect(failing).rejects.toThrow('the caller fails afterwards')
    const where = { installationId: installation.installationId }
    expect(await world.database.db.queries.oauthGrant.count({ where })).toBe(0)
    const back = await f.consent(world, browser, page, installation)
    expect(back.searchParams.get('code')).toMatch(/^stoa_ac_/)
    expect(await world.database.db.queries.oauthGrant.count({ where })).toBe(1)
  })
})

describe('what an authorization request is refused for', () => {
  async function errorBack(
    app: w.TestApp,
    overrides: Readonly<Record<string, string | null>>,
  ): Promise<string | null> {
    const { url } = await f.authorizationOf(world, app, overrides)
    const back = b.locationOf(world, await b.makeBrowser().open(url.href))
    return back.searchParams.get('error') ?? new URLSearchParams(back.hash.slice(1)).get('error')
  }

  test.each([
    ['no PKCE', { code_challenge: null, code_challenge_method: null }, 'invalid_request'],
    ['PKCE plain', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['a challenge without its method', { code_challenge_method: null }, 'invalid_request'],
    ['an unknown scope', { scope: 'order:read everything:write' }, 'invalid_scope'],
    ['another resource', { resource: 'https://elsewhere.example.com/' }, 'invalid_target'],
    ['the implicit flow', { response_type: 'token' }, 'invalid_request'],
    ['a form_post answer', { response_mode: 'form_post' }, 'unsupported_response_mode'],
    ['a fragment answer', { response_mode: 'fragment' }, 'invalid_request'],
  ])('%s', async (_what, overrides, error) => {
    expect(await errorBack(await w.addApp(world), overrides)).toBe(error)
  })

  test('a scope outside the app’s manifest', async () => {
    const app = await w.addApp(world, { manifest: w.manifestOf(['order:read']) })
    expect(await errorBack(app, { scope: 'order:read order:write' })).toBe('invalid_scope')
  })

  test.each([
    'https://app.example.com/callback/',
    'https://app.example.com/callback?next=1',
    'https://app.example.com:443/callback',
    'https://APP.example.com/callback',
    'https://app.example.com/callback#x',
    'https://evil@app.example.com/callback',
    'https://sub.app.example.com/callback',
    'https://app.example.com/x/../callback',
    'https://app.example.com/callbac%6b',
    'http://app.example.com/callback',
    'https://evil.example.com/callback',
  ])('the redirect URI %s, with a page and no redirect', async (uri) => {
    const app = await w.addApp(world)
    const { url } = await f.authorizationOf(world, app, { redirect_uri: uri })
    const response = await b.makeBrowser().open(url.href, 'GET', { accept: 'text/html' })
    expect(response.status).toBe(400)
    expect(response.headers.get('location')).toBeNull()
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(response.headers.get('x-frame-options')).toBe('DENY')
    expect(await response.text()).toContain('oauth.request_refused')
  })

  test('an app without a released version, or a mini-program', async () => {
    for (const options of [{ manifest: null }, { appClass: 'mini-program' as const }]) {
      const app = await w.addApp(world, options)
      const { url } = await f.authorizationOf(world, app)
      expect((await b.makeBrowser().open(url.href)).status).toBe(400)
    }
  })

  test('an unknown app, in the language of the reader', async () => {
    const app = await w.addApp(world)
    const { url } = await f.authorizationOf(world, app, { client_id: 'app_unknown' })
    const headers = { accept: 'text/html', 'accept-language': 'zh-CN,zh;q=0.9' }
    const response = await b.makeBrowser().open(url.href, 'GET', headers)
    expect(response.status).toBe(400)
    expect(await response.text()).toContain('<html lang="zh-CN">')
  })

  test('a redirect URI that the settings have taken out, or the newest release no longer names', async () => {
    const other = 'https://app.example.com/other'
    const app = await w.addApp(world, { manifest: w.manifestOf(w.scopes, [w.redirectUri, other]) })
    const open = async (uri: string) => {
      const { url } = await f.authorizationOf(world, app, { redirect_uri: uri })
      return (await b.makeBrowser().open(url.href)).status
    }
    expect(await open(other)).toBe(303)
    const setting = { appId: app.appId, redirectUris: [w.redirectUri], updatedAt: new Date() }
    await world.database.db.queries.appSetting.create({ data: setting })
    expect(await open(other)).toBe(400)
    expect(await open(w.redirectUri)).toBe(303)
    await world.database.db.queries.appSetting.update({
      where: { appId: app.appId },
      data: { redirectUris: [] },
    })
    world.clock.aheadMs += 1
    await w.release(world, app.appId, 2, w.manifestOf(w.scopes, [other]))
    expect(await open(other)).toBe(303)
    expect(await open(w.redirectUri)).toBe(400)
  })
})

describe('what a code is refused for', () => {
  async function prepare() {
    const app = await w.addApp(world)
    const installation = await w.install(world, app.appId)
    const authorization = await f.authorizationOf(world, app)
    const back = await f.authorize(world, authorization, installation)
    return { app, installation, authorization, back, code: back.searchParams.get('code') ?? '' }
  }

  function exchange(app: w.TestApp, members: Readonly<Record<string, string>>): Promise<Response> {
    const basic = Buffer.from(`${app.appId}:${app.secret}`).toString('base64')
    return f.post(
      world,
      '/oauth/token',
      { grant_type: 'authorization_code', redirect_uri: w.redirectUri, ...members },
      { authorization: `Basic ${basic}` },
    )
  }

  async function expectInvalidGrant(response: Response): Promise<void> {
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: 'invalid_grant' })
  }

  test('a second use, which also ends the tokens of the first', async () => {
    const { app, authorization, back } = await prepare()
    const tokens = (await (await f.redeem(world, app, authorization, back)).json()) as f.Tokens
    expect(await world.server.verifyAccessToken(tokens.access_token)).not.toBeNull()
    await expectInvalidGrant(await f.redeem(world, app, authorization, back))
    expect(await world.server.verifyAccessToken(tokens.access_token)).toBeNull()
    await expectInvalidGrant(await f.refresh(world, app, tokens.refresh_token))
  })

  test('use by twenty at once, of which one gets tokens', async () => {
    const { app, authorization, back } = await prepare()
    const responses = await Promise.all(
      Array.from({ length: 20 }, () => f.redeem(world, app, authorization, back)),
    )
    const good = responses.filter(({ status }) => status === 200)
    expect(good).toHaveLength(1)
    expect(responses.filter(({ status }) => status === 400)).toHaveLength(19)
  })

  test('a wrong or missing verifier, which does not burn the code', async () => {
    const { app, authorization, code } = await prepare()
    await expectInvalidGrant(await exchange(app, { code, code_verifier: oauth.generateRandomCodeVerifier() }))
    await expectInvalidGrant(await exchange(app, { code }))
    expect((await exchange(app, { code, code_verifier: authorization.codeVerifier })).status).toBe(200)
  })

  test('another redirect URI', async () => {
    const { app, authorization, code } = await prepare()
    const members = { code, code_verifier: authorization.codeVerifier, redirect_uri: `${w.redirectUri}/` }
    await expectInvalidGrant(await exchange(app, members))
  })

  test('another app', async () => {
    const { authorization, code } = await prepare()
    const thief = await w.addApp(world)
    await expectInvalidGrant(await exchange(thief, { code, code_verifier: authorization.codeVerifier }))
  })

  test('its age of more than a minute', async () => {
    const { app, authorization, back } = await prepare()
    world.clock.aheadMs += 61_000
    await expectInvalidGrant(await f.redeem(world, app, authorization, back))
  })

  test('an installation that has ended meanwhile', async () => {
    const { app, installation, authorization, back } = await prepare()
    const { merchantId, installationId } = installation
    await world.database.db.tx(async (tx) => {
      await world.server.revokeInstallation(tx, merchantId, installationId)
      await tx.installation.update({ where: { id: installationId }, data: { state: 'uninstalled' } })
    })
    await expectInvalidGrant(await f.redeem(world, app, authorization, back))
  })

  test('a bad checksum, before any query', async () => {
    const { app, authorization, code } = await prepare()
    const last = code.endsWith('A') ? 'B' : 'A'
    const members = { code: code.slice(0, -1) + last, code_verifier: authorization.codeVerifier }
    await expectInvalidGrant(await exchange(app, members))
  })
})
