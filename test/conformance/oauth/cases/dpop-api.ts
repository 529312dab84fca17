import { expect } from 'vitest'
import type { Actor } from '../actor.ts'
import { expectOk, textOf } from '../expectations.ts'
import { acceptRefused, editHeader, refuse, setStatus } from '../mutations.ts'
import { apiWithProof, connectBound, type Key, makeKey, makeProof } from '../proofs.ts'
import type { Cases } from '../run-cases.ts'

const orders = '/v1/orders'

const bound = (at: Actor, dpop: string) =>
  at.token({ grant_type: 'client_credentials' }, at.world.app, { dpop })

/** With the right proof it is accepted: what is refused afterwards is refused for its proof. */
async function expectOpens(at: Actor, key: Key, accessToken: string): Promise<void> {
  const proof = await makeProof(at.world, key, { method: 'GET', path: orders, accessToken })
  expectOk(await apiWithProof(at, accessToken, proof))
}

/** RFC 9449 at the API. */
export const dpopApiCases = {
  'rfc9449-7-ath': {
    async test(at, direct) {
      const key = await makeKey()
      const { access_token } = await connectBound(direct, key)
      await expectOpens(at, key, access_token)
      const other = await connectBound(direct, key)
      for (const accessToken of [undefined, other.access_token]) {
        const options = { method: 'GET', path: orders, ...(accessToken === undefined ? {} : { accessToken }) }
        expect((await apiWithProof(at, access_token, await makeProof(at.world, key, options))).status).toBe(
          401,
        )
      }
    },
    mutation: setStatus(orders, 200, 401),
  },
  'rfc9449-7.1-proof-required': {
    async test(at, direct) {
      const key = await makeKey()
      const { access_token } = await connectBound(direct, key)
      await expectOpens(at, key, access_token)
      const { status } = await at.api(null, orders, { headers: { authorization: `DPoP ${access_token}` } })
      expect(status).toBe(401)
    },
    mutation: setStatus(orders, 200, 401),
  },
  'rfc9449-7.1-key': {
    async test(at, direct) {
      const key = await makeKey()
      const { access_token } = await connectBound(direct, key)
      await expectOpens(at, key, access_token)
      const options = { method: 'GET', path: orders, accessToken: access_token }
      const proof = await makeProof(at.world, await makeKey(), options)
      expect((await apiWithProof(at, access_token, proof)).status).toBe(401)
    },
    mutation: setStatus(orders, 200, 401),
  },
  'rfc9449-7.1-challenge': {
    async test(at, direct) {
      const key = await makeKey()
      const { access_token } = await connectBound(direct, key)
      await expectOpens(at, key, access_token)
      const { headers } = await apiWithProof(at, access_token, 'x')
      expect(textOf(headers['www-authenticate'])).toMatch(/DPoP .*algs="[^"]*\bES256\b/)
    },
    mutation: editHeader(orders, 'www-authenticate', (value) => value.replace(/algs="[^"]*"/, 'algs=""')),
  },
  'rfc9449-7.2-no-downgrade': {
    async test(at, direct) {
      const key = await makeKey()
      const { access_token } = await connectBound(direct, key)
      await expectOpens(at, key, access_token)
      expect((await at.api(access_token)).status).toBe(401)
    },
    mutation: setStatus(orders, 200, 401),
  },
  'rfc9449-11.1-replay': {
    async test(at, direct) {
      const key = await makeKey()
      const proof = await makeProof(at.world, key)
      expectOk(await bound(at, proof))
      expect((await bound(at, proof)).status).toBeGreaterThanOrEqual(400)
      const { access_token } = await connectBound(direct, key)
      const forApi = await makeProof(at.world, key, {
        method: 'GET',
        path: orders,
        accessToken: access_token,
      })
      expectOk(await apiWithProof(at, access_token, forApi))
      expect((await apiWithProof(at, access_token, forApi)).status).toBe(401)
    },
    mutation: acceptRefused('/oauth/token'),
  },
  'rfc9700-2.2.1-sender-constrained': {
    async test(at, direct) {
      const key = await makeKey()
      const { access_token } = await connectBound(direct, key)
      const options = { method: 'GET', path: orders, accessToken: access_token }
      expectOk(await apiWithProof(at, access_token, await makeProof(at.world, key, options)))
    },
    mutation: refuse(orders, 401, 'invalid_token'),
  },
} satisfies Cases
