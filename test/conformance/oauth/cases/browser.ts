import { createHash } from 'node:crypto'
import { expect } from 'vitest'
import type { Actor } from '../actor.ts'
import {
  backOf,
  expectError,
  expectErrorBack,
  expectErrorPage,
  expectOk,
  expectPage,
  textOf,
} from '../expectations.ts'
import {
  acceptRefused,
  editAuthorization,
  editBack,
  giveCodeAnyway,
  refuse,
  setMember,
} from '../mutations.ts'
import type { Cases } from '../run-cases.ts'
import { redirectUri } from '../world.ts'

const atToken = '/oauth/token'
const atAuthorize = '/oauth/authorize'
const metadata = '/.well-known/oauth-authorization-server'

const challengeOf = (verifier: string) => createHash('sha256').update(verifier).digest('base64url')

/** An app on the person’s own machine. */
const native = (at: Actor) =>
  at.world.publish({
    name: 'Till',
    redirectUris: ['http://127.0.0.1:9/callback', 'http://[::1]/callback?x=1'],
  })

const onlyRegisteredPort = editAuthorization('compares the port of a loopback address', (query) => {
  const asked = query.get('redirect_uri') ?? ''
  if (/:(\d+)\//.test(asked) && !asked.includes(':9/')) query.set('redirect_uri', 'http://127.0.0.1:1/other')
})

/** RFC 7636, RFC 8252 and RFC 9207: what happens in the browser. */
export const browserCases = {
  'rfc7636-4.1-verifier-length': {
    async test(at, direct) {
      for (const verifier of ['a'.repeat(42), 'a'.repeat(129), `${'a'.repeat(42)}!`]) {
        const code = await direct.code({ code_challenge: challengeOf(verifier) })
        const { status, json } = await at.redeem(code, { code_verifier: verifier })
        expect([status, textOf(json['error'])]).toEqual([
          400,
          expect.stringMatching(/^invalid_(grant|request)$/),
        ])
      }
    },
    mutation: acceptRefused(atToken),
  },
  'rfc7636-4.2-s256': {
    async test(at, direct) {
      // The example of RFC 7636 appendix B.
      const codeVerifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
      const code = await direct.code({ code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM' })
      expectOk(await at.redeem(code, { code_verifier: codeVerifier }))
    },
    mutation: refuse(atToken, 400, 'invalid_grant'),
  },
  'rfc7636-4.2-challenge-form': {
    async test(at) {
      for (const code_challenge of ['a'.repeat(42), 'a'.repeat(129), `${'a'.repeat(42)}!`])
        expectErrorBack(await at.open(await at.authorization({ code_challenge })), 'invalid_request')
    },
    mutation: giveCodeAnyway(redirectUri),
  },
  'rfc7636-4.4-not-extractable': {
    async test(at) {
      const authorization = await at.authorization()
      const back = await at.back(authorization)
      expect(back?.searchParams.get('code') ?? '').not.toBe('')
      expect(back?.href).not.toContain(authorization.codeChallenge)
    },
    mutation: {
      what: 'the code holds the challenge',
      request(request) {
        if (request.path === atAuthorize) seen.challenge = request.query.get('code_challenge') ?? ''
        return undefined
      },
      response(response) {
        const { location } = response.headers
        if (location?.includes('code=') === true) response.headers.location = `${location}.${seen.challenge}`
      },
    },
  },
  'rfc7636-4.4.1-required': {
    async test(at) {
      const without = { code_challenge: null, code_challenge_method: null }
      expectErrorBack(await at.open(await at.authorization(without)), 'invalid_request')
    },
    mutation: giveCodeAnyway(redirectUri),
  },
  'rfc7636-4.4.1-unsupported-method': {
    async test(at) {
      for (const code_challenge_method of ['plain', 'S512', null])
        expectErrorBack(await at.open(await at.authorization({ code_challenge_method })), 'invalid_request')
    },
    mutation: editAuthorization('takes every method for S256', (query) =>
      query.set('code_challenge_method', 'S256'),
    ),
  },
  'rfc7636-4.6-verifier-missing': {
    async test(at, direct) {
      const code = await direct.code()
      for (const code_verifier of [null, ''])
        expectError(await at.redeem(code, { code_verifier }), 400, 'invalid_grant')
      expectOk(await direct.redeem(code))
    },
    mutation: acceptRefused(atToken),
  },
  'rfc7636-4.6-verifier-wrong': {
    async test(at, direct) {
      const code = await direct.code()
      for (const code_verifier of [code.codeChallenge, 'x'.repeat(43), `${code.codeVerifier}x`])
        expectError(await at.redeem(code, { code_verifier }), 400, 'invalid_grant')
      expectOk(await direct.redeem(code))
    },
    mutation: acceptRefused(atToken),
  },
  'rfc8252-6-pkce': {
    async test(at) {
      const without = { code_challenge: null, code_challenge_method: null }
      expectErrorBack(await at.open(await at.authorization(without, await native(at))), 'invalid_request')
    },
    mutation: giveCodeAnyway(redirectUri),
  },
  'rfc8252-7.3-any-port': {
    async test(at) {
      const app = await native(at)
      for (const port of ['', ':1', ':51004', ':65535'])
        expectPage(
          await at.open(await at.authorization({ redirect_uri: `http://127.0.0.1${port}/callback` }, app)),
        )
      const authorization = await at.authorization({ redirect_uri: 'http://127.0.0.1:51004/callback' }, app)
      const back = await at.back(authorization)
      expect(back?.origin).toBe('http://127.0.0.1:51004')
      expectOk(await at.redeem({ ...authorization, code: back?.searchParams.get('code') ?? '' }))
    },
    mutation: onlyRegisteredPort,
  },
  'rfc8252-7.3-ipv6': {
    async test(at) {
      const authorization = await at.authorization(
        { redirect_uri: 'http://[::1]:51004/callback?x=1' },
        await native(at),
      )
      const back = await at.back(authorization)
      expect(back?.host).toBe('[::1]:51004')
      expect(back?.searchParams.get('x')).toBe('1')
    },
    mutation: onlyRegisteredPort,
  },
  'rfc8252-8.3-no-localhost': {
    async test(at) {
      const app = await native(at)
      expectErrorPage(
        await at.open(await at.authorization({ redirect_uri: 'http://localhost:9/callback' }, app)),
      )
      const upload = at.world.publish({ name: 'By name', redirectUris: ['http://localhost:9/callback'] })
      await expect(upload).rejects.toThrow('package.redirect_uri_illegal')
    },
    mutation: editAuthorization('takes localhost for 127.0.0.1', (query) => {
      query.set('redirect_uri', (query.get('redirect_uri') ?? '').replace('localhost', '127.0.0.1'))
    }),
  },
  'rfc8252-8.4-exact-path': {
    async test(at) {
      const app = await native(at)
      for (const redirect_uri of [
        'http://127.0.0.1:9/',
        'http://127.0.0.1:9/callback/',
        'http://127.0.0.1:9/callback?x=1',
        'http://[::1]:9/callback',
        'https://127.0.0.1:9/callback',
      ])
        expectErrorPage(await at.open(await at.authorization({ redirect_uri }, app)))
    },
    mutation: editAuthorization('looks at the host alone', (query) => {
      if (query.get('redirect_uri')?.includes('127.0.0.1') === true)
        query.set('redirect_uri', 'http://127.0.0.1:9/callback')
    }),
  },
  'rfc8252-8.6-consent': {
    async test(at, direct) {
      await direct.connect()
      const browser = at.browser()
      for (const _again of [1, 2]) {
        const { path } = await at.authorization()
        const page = await browser.follow(await browser.open(path))
        expect([page.status, page.location]).toEqual([200, null])
        expect(page.url).toMatch(/\/consent\//)
        const back = await browser.follow(await browser.submit(page, { decision: 'allow' }))
        expect(textOf(back.location)).toMatch(/[?&]code=/)
      }
    },
    mutation: {
      what: 'a known app gets its code at once',
      response(response, request) {
        if (request.path !== atAuthorize) return
        const back = new URL(request.query.get('redirect_uri') ?? redirectUri)
        back.searchParams.set('code', 'stoa_ac_x')
        response.headers.location = back.href
      },
    },
  },
  'rfc9207-2-success': {
    async test(at) {
      const back = await at.back(await at.authorization())
      expect([back?.searchParams.has('code'), back?.searchParams.getAll('iss')]).toEqual([
        true,
        [at.world.issuer],
      ])
    },
    mutation: editBack('no iss', (back) => back.delete('iss')),
  },
  'rfc9207-2-error': {
    async test(at) {
      const refused = backOf(await at.open(await at.authorization({ scope: 'nonsense' })))
      expect([refused.has('error'), refused.getAll('iss')]).toEqual([true, [at.world.issuer]])
      const denied = await at.back(await at.authorization({}, await at.world.another()), { decision: 'deny' })
      expect([denied?.searchParams.has('error'), denied?.searchParams.get('iss')]).toEqual([
        true,
        at.world.issuer,
      ])
    },
    mutation: editBack('no iss with an error', (back) => {
      if (back.has('error')) back.delete('iss')
    }),
  },
  'rfc9207-2.3-identical': {
    async test(at) {
      const back = backOf(await at.open(await at.authorization({ scope: 'nonsense' })))
      expect(back.get('iss')).toBe((await at.send('GET', metadata)).json['issuer'])
    },
    mutation: editBack('iss with a slash', (back) => back.set('iss', `${back.get('iss')}/`)),
  },
  'rfc9207-2.3-metadata': {
    async test(at) {
      const { json } = await at.send('GET', metadata)
      expect(json['authorization_response_iss_parameter_supported']).toBe(true)
    },
    mutation: setMember(metadata, 'authorization_response_iss_parameter_supported', false),
  },
} satisfies Cases

const seen = { challenge: '' }
