import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { limits } from '../../../src/kernel/index.ts'
import type { Answer, ProblemBody } from '../../support/api-client.ts'
import { dpopHeaders, makeProof, type ProofOptions } from '../../support/dpop.ts'
import { startTestPlatform, type TestPlatform } from '../../support/platform.ts'
import { makeStory, type Tokens } from '../../support/story.ts'

let at: TestPlatform
let bound: Tokens & { readonly key: CryptoKeyPair }
let plain: Tokens
beforeAll(async () => {
  at = await startTestPlatform()
  const story = makeStory(at)
  const merchant = await story.merchant()
  const manifest = { required: ['order:read'], optional: ['customer:read'] }
  const app = await story.publish(await story.publisher(), { manifest })
  plain = await story.connect(merchant, app)
  const other = await story.publish(await story.publisher(), { manifest })
  const tokens = await story.connect(merchant, other, ['customer:read'])
  if (tokens.key === undefined) throw new Error('a private scope without a key')
  bound = { ...tokens, key: tokens.key }
})
afterAll(() => at.close())

const path = '/v1/orders'
const algs = 'algs="ES256 EdDSA Ed25519 PS256 RS256"'

function get(headers: Readonly<Record<string, string>>, address = path): Promise<Answer<ProblemBody>> {
  return at.anonymous.request<ProblemBody>('GET', address, { headers })
}

/** A request that is honest in everything but what the options say. */
async function present(options: Partial<ProofOptions> = {}, key = bound.key): Promise<Answer<ProblemBody>> {
  const honest = { method: 'GET', url: `${at.baseUrl}${path}`, accessToken: bound.access_token }
  const proof = await makeProof(key, { ...honest, ...options })
  return get({ authorization: `DPoP ${bound.access_token}`, dpop: proof })
}

function expectRefused(answer: Answer<ProblemBody>, code: string, error: string): void {
  expect([answer.status, answer.body.code]).toEqual([401, code])
  const challenge = answer.headers['www-authenticate'] ?? ''
  expect(challenge.startsWith(`DPoP error="${error}", error_description="`)).toBe(true)
  expect(challenge).toContain(algs)
}

describe('a bound token', () => {
  test('is taken with a proof made for the request', async () => {
    expect((await present()).status).toBe(200)
    // RFC 9449 §4.3: "ignoring any query and fragment parts".
    const proof = { method: 'GET', url: `${at.baseUrl}${path}?limit=1#x`, accessToken: bound.access_token }
    expect((await get(await dpopHeaders(bound.key, proof), `${path}?limit=2`)).status).toBe(200)
  })

  test('is taken from an independent client', async () => {
    const DPoP = oauth.DPoP({}, bound.key)
    const options = { DPoP, [oauth.allowInsecureRequests]: true }
    const url = new URL(`${at.baseUrl}${path}?limit=1`)
    const asked = [bound.access_token, 'GET', url, new Headers(), null, options] as const
    for (let i = 0; i < 3; i += 1) expect((await oauth.protectedResourceRequest(...asked)).status).toBe(200)
  })

  test('is refused as a bearer token, with the scheme to use instead', async () => {
    const answer = await at.bearer(bound.access_token).request<ProblemBody>('GET', path)
    expect([answer.status, answer.body.code]).toEqual([401, 'oauth.token_bound'])
    const challenge = answer.headers['www-authenticate'] ?? ''
    expect(challenge).toMatch(/^Bearer error="invalid_token", error_description="/)
    expect(challenge).toContain(`, DPoP ${algs}`)
  })

  test.each<[string, Partial<ProofOptions>]>([
    ['another method', { method: 'POST' }],
    ['another address', { url: 'https://evil.example.com/v1/orders' }],
    ['a longer path', { claims: { htu: 'http://127.0.0.1/v1/orders/' } }],
    ['no address', { claims: { htu: undefined } }],
    ['an address that is none', { claims: { htu: '/v1/orders' } }],
    ['another token', { accessToken: 'stoa_at_other' }],
    ['no token', { claims: { ath: undefined } }],
    ['no time', { claims: { iat: undefined } }],
    ['a time that is a text', { claims: { iat: 'now' } }],
    ['no jti', { claims: { jti: undefined } }],
    ['an empty jti', { claims: { jti: '' } }],
    ['a jti that fills memory', { claims: { jti: 'x'.repeat(limits.dpopJtiLengthMax + 1) } }],
    ['another typ', { header: { typ: 'JWT' } }],
    ['no typ', { header: { typ: undefined } }],
  ])('is refused with a proof for %s', async (_what, options) => {
    expectRefused(await present(options), 'oauth.dpop_proof_refused', 'invalid_dpop_proof')
  })

  test.each([
    [-limits.dpopProofMs - 2_000, 401],
    [-limits.dpopProofMs + 5_000, 200],
    [limits.dpopProofMs - 5_000, 200],
    [limits.dpopProofMs + 2_000, 401],
  ])('with a proof dated %i ms from now answers %i', async (aheadMs, status) => {
    expect((await present({ nowMs: at.clock.nowMs() + aheadMs })).status).toBe(status)
  })

  test('is refused with a proof by another key', async () => {
    const key = await oauth.generateKeyPair('ES256')
    expectRefused(await present({}, key), 'oauth.dpop_key_differs', 'invalid_token')
  })

  test('is refused with a proof whose key is not the one that signed it', async () => {
    const thief = await oauth.generateKeyPair('ES256')
    const jwk = await crypto.subtle.exportKey('jwk', bound.key.publicKey)
    const answer = await present({ header: { jwk } }, thief)
    expectRefused(answer, 'oauth.dpop_proof_refused', 'invalid_dpop_proof')
  })

  test('is refused with a proof that shows its private key', async () => {
    const key = await oauth.generateKeyPair('ES256', { extractable: true })
    const jwk = await crypto.subtle.exportKey('jwk', key.privateKey)
    expectRefused(await present({ header: { jwk } }, key), 'oauth.dpop_proof_refused', 'invalid_dpop_proof')
  })

  const authorization = () => `DPoP ${bound.access_token}`
  const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  test.each<[string, () => Promise<Record<string, string>> | Record<string, string>]>([
    ['no proof', () => ({})],
    ['an empty proof', () => ({ dpop: '' })],
    ['something that is no JWT', () => ({ dpop: 'x.y.z' })],
    ['a proof that is too long', () => ({ dpop: 'x'.repeat(limits.dpopProofLengthMax + 1) })],
    [
      'alg none',
      async () => {
        const header = { alg: 'none', typ: 'dpop+jwt', jwk: { kty: 'EC' } }
        const made = await makeProof(bound.key, { method: 'GET', url: `${at.baseUrl}${path}` })
        return { dpop: `${encoded(header)}.${made.split('.')[1]}.` }
      },
    ],
    [
      'a symmetric alg',
      async () => {
        const header = { alg: 'HS256', typ: 'dpop+jwt', jwk: { kty: 'oct', k: 'c2VjcmV0' } }
        const made = await makeProof(bound.key, { method: 'GET', url: `${at.baseUrl}${path}` })
        return { dpop: `${encoded(header)}.${made.split('.')[1]}.c2ln` }
      },
    ],
    [
      'two proofs in one header',
      async () => {
        const make = () =>
          makeProof(bound.key, {
            ...{ method: 'GET', url: `${at.baseUrl}${path}`, accessToken: bound.access_token },
          })
        return { dpop: `${await make()}, ${await make()}` }
      },
    ],
  ])('is refused with %s', async (_what, headers) => {
    const answer = await get({ authorization: authorization(), ...(await headers()) })
    expectRefused(answer, 'oauth.dpop_proof_refused', 'invalid_dpop_proof')
  })

  test('is taken once per proof: of ten at once one passes, and later none', async () => {
    const url = `${at.baseUrl}${path}`
    const headers = await dpopHeaders(bound.key, { method: 'GET', url, accessToken: bound.access_token })
    const answers = await Promise.all(Array.from({ length: 10 }, () => get(headers)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expectRefused(await get(headers), 'oauth.dpop_proof_refused', 'invalid_dpop_proof')
  })
})

describe('a token without a key', () => {
  test('is refused with a proof: nothing was proven', async () => {
    const key = await oauth.generateKeyPair('ES256')
    const request = { method: 'GET', url: `${at.baseUrl}${path}`, accessToken: plain.access_token }
    expectRefused(await get(await dpopHeaders(key, request)), 'oauth.token_not_bound', 'invalid_token')
  })

  test('is taken as ever', async () => {
    expect((await at.bearer(plain.access_token).request('GET', path)).status).toBe(200)
  })
})

describe('the scheme DPoP', () => {
  test('is read whatever its case, and counts for apps alone', async () => {
    const request = { method: 'GET', url: `${at.baseUrl}${path}`, accessToken: bound.access_token }
    const { dpop = '' } = await dpopHeaders(bound.key, request)
    expect((await get({ authorization: `dpop ${bound.access_token}`, dpop })).status).toBe(200)
    for (const [token, address] of [
      [at.hostKey, '/host/v1/merchants'],
      [bound.access_token, '/developer/v1/apps'],
    ] as const) {
      const answer = await get({ authorization: `DPoP ${token}` }, address)
      expect(answer.status).toBe(401)
      expect(answer.headers['www-authenticate']).toMatch(/^Bearer error="invalid_token"/)
      expect(answer.headers['www-authenticate']).not.toContain('DPoP')
    }
  })

  test('is what an unknown token under it is answered with', async () => {
    const answer = await get({ authorization: 'DPoP nonsense' })
    expectRefused(answer, 'capability.unauthenticated', 'invalid_token')
  })

  test('both challenges are read by an independent client', async () => {
    const url = new URL(`${at.baseUrl}${path}`)
    const options = { [oauth.allowInsecureRequests]: true }
    const asked = ['stoa_at_x', 'GET', url, new Headers(), null, options] as const
    const error = await oauth.protectedResourceRequest(...asked).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(oauth.WWWAuthenticateChallengeError)
    const { cause } = error as oauth.WWWAuthenticateChallengeError
    expect(cause.map(({ scheme, parameters }) => [scheme, parameters.error, parameters['algs']])).toEqual([
      ['bearer', 'invalid_token', undefined],
      ['dpop', undefined, 'ES256 EdDSA Ed25519 PS256 RS256'],
    ])
  })
})
