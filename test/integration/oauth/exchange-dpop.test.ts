import { calculateJwkThumbprint, exportJWK } from 'jose'
import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dpopHeaders, makeProof } from '../../support/dpop.ts'
import { startTestPlatform, type TestPlatform } from '../../support/platform.ts'
import { makeStory, type Story, type TestApp, type TestMerchant } from '../../support/story.ts'
import { basic, post } from './flow.ts'

let at: TestPlatform
let story: Story
let app: TestApp
let as: oauth.AuthorizationServer
let merchant: TestMerchant
let installationId: string
const http = { [oauth.allowInsecureRequests]: true } as const
const grantType = 'urn:ietf:params:oauth:grant-type:token-exchange'
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'
const sessionTokenType = 'urn:stoa:params:oauth:token-type:session_token'

beforeAll(async () => {
  at = await startTestPlatform()
  story = makeStory(at)
  // Who a customer is belongs to the private tier: a token for it is bound to a key.
  app = await story.publish(await story.publisher(), {
    manifest: { required: ['order:read'], optional: ['customer:read'] },
  })
  merchant = await story.merchant()
  installationId = await story.install(merchant, app, ['customer:read'])
  const issuer = new URL(at.baseUrl)
  const discovered = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...http })
  as = await oauth.processDiscoveryResponse(issuer, discovered)
})
afterAll(() => at.close())

const newKey = () => oauth.generateKeyPair('ES256')
const thumbprintOf = async ({ publicKey }: CryptoKeyPair) =>
  calculateJwkThumbprint(await exportJWK(publicKey))

async function mint(): Promise<string> {
  const path = `/merchant/v1/installations/${installationId}/session-tokens`
  return (await merchant.owner.api.call<{ token: string }>('POST', path)).token
}

interface Exchanged {
  readonly access_token: string
  readonly token_type: string
  readonly scope: string
}

/** The exchange as a client library sends it. */
function exchange(subject: string, key: CryptoKeyPair | null, more: Record<string, string> = {}) {
  const type = subject.startsWith('stoa_st_') ? sessionTokenType : accessTokenType
  const request = new URLSearchParams({ subject_token: subject, subject_token_type: type, ...more })
  const auth = oauth.ClientSecretBasic(app.clientSecret)
  return oauth.genericTokenEndpointRequest(as, { client_id: app.appId }, auth, grantType, request, {
    ...http,
    ...(key === null ? {} : { DPoP: oauth.DPoP({}, key) }),
  })
}

async function exchanged(...args: Parameters<typeof exchange>): Promise<Exchanged> {
  const response = await exchange(...args)
  expect(response.status).toBe(200)
  return (await response.json()) as Exchanged
}

async function expectError(response: Response, error: string): Promise<void> {
  expect([response.status, ((await response.json()) as { error: string }).error]).toEqual([400, error])
}

async function introspect(token: string): Promise<Record<string, unknown>> {
  const response = await post(
    { publicUrl: at.baseUrl },
    '/oauth/introspect',
    { token },
    basic(app.appId, app.clientSecret),
  )
  return (await response.json()) as Record<string, unknown>
}

async function ordersWith(token: string, key: CryptoKeyPair): Promise<number> {
  const url = `${at.baseUrl}/v1/orders`
  const headers = await dpopHeaders(key, {
    ...{ method: 'GET', url, accessToken: token, nowMs: at.clock.nowMs() },
  })
  return (await fetch(url, { headers })).status
}

describe('an exchange with a proof', () => {
  test('gives a token bound to the key, which opens the API with a proof and not without', async () => {
    const key = await newKey()
    const tokens = await exchanged(await mint(), key)
    expect(tokens.token_type).toBe('DPoP')
    expect(tokens.scope.split(' ').toSorted()).toEqual(['customer:read', 'order:read'])
    expect(await introspect(tokens.access_token)).toMatchObject({ cnf: { jkt: await thumbprintOf(key) } })
    expect(await ordersWith(tokens.access_token, key)).toBe(200)
    expect(await ordersWith(tokens.access_token, await newKey())).toBe(401)
    expect((await at.bearer(tokens.access_token).request('GET', '/v1/orders')).status).toBe(401)
  })

  test('takes the same proof once', async () => {
    const proof = await makeProof(await newKey(), {
      ...{ method: 'POST', url: `${at.baseUrl}/oauth/token`, nowMs: at.clock.nowMs() },
    })
    const members = {
      ...{ grant_type: grantType, subject_token: await mint(), subject_token_type: sessionTokenType },
    }
    const headers = { ...basic(app.appId, app.clientSecret), dpop: proof }
    const world = { publicUrl: at.baseUrl }
    expect((await post(world, '/oauth/token', members, headers)).status).toBe(200)
    await expectError(await post(world, '/oauth/token', members, headers), 'invalid_request')
  })
})

describe('an exchange without a proof', () => {
  test('gives no scope of the private tier; for the others it gives a bearer token', async () => {
    const token = await mint()
    await expectError(await exchange(token, null), 'invalid_dpop_proof')
    expect(await exchanged(token, null, { scope: 'order:read' })).toMatchObject({ token_type: 'Bearer' })
  })

  test('or with another key’s does not free a bound token of its key', async () => {
    const key = await newKey()
    const { access_token: subject } = await exchanged(await mint(), key)
    const narrow = { scope: 'order:read' }
    await expectError(await exchange(subject, null, narrow), 'invalid_request')
    await expectError(await exchange(subject, await newKey(), narrow), 'invalid_request')
    const own = await exchanged(subject, key, narrow)
    expect(own.token_type).toBe('DPoP')
    expect(await introspect(own.access_token)).toMatchObject({ cnf: { jkt: await thumbprintOf(key) } })
  })
})
