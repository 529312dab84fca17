import { beforeAll, describe, expect, test } from 'vitest'
import type { Actor } from '../actor.ts'
import { expectOk } from '../expectations.ts'
import { apiWithProof, type BoundTokens, connectBound, type Key, makeKey, makeProof } from '../proofs.ts'
import type { World } from '../world.ts'

let world: World
let at: Actor
let key: Key
let tokens: BoundTokens

async function prepare(opened: World): Promise<void> {
  world = opened
  at = opened.direct
  key = await makeKey()
  tokens = await connectBound(at, key)
}

const path = '/v1/orders'
const proofOf = (options: Parameters<typeof makeProof>[2] = {}, by = key) =>
  makeProof(world, by, { method: 'GET', path, accessToken: tokens.access_token, ...options })
const statusOf = async (proof: string) => (await apiWithProof(at, tokens.access_token, proof)).status

export function proofAttacks(open: () => World): void {
  beforeAll(() => prepare(open()))

  describe('a DPoP proof at the API', () => {
    test('opens it once, also of ten at once', async () => {
      const once = await proofOf()
      expect(await statusOf(once)).toBe(200)
      expect(await statusOf(once)).toBe(401)
      const shared = await proofOf()
      const statuses = await Promise.all(Array.from({ length: 10 }, () => statusOf(shared)))
      expect(statuses.filter((status) => status === 200)).toHaveLength(1)
    })

    test.each([
      ['another method', { method: 'POST' }],
      ['another address', { path: '/v1/storage' }],
      ['the token endpoint', { path: '/oauth/token', method: 'POST' }],
      ['another host', { claims: { htu: `https://evil.example.com${path}` } }],
      ['another token', { claims: { ath: 'A'.repeat(43) } }],
      ['no token', { claims: { ath: undefined } }],
      ['an hour ago', { claims: { iat: Math.floor(Date.now() / 1000) - 3_600 } }],
      ['an hour ahead', { claims: { iat: Math.floor(Date.now() / 1000) + 3_600 } }],
    ])('for %s opens nothing', async (_what, options) => {
      expect(await statusOf(await proofOf(options))).toBe(401)
    })

    test('by another key opens nothing, signed by it or only shown in the header', async () => {
      const thief = await makeKey()
      expect(await statusOf(await proofOf({}, thief))).toBe(401)
      expect(await statusOf(await proofOf({ signer: thief }))).toBe(401)
    })

    test('without its token, or with the token as a bearer token, opens nothing', async () => {
      const proof = await proofOf()
      expect((await at.send('GET', path, { headers: { dpop: proof } })).status).toBe(401)
      const authorization = `Bearer ${tokens.access_token}`
      expect((await at.send('GET', path, { headers: { authorization, dpop: proof } })).status).toBe(401)
      expectOk(await apiWithProof(at, tokens.access_token, proof))
    })

    test('does not make a bearer token into a bound one', async () => {
      const { access_token } = await at.connect()
      const proof = await makeProof(world, key, { method: 'GET', path, accessToken: access_token })
      expect((await apiWithProof(at, access_token, proof)).status).toBe(401)
      expectOk(await at.api(access_token))
    })
  })
}
