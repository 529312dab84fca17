import { expect } from 'vitest'
import type { Actor, Parameters } from '../actor.ts'
import { expectError, textOf } from '../expectations.ts'
import { acceptRefused, dropMember, editJson, otherError, setMember } from '../mutations.ts'
import type { Cases } from '../run-cases.ts'

const atToken = '/oauth/token'
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'

/** An exchange of the app’s access token for another; null leaves a member out. */
const exchange = (at: Actor, subject_token: string, changes: Parameters = {}) =>
  at.token({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    ...{ subject_token, subject_token_type: accessTokenType, ...changes },
  })

/** RFC 8693. */
export const exchangeCases = {
  'rfc8693-2.1-subject-token': {
    test: async (at) => expectError(await exchange(at, '', { subject_token: null }), 400, 'invalid_request'),
    mutation: otherError(atToken, 'invalid_grant'),
  },
  'rfc8693-2.1-subject-token-type': {
    async test(at, direct) {
      const { access_token } = await direct.connect()
      for (const subject_token_type of [null, 'urn:ietf:params:oauth:token-type:jwt', 'x'])
        expectError(await exchange(at, access_token, { subject_token_type }), 400, 'invalid_request')
    },
    mutation: acceptRefused(atToken),
  },
  'rfc8693-2.1-actor-token-type': {
    async test(at, direct) {
      const { access_token } = await direct.connect()
      const changes = { actor_token_type: accessTokenType }
      expectError(await exchange(at, access_token, changes), 400, 'invalid_request')
    },
    mutation: acceptRefused(atToken),
  },
  'rfc8693-2.1-validates': {
    async test(at, direct) {
      const { access_token } = await direct.connect()
      expect((await exchange(at, access_token)).status).toBe(200)
      await direct.revoke(access_token)
      expectError(await exchange(at, access_token), 400, 'invalid_request')
    },
    mutation: acceptRefused(atToken),
  },
  'rfc8693-2.2.1-members': {
    async test(at, direct) {
      const { access_token } = await direct.connect()
      const { json } = await exchange(at, access_token)
      expect(json).toMatchObject({
        ...{ access_token: expect.stringMatching(/^stoa_at_/), issued_token_type: accessTokenType },
        ...{ token_type: expect.stringMatching(/^bearer$/i), scope: 'order:read' },
      })
      expect(json['expires_in']).toBeLessThanOrEqual(600)
    },
    mutation: dropMember(atToken, 'issued_token_type'),
  },
  'rfc8693-2.2.1-no-refresh-token': {
    async test(at, direct) {
      const { json } = await exchange(at, (await direct.connect()).access_token)
      expect(textOf(json['access_token'])).toMatch(/^stoa_at_/)
      expect(json).not.toHaveProperty('refresh_token')
    },
    mutation: setMember(atToken, 'refresh_token', 'stoa_rt_x'),
  },
  'rfc8693-2.2.2-invalid-token': {
    async test(at, direct) {
      const others = await direct.connect({}, at.world.other)
      for (const token of ['x', `stoa_at_${'A'.repeat(49)}`, others.access_token])
        expectError(await exchange(at, token), 400, 'invalid_request')
    },
    mutation: otherError(atToken, 'invalid_grant'),
  },
  'rfc8693-2.2.2-invalid-target': {
    async test(at, direct) {
      const { access_token } = await direct.connect()
      for (const changes of [
        { resource: 'https://elsewhere.example.com/' },
        { audience: 'https://elsewhere.example.com/' },
      ])
        expectError(await exchange(at, access_token, changes), 400, 'invalid_target')
    },
    mutation: acceptRefused(atToken),
  },
  'rfc8693-4.1-act': {
    async test(at, direct) {
      const { json } = await exchange(direct, (await direct.connect()).access_token)
      const seen = await at.introspect(textOf(json['access_token']))
      expect(seen.json['act']).toEqual({ client_id: at.world.app.appId })
    },
    mutation: dropMember('/oauth/introspect', 'act'),
  },
  'rfc8693-4.1-chain': {
    async test(at, direct) {
      const once = await exchange(direct, (await direct.connect()).access_token)
      const twice = await exchange(direct, textOf(once.json['access_token']))
      const seen = await at.introspect(textOf(twice.json['access_token']))
      const client_id = at.world.app.appId
      expect(seen.json['act']).toEqual({ client_id, act: { client_id } })
    },
    mutation: editJson('/oauth/introspect', 'the last actor alone', (body) => {
      const actor = body['act'] as Record<string, unknown> | undefined
      if (actor !== undefined) delete actor['act']
    }),
  },
  'rfc8693-5-not-wider': {
    async test(at, direct) {
      const { access_token } = await direct.connect()
      for (const scope of ['order:read order:write', 'customer:read'])
        expectError(await exchange(at, access_token, { scope }), 400, 'invalid_scope')
      // The library's own clock decides about a lifetime, so no later moment can be asked for here.
      const expiryOf = async (token: string) => Number((await direct.introspect(token)).json['exp'])
      const once = textOf((await exchange(at, access_token)).json['access_token'])
      const twice = textOf((await exchange(at, once)).json['access_token'])
      expect(await expiryOf(once)).toBeLessThanOrEqual(await expiryOf(access_token))
      expect(await expiryOf(twice)).toBeLessThanOrEqual(await expiryOf(once))
    },
    mutation: acceptRefused(atToken),
  },
} satisfies Cases
