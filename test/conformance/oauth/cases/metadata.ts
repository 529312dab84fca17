import { expect } from 'vitest'
import type { Actor } from '../actor.ts'
import { textOf } from '../expectations.ts'
import { dropMember, editJson, setHeader, setMember, setStatus } from '../mutations.ts'
import type { Cases } from '../run-cases.ts'

const path = '/.well-known/oauth-authorization-server'
const openId = '/.well-known/openid-configuration'

async function metadataOf(at: Actor, address = path): Promise<Readonly<Record<string, unknown>>> {
  return (await at.send('GET', address)).json
}

const listOf = (value: unknown) => (Array.isArray(value) ? (value as unknown[]).map(String) : [])

/** What each endpoint answers to nothing at all, which is never 404. */
async function statusOf(at: Actor, endpoint: string): Promise<number> {
  const { pathname } = new URL(endpoint)
  const statuses = [await at.send('GET', pathname), await at.send('POST', pathname, { form: {} })]
  return Math.min(...statuses.map(({ status }) => (status === 405 ? 999 : status)))
}

/** RFC 8414. */
export const metadataCases = {
  'rfc8414-2-issuer': {
    async test(at) {
      const issuer = new URL(textOf((await metadataOf(at))['issuer']) || 'http://nothing.invalid/x')
      expect([issuer.pathname, issuer.search, issuer.hash]).toEqual(['/', '', ''])
      expect(issuer.origin).toBe(at.world.issuer)
    },
    mutation: editJson(path, 'an issuer with a query', (body) => {
      body['issuer'] = `${body['issuer']}/?tenant=1`
    }),
  },
  'rfc8414-2-endpoints': {
    async test(at) {
      const metadata = await metadataOf(at)
      const endpoints = Object.entries(metadata).filter(([name]) => /_endpoint$|^jwks_uri$/.test(name))
      expect(endpoints.map(([name]) => name)).toEqual(
        expect.arrayContaining([
          ...[
            'authorization_endpoint',
            'token_endpoint',
            'revocation_endpoint',
            'introspection_endpoint',
            'jwks_uri',
          ],
        ]),
      )
      for (const [name, endpoint] of endpoints) {
        expect(new URL(String(endpoint)).origin, name).toBe(at.world.issuer)
        expect(await statusOf(at, String(endpoint)), name).not.toBe(404)
      }
    },
    mutation: setMember(path, 'token_endpoint', 'https://evil.example/oauth/token'),
  },
  'rfc8414-2-response-types': {
    test: async (at) => expect((await metadataOf(at))['response_types_supported']).toEqual(['code']),
    mutation: dropMember(path, 'response_types_supported'),
  },
  'rfc8414-2-grant-types': {
    async test(at) {
      const grantTypes = listOf((await metadataOf(at))['grant_types_supported'])
      expect(grantTypes).toEqual(
        expect.arrayContaining(['authorization_code', 'refresh_token', 'client_credentials']),
      )
      for (const grant_type of grantTypes) {
        expect(['password', 'implicit']).not.toContain(grant_type)
        expect((await at.token({ grant_type })).json['error'], grant_type).not.toBe('unsupported_grant_type')
      }
    },
    mutation: editJson(path, 'a grant type that is none', (body) => {
      body['grant_types_supported'] = [...listOf(body['grant_types_supported']), 'urn:nobody:knows']
    }),
  },
  'rfc8414-2-auth-methods': {
    async test(at) {
      const methods = listOf((await metadataOf(at))['token_endpoint_auth_methods_supported'])
      expect(methods).toEqual(expect.arrayContaining(['client_secret_basic', 'client_secret_post']))
      expect(methods).not.toContain('client_secret_jwt')
      const { appId, clientSecret } = at.world.app
      const form = { grant_type: 'client_credentials' }
      expect((await at.token(form)).status).toBe(200)
      expect((await at.token({ ...form, client_id: appId, client_secret: clientSecret }, null)).status).toBe(
        200,
      )
    },
    mutation: setMember(path, 'token_endpoint_auth_methods_supported', [
      'client_secret_basic',
      'client_secret_jwt',
    ]),
  },
  'rfc8414-2-signing-algorithms': {
    async test(at) {
      const metadata = await metadataOf(at)
      const lists = Object.entries(metadata).filter(([name]) => /_alg_values_supported$/.test(name))
      expect(lists.length).toBeGreaterThan(0)
      for (const [name, list] of lists)
        for (const algorithm of listOf(list)) expect(algorithm, name).toMatch(/^(ES|PS|RS)\d{3}$|^Ed/)
    },
    mutation: editJson(path, 'HS256', (body) => {
      for (const name of Object.keys(body)) if (/_alg_values_supported$/.test(name)) body[name] = ['HS256']
    }),
  },
  'rfc8414-2-scopes': {
    async test(at) {
      const scopes = listOf((await metadataOf(at))['scopes_supported'])
      expect(scopes).toEqual(expect.arrayContaining(['order:read', 'order:write', 'customer:read']))
    },
    mutation: setMember(path, 'scopes_supported', ['order:read']),
  },
  'rfc8414-2-jwks': {
    async test(at) {
      const { pathname } = new URL(textOf((await metadataOf(at))['jwks_uri']))
      const { status, json } = await at.send('GET', pathname)
      expect(status).toBe(200)
      const keys = json['keys'] as readonly Readonly<Record<string, unknown>>[]
      expect(keys.length).toBeGreaterThan(0)
      for (const key of keys) {
        expect(key).toMatchObject({ use: 'sig', alg: expect.any(String), kid: expect.any(String) })
        for (const secret of ['d', 'p', 'q', 'k']) expect(key).not.toHaveProperty(secret)
      }
    },
    mutation: editJson('/oauth/jwks', 'a private key', (body) => {
      for (const key of body['keys'] as Record<string, unknown>[]) key['d'] = 'AAAA'
    }),
  },
  'rfc8414-2-challenge-methods': {
    test: async (at) => expect((await metadataOf(at))['code_challenge_methods_supported']).toEqual(['S256']),
    mutation: dropMember(path, 'code_challenge_methods_supported'),
  },
  'rfc8414-3-well-known': {
    async test(at) {
      const { status, json } = await at.send('GET', path)
      expect([status, json['token_endpoint']]).toEqual([200, `${at.world.issuer}/oauth/token`])
    },
    mutation: setStatus(path, 404),
  },
  'rfc8414-3.1-get': {
    async test(at) {
      const { status, headers } = await at.send('POST', path, { form: {} })
      expect([status, textOf(headers['allow'])]).toEqual([405, expect.stringContaining('GET')])
    },
    mutation: setStatus(path, 200, 405),
  },
  'rfc8414-3.2-json': {
    async test(at) {
      const { status, headers } = await at.send('GET', path)
      expect([status, textOf(headers['content-type'])]).toEqual([
        200,
        expect.stringMatching(/^application\/json\b/),
      ])
    },
    mutation: setHeader(path, 'content-type', 'text/html'),
  },
  'rfc8414-3.2-no-empty': {
    async test(at) {
      const metadata = await metadataOf(at)
      expect(metadata).toHaveProperty('issuer')
      const empty = Object.entries(metadata).filter(([, value]) => Array.isArray(value) && value.length === 0)
      expect(empty.map(([name]) => name)).toEqual([])
    },
    mutation: setMember(path, 'ui_locales_supported', []),
  },
  'rfc8414-3.3-identical': {
    async test(at) {
      for (const headers of [{}, { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' }])
        expect((await at.send('GET', path, { headers })).json['issuer']).toBe(at.world.issuer)
    },
    mutation: editJson(path, 'an issuer with a slash', (body) => {
      body['issuer'] = `${body['issuer']}/`
    }),
  },
  'rfc8414-5-openid': {
    async test(at) {
      const document = await metadataOf(at)
      expect(document).toHaveProperty('issuer')
      expect(await metadataOf(at, openId)).toEqual(document)
    },
    mutation: setMember(openId, 'introspection_endpoint', 'https://elsewhere.example/introspect'),
  },
} satisfies Cases
