import { expect } from 'vitest'
import type { Actor } from '../actor.ts'
import { expectError, expectErrorBack } from '../expectations.ts'
import { acceptRefused, dropMember, giveCodeAnyway } from '../mutations.ts'
import type { Cases } from '../run-cases.ts'
import { redirectUri } from '../world.ts'

const atToken = '/oauth/token'
const metadata = '/.well-known/oauth-authorization-server'

const widest = { type: 'refund', max_amount_per_order: 2_000, max_amount_per_day: 3_000, currency: 'CNY' }
const asked = { ...widest, max_amount_per_order: 1_000 }
const codeAnyway = giveCodeAnyway(redirectUri)

/** An app that may refund within bounds. */
const refunder = (at: Actor) =>
  at.world.publish({
    name: 'Refunder',
    manifest: { required: ['order:read', 'order:refund'], optional: [], details: [widest] },
  })

async function expectRefused(at: Actor, details: unknown): Promise<void> {
  const text = typeof details === 'string' ? details : JSON.stringify(details)
  const changes = { scope: 'order:read order:refund', authorization_details: text }
  expectErrorBack(
    await at.open(await at.authorization(changes, await refunder(at))),
    'invalid_authorization_details',
  )
}

async function connect(at: Actor) {
  const changes = { scope: 'order:read order:refund', authorization_details: JSON.stringify([asked]) }
  return at.code(changes, await refunder(at))
}

/** RFC 9396. */
export const authorizationDetailsCases = {
  'rfc9396-2-array': {
    async test(at) {
      for (const details of ['x', '{', '"refund"', asked, [1], [[asked]], 'null'])
        await expectRefused(at, details)
    },
    mutation: codeAnyway,
  },
  'rfc9396-2-type': {
    async test(at) {
      const { type: _type, ...without } = asked
      await expectRefused(at, [without])
      await expectRefused(at, [{ ...asked, type: 1 }])
    },
    mutation: codeAnyway,
  },
  'rfc9396-5-unknown-type': {
    test: (at) => expectRefused(at, [{ ...asked, type: 'payment_initiation' }]),
    mutation: codeAnyway,
  },
  'rfc9396-5-unknown-field': {
    test: (at) => expectRefused(at, [{ ...asked, locations: ['https://elsewhere.example.com'] }]),
    mutation: codeAnyway,
  },
  'rfc9396-5-wrong-value': {
    async test(at) {
      for (const max_amount_per_order of [-1, 1.5, '1000', null])
        await expectRefused(at, [{ ...asked, max_amount_per_order }])
    },
    mutation: codeAnyway,
  },
  'rfc9396-5-missing-field': {
    async test(at) {
      const { currency: _currency, ...without } = asked
      await expectRefused(at, [without])
    },
    mutation: codeAnyway,
  },
  'rfc9396-6-not-wider': {
    async test(at, direct) {
      const code = await connect(direct)
      const authorization_details = JSON.stringify([widest])
      expectError(await at.redeem(code, { authorization_details }), 400, 'invalid_authorization_details')
    },
    mutation: acceptRefused(atToken),
  },
  'rfc9396-7-token-response': {
    async test(at, direct) {
      const { json } = await at.redeem(await connect(direct))
      expect(json['authorization_details']).toEqual([asked])
    },
    mutation: dropMember(atToken, 'authorization_details'),
  },
  'rfc9396-9.2-introspection': {
    async test(at, direct) {
      const code = await connect(direct)
      const { json } = await direct.redeem(code)
      const seen = await at.introspect(String(json['access_token']), {}, code.app)
      expect(seen.json['authorization_details']).toEqual([asked])
    },
    mutation: dropMember('/oauth/introspect', 'authorization_details'),
  },
  'rfc9396-10-metadata': {
    async test(at) {
      const { json } = await at.send('GET', metadata)
      expect(json['authorization_details_types_supported']).toEqual(
        expect.arrayContaining(['refund', 'shops']),
      )
    },
    mutation: dropMember(metadata, 'authorization_details_types_supported'),
  },
} satisfies Cases
