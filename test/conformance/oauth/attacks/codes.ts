import { beforeAll, describe, expect, test } from 'vitest'
import { callerOf } from '../../../support/platform.ts'
import type { Actor } from '../actor.ts'
import { expectError, expectErrorBack, expectOk } from '../expectations.ts'
import type { World } from '../world.ts'

let world: World
let at: Actor

function prepare(opened: World): void {
  world = opened
  at = opened.direct
}

export function codeAttacks(open: () => World): void {
  beforeAll(() => prepare(open()))

  describe('a stolen code', () => {
    test('injected into the thief’s own authorization is refused, and the owner still redeems it', async () => {
      const [victim, thief] = [await at.code(), await at.code()]
      const injected = { ...thief, code: victim.code }
      expectError(await at.redeem(injected), 400, 'invalid_grant')
      expectOk(await at.redeem(victim))
    })

    test('redeemed a second time ends what the first gave, for thief and owner alike', async () => {
      const code = await at.code()
      const owner = (await at.redeem(code)).json
      expectError(await at.redeem(code), 400, 'invalid_grant')
      expect((await at.api(String(owner['access_token']))).status).toBe(401)
      expectError(await at.refresh(String(owner['refresh_token'])), 400, 'invalid_grant')
    })

    test('redeemed by ten at once gives tokens to one at most', async () => {
      const code = await at.code()
      const replies = await Promise.all(Array.from({ length: 10 }, () => at.redeem(code)))
      expect(replies.filter(({ status }) => status === 200)).toHaveLength(1)
    })

    test('is worth nothing to another app, with its own or the victim’s redirect URI', async () => {
      const code = await at.code()
      for (const redirect_uri of [world.other.redirectUri, 'https://evil.example.com/callback'])
        expectError(await at.redeem(code, { redirect_uri }, world.other), 400, 'invalid_grant')
      const named = await at.redeem(code, { client_id: world.app.appId }, world.other)
      expect([400, 401]).toContain(named.status)
      expectOk(await at.redeem(code))
    })

    test('is no refresh token, no access token and no device code', async () => {
      const { code } = await at.code()
      expectError(await at.refresh(code), 400, 'invalid_grant')
      expect((await at.api(code)).status).toBe(401)
      expect((await at.introspect(code)).json).toEqual({ active: false })
    })
  })

  describe('PKCE cannot be talked down', () => {
    test.each([
      ['without a challenge', { code_challenge: null, code_challenge_method: null }],
      ['with an empty challenge', { code_challenge: '', code_challenge_method: null }],
      ['with a method and no challenge', { code_challenge: null }],
      ['with the method plain', { code_challenge_method: 'plain' }],
      ['with the method left to its default', { code_challenge_method: null }],
      ['with the method in small letters', { code_challenge_method: 's256' }],
      ['with the method none', { code_challenge_method: 'none' }],
    ])('a request %s gets no code', async (_how, changes) => {
      expectErrorBack(await at.open(await at.authorization(changes)), 'invalid_request')
    })

    test('a second challenge beside the first gets no code', async () => {
      const { codeChallenge } = await at.authorization()
      const changes = { code_challenge: [codeChallenge, 'A'.repeat(43)] }
      expectErrorBack(await at.open(await at.authorization(changes)), 'invalid_request')
    })

    test('the challenge itself is no verifier', async () => {
      const code = await at.code()
      expectError(await at.redeem(code, { code_verifier: code.codeChallenge }), 400, 'invalid_grant')
    })

    test('the method is not the token request’s to choose', async () => {
      const code = await at.code()
      const changes = { code_verifier: code.codeChallenge, code_challenge_method: 'plain' }
      expectError(await at.redeem(code, changes), 400, 'invalid_grant')
    })

    test('two verifiers are no verifier', async () => {
      const code = await at.code()
      const code_verifier = ['x'.repeat(43), code.codeVerifier]
      expectError(await at.redeem(code, { code_verifier }), 400, 'invalid_request')
      expectOk(await at.redeem(code))
    })
  })

  describe('tokens of one app in the hands of another', () => {
    test('a refresh token is refused, harms nobody and still works for its owner', async () => {
      const { refresh_token } = await at.connect()
      expectError(await at.refresh(refresh_token, {}, world.other), 400, 'invalid_grant')
      const { status } = await at.refresh(refresh_token, { client_id: world.app.appId }, world.other)
      expect([400, 401]).toContain(status)
      const next = String((await at.refresh(refresh_token)).json['refresh_token'])
      expectError(await at.refresh(refresh_token, {}, world.other), 400, 'invalid_grant')
      expectOk(await at.refresh(next))
    })

    test('are neither seen nor ended', async () => {
      const tokens = await at.connect()
      for (const token of [tokens.access_token, tokens.refresh_token]) {
        expect((await at.introspect(token, {}, world.other)).json).toEqual({ active: false })
        await at.revoke(token, {}, world.other)
      }
      expectOk(await at.api(tokens.access_token))
      expectOk(await at.refresh(tokens.refresh_token))
    })

    test('one kind of token is none of another kind', async () => {
      const { access_token, refresh_token } = await at.connect()
      expectError(await at.refresh(access_token), 400, 'invalid_grant')
      expect((await at.api(refresh_token)).status).toBe(401)
      const code = await at.code()
      expectError(await at.redeem({ ...code, code: refresh_token }), 400, 'invalid_grant')
    })
  })

  describe('tokens of one merchant at another', () => {
    const lines = [{ name: 'Tea', quantity: 1, unitPrice: { amount: 500, currency: 'CNY' } }]
    const orderOf = async (merchantId: string) =>
      (await world.at.host.call<{ id: string }>('POST', `/host/v1/merchants/${merchantId}/orders`, { lines }))
        .id

    test('show nothing of it: an order of the other merchant is as unknown as one that is not there', async () => {
      const { access_token } = await at.connect()
      const theirs = await orderOf((await world.otherMerchant()).merchantId)
      const unknown = theirs.replace(/.{6}$/, '000000')
      const replies = [
        await at.api(access_token, `/v1/orders/${theirs}`),
        await at.api(access_token, `/v1/orders/${unknown}`),
      ]
      const [one, other] = replies.map(({ status, json: { requestId: _id, ...problem } }) => ({
        status,
        problem,
      }))
      expect(one).toEqual(other)
      expect(one?.status).toBe(404)
      expect((await at.api(access_token)).text).not.toContain(theirs)
    })

    test('stay with their merchant through every refresh, whatever the request names', async () => {
      const stranger = await world.otherMerchant()
      const first = await at.connect()
      const changes = { merchant_id: stranger.merchantId, installation_id: 'ins_other' }
      const { json } = await at.refresh(first.refresh_token, changes)
      expect(json['merchant_id']).toBe(world.merchant.merchantId)
      expect((await at.introspect(String(json['access_token']))).json['merchant_id']).toBe(
        world.merchant.merchantId,
      )
    })

    test('consent for a merchant that the person does not belong to gives no code and installs nothing', async () => {
      const { merchantId } = await world.otherMerchant()
      const { browser, page } = await at.consentPage(await at.authorization())
      const answered = await browser.submit(page, { decision: 'allow', merchant_id: merchantId })
      expect(answered.location).toBeNull()
      expect([403, 404]).toContain(answered.status)
      expect(await world.at.db.queries.installation.count({ where: { merchantId } })).toBe(0)
    })

    test('consent cannot be given by the operation for an authorization of somebody else’s browser', async () => {
      const { page } = await at.consentPage(await at.authorization())
      const interactionUid = page.url.split('/').at(-1) ?? ''
      const stranger = await world.otherMerchant()
      const input = {
        ...{ merchantId: stranger.merchantId, appId: world.app.appId, versionId: world.app.versionId },
        ...{ optionalScopes: [], locale: 'en', interactionUid },
      }
      const act = world.at.act('installation.create', await callerOf(world.at, stranger.owner), input)
      await expect(act).rejects.toMatchObject({
        code: expect.stringMatching(/^(oauth|capability|install)[.]/),
      })
      expect(
        await world.at.db.queries.installation.count({ where: { merchantId: stranger.merchantId } }),
      ).toBe(0)
    })
  })

  describe('scopes do not grow', () => {
    test.each([
      'order:read order:write',
      'order:write',
      'customer:read',
      'order:read openid',
      'order:*',
      '*',
    ])('a refresh for “%s” is refused and does not rotate', async (scope) => {
      const { refresh_token } = await at.connect()
      expectError(await at.refresh(refresh_token, { scope }), 400, 'invalid_scope')
      expectOk(await at.refresh(refresh_token))
    })

    test('the redemption of a code cannot ask for more than the merchant agreed to', async () => {
      const reply = await at.redeem(await at.code(), { scope: 'order:read order:write customer:read' })
      if (reply.status === 200) expect(reply.json['scope']).toBe('order:read')
      else expectError(reply, 400, 'invalid_scope')
    })

    test('client credentials open nobody’s data', async () => {
      const form = { grant_type: 'client_credentials' }
      expectError(await at.token({ ...form, scope: 'order:read' }), 400, 'invalid_scope')
      const { json } = await at.token(form)
      expect((await at.api(String(json['access_token']))).status).toBe(403)
    })
  })
}
