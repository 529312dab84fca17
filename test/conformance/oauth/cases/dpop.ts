import { expect } from 'vitest'
import type { Actor, Reply } from '../actor.ts'
import { expectError, expectOk, textOf } from '../expectations.ts'
import { acceptRefused, dropMember, otherError, setMember } from '../mutations.ts'
import { connectBound, forge, makeKey, makeProof, type ProofOptions } from '../proofs.ts'
import type { Cases } from '../run-cases.ts'

const atToken = '/oauth/token'
const metadata = '/.well-known/oauth-authorization-server'
const grant = { grant_type: 'client_credentials' }

const bound = (at: Actor, dpop: string | readonly string[]) => at.token(grant, at.world.app, { dpop })

async function withProof(at: Actor, options: ProofOptions = {}): Promise<Reply> {
  return bound(at, await makeProof(at.world, await makeKey(), options))
}

/** Refused at the token endpoint for its proof, and with no token. */
function expectBadProof(reply: Reply): void {
  expect([reply.status, reply.json['access_token']], reply.text).toEqual([400, undefined])
  expect(textOf(reply.json['error'])).toMatch(/^invalid_(dpop_proof|request)$/)
}

const accepted = acceptRefused(atToken)

/** RFC 9449 at the authorization server. */
export const dpopCases = {
  'rfc9449-4.3-one-header': {
    async test(at) {
      const key = await makeKey()
      expectBadProof(await bound(at, [await makeProof(at.world, key), await makeProof(at.world, key)]))
    },
    mutation: accepted,
  },
  'rfc9449-4.3-well-formed': {
    async test(at) {
      for (const proof of ['x', 'a.b.c', `${await makeProof(at.world, await makeKey())}.x`])
        expectBadProof(await bound(at, proof))
    },
    mutation: accepted,
  },
  'rfc9449-4.3-required-claims': {
    async test(at) {
      for (const claim of ['jti', 'htm', 'htu', 'iat'])
        expectBadProof(await withProof(at, { claims: { [claim]: undefined } }))
    },
    mutation: accepted,
  },
  'rfc9449-4.3-typ': {
    async test(at) {
      for (const typ of ['JWT', 'at+jwt', undefined]) expectBadProof(await withProof(at, { header: { typ } }))
    },
    mutation: accepted,
  },
  'rfc9449-4.3-alg': {
    async test(at) {
      const { publicJwk } = await makeKey()
      const claims = {
        jti: 'x',
        htm: 'POST',
        htu: `${at.world.issuer}${atToken}`,
        iat: Math.floor(Date.now() / 1000),
      }
      for (const alg of ['none', 'HS256'])
        expectBadProof(await bound(at, forge({ alg, typ: 'dpop+jwt', jwk: publicJwk }, claims, 'AAAA')))
    },
    mutation: accepted,
  },
  'rfc9449-4.3-signature': {
    test: async (at) => expectBadProof(await withProof(at, { signer: await makeKey() })),
    mutation: accepted,
  },
  'rfc9449-4.3-no-private-key': {
    async test(at) {
      const key = await makeKey()
      expectBadProof(await bound(at, await makeProof(at.world, key, { header: { jwk: key.privateJwk } })))
    },
    mutation: accepted,
  },
  'rfc9449-4.3-htm': {
    test: async (at) => expectBadProof(await withProof(at, { method: 'GET' })),
    mutation: accepted,
  },
  'rfc9449-4.3-htu': {
    async test(at) {
      for (const path of ['/oauth/revoke', '/oauth/token/x']) expectBadProof(await withProof(at, { path }))
      expectBadProof(await withProof(at, { claims: { htu: `https://evil.example.com${atToken}` } }))
      expectOk(await withProof(at, { path: `${atToken}?x=1` }))
    },
    mutation: accepted,
  },
  'rfc9449-4.3-iat': {
    async test(at) {
      for (const minutes of [-10, 10])
        expectBadProof(await withProof(at, { claims: { iat: Math.floor(Date.now() / 1000) + minutes * 60 } }))
    },
    mutation: accepted,
  },
  'rfc9449-5-token-type': {
    async test(at) {
      const { status, json } = await withProof(at)
      expect([status, json['token_type']]).toEqual([200, 'DPoP'])
    },
    mutation: setMember(atToken, 'token_type', 'Bearer'),
  },
  'rfc9449-5-invalid-proof': {
    test: async (at) => expectError(await bound(at, 'x'), 400, 'invalid_dpop_proof'),
    mutation: otherError(atToken, 'invalid_request'),
  },
  'rfc9449-5.1-metadata': {
    async test(at) {
      const list = (await at.send('GET', metadata)).json['dpop_signing_alg_values_supported']
      expect(list).toEqual(expect.arrayContaining(['ES256']))
      for (const algorithm of list as string[]) expect(algorithm).toMatch(/^(ES|PS|RS)\d{3}$|^Ed/)
    },
    mutation: dropMember(metadata, 'dpop_signing_alg_values_supported'),
  },
  'rfc9449-5.2-bound-client': {
    async test(at) {
      const app = await at.world.publish({ name: 'Always bound' })
      await app.publisher.owner.api.call('PUT', `/developer/v1/apps/${app.appId}/settings`, {
        redirectUris: [],
        requireDpop: true,
      })
      const { status, json } = await at.token(grant, app)
      expect([status, json['access_token']]).toEqual([400, undefined])
      expectOk(await at.token(grant, app, { dpop: await makeProof(at.world, await makeKey()) }))
    },
    mutation: accepted,
  },
  'rfc9449-6.2-introspection': {
    async test(at, direct) {
      const key = await makeKey()
      const { access_token } = await connectBound(direct, key)
      const { json } = await at.introspect(access_token)
      expect([json['cnf'], json['token_type']]).toEqual([{ jkt: key.thumbprint }, 'DPoP'])
    },
    mutation: dropMember('/oauth/introspect', 'cnf'),
  },
  'rfc9449-10-code-binding': {
    async test(at, direct) {
      const key = await makeKey()
      const code = await direct.code({ dpop_jkt: key.thumbprint })
      const redeem = async (proof: string) =>
        at.token(
          {
            ...{ grant_type: 'authorization_code', code: code.code },
            ...{ redirect_uri: code.redirectUri, code_verifier: code.codeVerifier },
          },
          code.app,
          { dpop: proof },
        )
      const refused = await redeem(await makeProof(at.world, await makeKey()))
      expect([refused.status, refused.json['access_token']]).toEqual([400, undefined])
      expectOk(await redeem(await makeProof(at.world, key)))
    },
    mutation: accepted,
  },
} satisfies Cases
