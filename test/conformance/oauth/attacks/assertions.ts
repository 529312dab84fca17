import { createHmac, createPublicKey, randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Actor, Reply } from '../actor.ts'
import { expectOk } from '../expectations.ts'
import {
  assertionForm,
  forge,
  type KeyedApp,
  makeAssertion,
  makeKey,
  makeProof,
  publishKeyed,
} from '../proofs.ts'
import type { World } from '../world.ts'

let world: World
let at: Actor
let app: KeyedApp

async function prepare(opened: World): Promise<void> {
  world = opened
  at = opened.direct
  app = await publishKeyed(opened)
}

const grant = { grant_type: 'client_credentials' }
const seconds = () => Math.floor(world.at.clock.nowMs() / 1000)

const send = (assertion: string): Promise<Reply> => at.token({ ...grant, ...assertionForm(assertion) }, null)

function expectNobody({ status, json, text }: Reply): void {
  expect([400, 401], text).toContain(status)
  expect(json).not.toHaveProperty('access_token')
}

const claims = (aud = world.issuer) => ({
  ...{ iss: app.appId, sub: app.appId, aud, jti: randomUUID() },
  ...{ iat: seconds(), exp: seconds() + 60 },
})

/** An HMAC over the assertion with what is no secret at all. */
function signedBy(secret: string | Buffer, alg = 'HS256'): string {
  const [header, payload] = forge({ alg }, claims()).split('.')
  const signature = createHmac('sha256', secret).update(`${header}.${payload}`).digest('base64url')
  return `${header}.${payload}.${signature}`
}

export function assertionAttacks(open: () => World): void {
  beforeAll(() => prepare(open()))

  describe('a client assertion', () => {
    test('that is as it should be authenticates', async () => {
      expectOk(await send(await makeAssertion(world, app)))
    })

    test.each(['none', 'None', 'NONE', ''])('with the algorithm “%s” authenticates nobody', async (alg) => {
      expectNobody(await send(forge({ alg }, claims())))
      expectNobody(await send(forge({ alg }, claims(), 'AAAA')))
    })

    test('signed with the public key as if it were a secret authenticates nobody', async () => {
      const key = createPublicKey({ key: app.key.publicJwk, format: 'jwk' })
      const spellings = [
        ...[key.export({ type: 'spki', format: 'pem' }), key.export({ type: 'spki', format: 'der' })],
        ...[JSON.stringify(app.key.publicJwk), app.key.publicJwk.x ?? '', app.key.publicJwk.y ?? ''],
      ]
      for (const spelling of spellings) expectNobody(await send(signedBy(spelling)))
    })

    test('signed with the app’s client secret authenticates nobody', async () => {
      expectNobody(await send(signedBy(app.clientSecret)))
    })

    test('of another algorithm than the key’s authenticates nobody', async () => {
      const [, payload = '', signature = ''] = (await makeAssertion(world, app)).split('.')
      for (const alg of ['RS256', 'PS256', 'ES384', 'EdDSA', 'HS256'])
        expectNobody(
          await send(`${Buffer.from(JSON.stringify({ alg })).toString('base64url')}.${payload}.${signature}`),
        )
    })

    test('that brings its own key authenticates nobody', async () => {
      const thief = await makeKey()
      for (const header of [
        { jwk: thief.publicJwk },
        { jku: 'https://evil.example.com/jwks' },
        { x5u: 'https://evil.example.com/x' },
      ])
        expectNobody(await send(forge({ alg: 'ES256', ...header }, claims(), 'AAAA')))
      expectNobody(await send(await makeAssertion(world, app, {}, thief)))
    })

    test('used a second time authenticates nobody, also of ten at once', async () => {
      const once = await makeAssertion(world, app)
      expectOk(await send(once))
      expectNobody(await send(once))
      const shared = await makeAssertion(world, app)
      const replies = await Promise.all(Array.from({ length: 10 }, () => send(shared)))
      expect(replies.filter(({ status }) => status === 200)).toHaveLength(1)
    })

    test('used at one endpoint is used up at the others', async () => {
      const assertion = await makeAssertion(world, app)
      expectOk(await send(assertion))
      for (const path of ['/oauth/introspect', '/oauth/revoke'])
        expectNobody(await at.send('POST', path, { form: { token: 'x', ...assertionForm(assertion) } }))
    })

    test.each([
      ['another audience', { aud: 'https://evil.example.com' }],
      ['no audience', { aud: undefined }],
      ['the API as its audience', { aud: 'v1' }],
      ['another issuer', { iss: 'app_other' }],
      ['another subject', { sub: 'app_other' }],
      ['no subject', { sub: undefined }],
      ['no jti', { jti: undefined }],
      ['no expiry', { exp: undefined }],
      ['an expiry in the past', { exp: 1 }],
      ['an expiry in a year', { exp: Math.floor(Date.now() / 1000) + 31_536_000 }],
      ['a time before which it does not count', { nbf: Math.floor(Date.now() / 1000) + 600 }],
    ])('with %s authenticates nobody', async (_what, changes) => {
      expectNobody(await send(await makeAssertion(world, app, changes)))
    })

    test('of one app does not authenticate another', async () => {
      const form = {
        ...grant,
        client_id: world.other.appId,
        ...assertionForm(await makeAssertion(world, app)),
      }
      expectNobody(await at.token(form, null))
    })

    test('beside a client secret is one method too many', async () => {
      const form = { ...grant, ...assertionForm(await makeAssertion(world, app)) }
      expectNobody(await at.token(form, app))
      expectNobody(await at.token({ ...form, client_secret: app.clientSecret }, null))
    })

    test('of another type is none', async () => {
      const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer'
      const form = { ...grant, ...assertionForm(await makeAssertion(world, app)), client_assertion_type }
      expectNobody(await at.token(form, null))
    })
  })

  describe('a DPoP proof at the token endpoint', () => {
    const bound = (dpop: string) => at.token(grant, world.app, { dpop })

    test('used a second time gives no token, also of ten at once', async () => {
      const key = await makeKey()
      const once = await makeProof(world, key)
      expectOk(await bound(once))
      expectNobody(await bound(once))
      const shared = await makeProof(world, key)
      const replies = await Promise.all(Array.from({ length: 10 }, () => bound(shared)))
      expect(replies.filter(({ status }) => status === 200)).toHaveLength(1)
    })

    // The library remembers a jti per client. RFC 9449 §11.1 says "in the context of the target URI"; what is left is this.
    test('stolen by another app gives that app a token of its own, for a key that it does not have', async () => {
      const key = await makeKey()
      const proof = await makeProof(world, key)
      expectOk(await bound(proof))
      const { json } = await at.token(grant, world.other, { dpop: proof })
      const { json: seen } = await at.introspect(String(json['access_token']), {}, world.other)
      expect(seen).toMatchObject({ client_id: world.other.appId, cnf: { jkt: key.thumbprint } })
      expect((await at.api(String(json['access_token']))).status).toBe(401)
    })

    test.each([
      ['another method', { method: 'GET' }],
      ['a method in small letters', { claims: { htm: 'post' } }],
      ['another endpoint', { path: '/oauth/introspect' }],
      ['another host', { claims: { htu: 'https://evil.example.com/oauth/token' } }],
      ['another scheme', { claims: { htu: 'https://127.0.0.1/oauth/token' } }],
      ['no address', { claims: { htu: '' } }],
      ['an hour ago', { claims: { iat: Math.floor(Date.now() / 1000) - 3_600 } }],
      ['an hour ahead', { claims: { iat: Math.floor(Date.now() / 1000) + 3_600 } }],
    ])('for %s gives no token', async (_what, options) => {
      expectNobody(await bound(await makeProof(world, await makeKey(), options)))
    })

    test('that signs with a symmetric key in its header gives no token', async () => {
      const k = Buffer.from('a secret that the header shows to everybody').toString('base64url')
      const payload = { jti: randomUUID(), htm: 'POST', htu: `${world.issuer}/oauth/token`, iat: seconds() }
      const header = { alg: 'HS256', typ: 'dpop+jwt', jwk: { kty: 'oct', k } }
      const [head, body] = forge(header, payload).split('.')
      const signature = createHmac('sha256', Buffer.from(k, 'base64url'))
        .update(`${head}.${body}`)
        .digest('base64url')
      expectNobody(await bound(`${head}.${body}.${signature}`))
    })

    test('bad beside a good code does not burn the code', async () => {
      const code = await at.code()
      const form = {
        ...{ grant_type: 'authorization_code', code: code.code },
        ...{ redirect_uri: code.redirectUri, code_verifier: code.codeVerifier },
      }
      expectNobody(await at.token(form, world.app, { dpop: 'x' }))
      expectOk(await at.redeem(code))
    })
  })
}
