import { expect } from 'vitest'
import { expectError, expectErrorBack, expectOk, textOf } from '../expectations.ts'
import {
  acceptRefused,
  dropMember,
  editForm,
  editJson,
  giveCodeAnyway,
  pretend,
  refuse,
  setHeader,
  setMember,
  setStatus,
} from '../mutations.ts'
import type { Cases } from '../run-cases.ts'
import { redirectUri } from '../world.ts'

const atToken = '/oauth/token'
const atRevoke = '/oauth/revoke'
const atIntrospect = '/oauth/introspect'
const unknownToken = `stoa_at_${'A'.repeat(49)}`

/** RFC 7009, RFC 7662 and RFC 8707: revocation, introspection, resource indicators. */
export const tokenCases = {
  'rfc7009-2-refresh-token': {
    async test(at, direct) {
      const { refresh_token } = await direct.connect()
      expectOk(await at.revoke(refresh_token))
      expectError(await direct.refresh(refresh_token), 400, 'invalid_grant')
    },
    mutation: pretend(atRevoke),
  },
  'rfc7009-2-access-token': {
    async test(at, direct) {
      const { access_token } = await direct.connect()
      expectOk(await direct.api(access_token))
      expectOk(await at.revoke(access_token))
      expect((await direct.api(access_token)).status).toBe(401)
    },
    mutation: pretend(atRevoke),
  },
  'rfc7009-2.1-post': {
    async test(at, direct) {
      const { access_token } = await direct.connect()
      const { status, headers } = await at.send('GET', atRevoke, { query: { token: access_token } })
      expect([status, textOf(headers['allow'])]).toEqual([405, expect.stringContaining('POST')])
      expectOk(await direct.api(access_token))
    },
    mutation: setStatus(atRevoke, 200, 405),
  },
  'rfc7009-2.1-client-authentication': {
    async test(at, direct) {
      const { access_token } = await direct.connect()
      const { appId } = at.world.app
      for (const [app, form] of [
        [null, { client_id: appId, client_secret: 'x' }],
        [{ ...at.world.app, clientSecret: 'x' }, {}],
      ] as const)
        expectError(await at.revoke(access_token, form, app), 401, 'invalid_client')
      expectOk(await direct.api(access_token))
    },
    mutation: setStatus(atRevoke, 200, 401),
  },
  'rfc7009-2.1-own-tokens': {
    async test(at, direct) {
      const { access_token, refresh_token } = await direct.connect()
      expectOk(await at.revoke(unknownToken))
      await at.revoke(access_token, {}, at.world.other)
      await at.revoke(refresh_token, {}, at.world.other)
      expectOk(await direct.api(access_token))
      expectOk(await direct.refresh(refresh_token))
    },
    mutation: {
      what: '/oauth/revoke takes every client for the one before',
      request(request, past) {
        const before = past.find((exchange) => exchange.request.path === atRevoke)
        if (before !== undefined) request.headers['authorization'] = before.request.headers['authorization']
        return undefined
      },
    },
  },
  'rfc7009-2.1-cascade': {
    async test(at, direct) {
      const { access_token, refresh_token } = await direct.connect()
      expectOk(await direct.api(access_token))
      expectOk(await at.revoke(refresh_token))
      expect((await direct.api(access_token)).status).toBe(401)
    },
    mutation: pretend(atRevoke),
  },
  'rfc7009-2.1-immediate': {
    async test(at, direct) {
      const { access_token } = await direct.connect()
      expectOk(await direct.api(access_token))
      const [revoked, used] = [await at.revoke(access_token), await direct.api(access_token)]
      expect([revoked.status, used.status]).toEqual([200, 401])
    },
    mutation: pretend(atRevoke),
  },
  'rfc7009-2.1-hint': {
    async test(at, direct) {
      for (const token_type_hint of ['access_token', 'nobody_knows']) {
        const { refresh_token } = await direct.connect()
        expectOk(await at.revoke(refresh_token, { token_type_hint }))
        expectError(await direct.refresh(refresh_token), 400, 'invalid_grant')
      }
    },
    mutation: editForm(atRevoke, 'believes the hint', (form) => {
      if (form.get('token_type_hint') === 'access_token') form.set('token', unknownToken)
    }),
  },
  'rfc7009-2.2-invalid-token': {
    async test(at) {
      for (const token of ['nonsense', unknownToken]) expectOk(await at.revoke(token))
    },
    mutation: refuse(atRevoke, 400, 'invalid_token'),
  },
  'rfc7009-2.2.1-errors': {
    async test(at) {
      const reply = await at.revoke('', { token: null })
      expectError(reply, 400, 'invalid_request')
      expect(textOf(reply.headers['content-type'])).toMatch(/^application\/json\b/)
    },
    mutation: setHeader(atRevoke, 'content-type', 'text/plain'),
  },
  'rfc7662-2.1-protected': {
    async test(at, direct) {
      const { access_token } = await direct.connect()
      const { status, json } = await at.introspect(access_token, { client_id: at.world.app.appId }, null)
      expect(status).toBeGreaterThanOrEqual(400)
      expect(json).not.toHaveProperty('active')
      expect((await at.introspect(access_token, {}, null)).status).toBeGreaterThanOrEqual(400)
    },
    mutation: acceptRefused(atIntrospect, '{"active":true}'),
  },
  'rfc7662-2.1-post': {
    async test(at) {
      const { status, headers } = await at.send('GET', atIntrospect, { query: { token: unknownToken } })
      expect([status, textOf(headers['allow'])]).toEqual([405, expect.stringContaining('POST')])
    },
    mutation: setStatus(atIntrospect, 200, 405),
  },
  'rfc7662-2.1-hint': {
    async test(at, direct) {
      const { refresh_token } = await direct.connect()
      for (const token_type_hint of ['access_token', 'nobody_knows'])
        expect((await at.introspect(refresh_token, { token_type_hint })).json['active']).toBe(true)
    },
    mutation: editForm(atIntrospect, 'believes the hint', (form) => {
      if (form.get('token_type_hint') === 'access_token') form.set('token', unknownToken)
    }),
  },
  'rfc7662-2.2-json': {
    async test(at) {
      const { headers } = await at.introspect(unknownToken)
      expect(textOf(headers['content-type'])).toMatch(/^application\/json\b/)
    },
    mutation: setHeader(atIntrospect, 'content-type', 'application/token-introspection+jwt'),
  },
  'rfc7662-2.2-active': {
    async test(at, direct) {
      const { access_token } = await direct.connect()
      const { json } = await at.introspect(access_token)
      expect(json).toMatchObject({
        ...{ active: true, client_id: at.world.app.appId, scope: 'order:read', token_type: 'Bearer' },
        ...{ iss: at.world.issuer, aud: `${at.world.issuer}/v1` },
      })
      expect(Number(json['exp']) - Number(json['iat'])).toBe(3600)
    },
    mutation: dropMember(atIntrospect, 'exp'),
  },
  'rfc7662-2.2-inactive': {
    async test(at) {
      for (const token of ['nonsense', unknownToken]) {
        const { status, json } = await at.introspect(token)
        expect([status, json['active']]).toEqual([200, false])
      }
    },
    mutation: setStatus(atIntrospect, 404, 200),
  },
  'rfc7662-2.2-foreign-token': {
    async test(at, direct) {
      const { access_token, refresh_token } = await direct.connect()
      for (const token of [access_token, refresh_token])
        expect((await at.introspect(token, {}, at.world.other)).json).toEqual({ active: false })
    },
    mutation: editJson(atIntrospect, 'active for everybody', (body) => {
      body['active'] = true
    }),
  },
  'rfc7662-2.2-no-details': {
    async test(at, direct) {
      const { access_token } = await direct.connect()
      await direct.revoke(access_token)
      expect((await at.introspect(access_token)).json).toEqual({ active: false })
      expect((await at.introspect(unknownToken)).json).toEqual({ active: false })
    },
    mutation: setMember(atIntrospect, 'reason', 'revoked'),
  },
  'rfc7662-2.3-unauthorized': {
    async test(at) {
      const wrong = { ...at.world.app, clientSecret: 'x' }
      expectError(await at.introspect(unknownToken, {}, wrong), 401, 'invalid_client')
    },
    mutation: setStatus(atIntrospect, 400, 401),
  },
  'rfc7662-4-expired': {
    async test(at, direct) {
      const access_token = String(
        (await direct.token({ grant_type: 'client_credentials' })).json['access_token'],
      )
      expect((await at.introspect(access_token)).json['active']).toBe(true)
      await at.world.later(601_000, async () => {
        expect((await at.introspect(access_token)).json).toEqual({ active: false })
      })
    },
    mutation: setMember(atIntrospect, 'active', true),
  },
  'rfc7662-4-revoked': {
    async test(at, direct) {
      const { access_token, refresh_token } = await direct.connect()
      expect((await at.introspect(access_token)).json['active']).toBe(true)
      await direct.revoke(refresh_token)
      for (const token of [access_token, refresh_token])
        expect((await at.introspect(token)).json).toEqual({ active: false })
    },
    mutation: setMember(atIntrospect, 'active', true),
  },
  'rfc8707-2-absolute-uri': {
    async test(at) {
      for (const resource of ['/v1', 'v1'])
        expectErrorBack(await at.open(await at.authorization({ resource })), 'invalid_target')
    },
    mutation: giveCodeAnyway(redirectUri),
  },
  'rfc8707-2-no-fragment': {
    async test(at) {
      const resource = `${at.world.issuer}/v1#x`
      expectErrorBack(await at.open(await at.authorization({ resource })), 'invalid_target')
    },
    mutation: giveCodeAnyway(redirectUri),
  },
  'rfc8707-2.1-invalid-target': {
    async test(at) {
      for (const resource of [
        'https://elsewhere.example.com/',
        `${at.world.issuer}/v2`,
        `${at.world.issuer}/v1/`,
      ])
        expectErrorBack(await at.open(await at.authorization({ resource })), 'invalid_target')
      const several = [`${at.world.issuer}/v1`, 'https://elsewhere.example.com/']
      expectErrorBack(await at.open(await at.authorization({ resource: several })), 'invalid_target')
    },
    mutation: giveCodeAnyway(redirectUri),
  },
  'rfc8707-2-audience': {
    async test(at, direct) {
      const { access_token } = await direct.connect({ resource: `${at.world.issuer}/v1` })
      expect((await at.introspect(access_token)).json['aud']).toBe(`${at.world.issuer}/v1`)
    },
    mutation: dropMember(atIntrospect, 'aud'),
  },
  'rfc8707-2.2-token-request': {
    async test(at, direct) {
      const { refresh_token } = await direct.connect()
      const elsewhere = { resource: 'https://elsewhere.example.com/' }
      expectError(await at.refresh(refresh_token, elsewhere), 400, 'invalid_target')
      expectError(await at.redeem(await direct.code(), elsewhere), 400, 'invalid_target')
      expectOk(await at.refresh(refresh_token, { resource: `${at.world.issuer}/v1` }))
    },
    mutation: acceptRefused(atToken),
  },
} satisfies Cases
