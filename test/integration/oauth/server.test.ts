import { request } from 'node:http'
import * as oauth from 'oauth4webapi'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import * as b from './browser.ts'
import * as f from './flow.ts'
import * as w from './world.ts'

let world: w.World
beforeAll(async () => {
  world = await w.openWorld()
})
afterAll(() => world.close())

/** Node's own client: fetch does not let a caller lie about Host. */
function getAs(url: string, headers: Readonly<Record<string, string>>): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    request(url, { headers }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () => {
        const location = response.headers.location
        resolve(location === undefined ? (JSON.parse(text) as Record<string, unknown>) : { location })
      })
    })
      .on('error', reject)
      .end()
  })
}

const metadataPaths = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']

const authMethods = ['private_key_jwt', 'client_secret_basic', 'client_secret_post']
const algorithms = ['ES256', 'EdDSA', 'Ed25519', 'PS256', 'RS256']

describe('metadata', () => {
  test.each(metadataPaths)('%s tells the truth', async (path) => {
    const response = await fetch(`${world.publicUrl}${path}`)
    expect(response.headers.get('cache-control')).toBe('public, max-age=300')
    const metadata = (await response.json()) as Record<string, unknown>
    expect(metadata).toMatchObject({
      issuer: world.publicUrl,
      authorization_endpoint: `${world.publicUrl}/oauth/authorize`,
      token_endpoint: `${world.publicUrl}/oauth/token`,
      revocation_endpoint: `${world.publicUrl}/oauth/revoke`,
      introspection_endpoint: `${world.publicUrl}/oauth/introspect`,
      jwks_uri: `${world.publicUrl}/oauth/jwks`,
      scopes_supported: ['openid', ...w.scopes],
      response_types_supported: ['code'],
      response_modes_supported: ['query'],
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      pushed_authorization_request_endpoint: `${world.publicUrl}/oauth/par`,
      device_authorization_endpoint: `${world.publicUrl}/oauth/device_authorization`,
      userinfo_endpoint: `${world.publicUrl}/oauth/userinfo`,
      subject_types_supported: ['pairwise'],
      token_endpoint_auth_methods_supported: [...authMethods, 'none'],
      token_endpoint_auth_signing_alg_values_supported: algorithms,
      introspection_endpoint_auth_methods_supported: authMethods,
      introspection_endpoint_auth_signing_alg_values_supported: algorithms,
      revocation_endpoint_auth_methods_supported: [...authMethods, 'none'],
      revocation_endpoint_auth_signing_alg_values_supported: algorithms,
      dpop_signing_alg_values_supported: algorithms,
      protected_resources: [`${world.publicUrl}/v1`],
      id_token_signing_alg_values_supported: ['ES256'],
    })
    expect([...(metadata['grant_types_supported'] as string[])].sort()).toEqual([
      'authorization_code',
      'client_credentials',
      'refresh_token',
      'urn:ietf:params:oauth:grant-type:device_code',
      'urn:ietf:params:oauth:grant-type:token-exchange',
    ])
    expect(JSON.stringify(metadata)).not.toContain('HS256')
    for (const absent of ['registration_endpoint', 'end_session_endpoint'])
      expect(metadata).not.toHaveProperty(absent)
  })

  test.each(metadataPaths)('%s does not believe the request’s Host', async (path) => {
    const honest = await (await fetch(`${world.publicUrl}${path}`)).json()
    const lies = {
      host: 'evil.example.com',
      'x-forwarded-host': 'evil2.example.com',
      'x-forwarded-proto': 'https',
      forwarded: 'host=evil3.example.com',
    }
    expect(await getAs(`${world.publicUrl}${path}`, lies)).toEqual(honest)
  })

  test('nor does the way back from a page', async () => {
    const app = await w.addApp(world)
    const browser = b.makeBrowser()
    const authorization = await f.authorizationOf(world, app)
    const { location } = await getAs(authorization.url.href, { host: 'evil.example.com' })
    expect(String(location)).toMatch(/^\/sign-in\//)
    const page = b.locationOf(world, await browser.open(authorization.url.href))
    const resumed = await browser.open(`${page.href}?person=per_one`, 'POST', {
      'x-forwarded-host': 'evil.example.com',
    })
    expect(b.locationOf(world, resumed).origin).toBe(world.publicUrl)
  })

  test('behind TLS every address is https and cookies are Secure', async () => {
    const options = { publicUrl: 'https://open.example.com' }
    const secure = await w.openProcess(world.database, world.clock, options)
    try {
      const metadata = await getAs(`${secure.address}${metadataPaths[0]}`, {})
      expect(metadata).toMatchObject({
        issuer: 'https://open.example.com',
        token_endpoint: 'https://open.example.com/oauth/token',
      })
      const app = await w.addApp(world)
      const { search } = (await f.authorizationOf(world, app)).url
      const response = await fetch(`${secure.address}/oauth/authorize${search}`, { redirect: 'manual' })
      expect(response.status).toBe(303)
      const cookies = response.headers.getSetCookie()
      expect(cookies.length).toBeGreaterThan(3)
      for (const cookie of cookies)
        expect(cookie).toMatch(/; secure; httponly|; samesite=lax; secure; httponly/i)
    } finally {
      await secure.close()
    }
  })

  test('of the protected resource names this server', () => {
    expect(world.server.protectedResourceMetadata()).toEqual({
      resource: `${world.publicUrl}/v1`,
      authorization_servers: [world.publicUrl],
      scopes_supported: w.scopes,
      bearer_methods_supported: ['header'],
      resource_name: expect.any(String),
      dpop_signing_alg_values_supported: algorithms,
      dpop_bound_access_tokens_required: false,
    })
  })
})

describe('addresses', () => {
  test.each([
    '/oauth',
    '/oauth/',
    '/oauth/Token',
    '/OAuth/token',
    '/oauth/token/',
    '/oauth/nothing',
    '/oauth/end_session',
    '/oauth/par/',
    '/oauth/device',
    '/oauth/device/abc',
    '/interaction/x',
    '/.well-known/openid-configuration/',
    '/v1/orders',
  ])('%s is not this server’s', (path) => {
    expect(world.server.matches(path)).toBe(false)
  })

  test.each([
    ['GET', '/oauth/token', 'POST, OPTIONS'],
    ['DELETE', '/oauth/token', 'POST, OPTIONS'],
    ['POST', '/oauth/authorize', 'GET'],
    ['POST', '/oauth/jwks', 'GET, HEAD, OPTIONS'],
  ])('%s %s answers 405 with what is allowed', async (method, path, allow) => {
    const response = await fetch(`${world.publicUrl}${path}`, { method })
    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toBe(allow)
    expect(await response.json()).toMatchObject({ code: 'capability.method_not_allowed' })
  })

  test('a way back without its cookie ends on an error page', async () => {
    const response = await fetch(`${world.publicUrl}/oauth/authorize/unknown`, {
      headers: { accept: 'text/html' },
      redirect: 'manual',
    })
    expect(response.status).toBe(400)
    expect(response.headers.get('content-type')).toContain('text/html')
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
  })

  test('pages of other origins may not read the token endpoint', async () => {
    const app = await w.addApp(world)
    const response = await f.post(
      world,
      '/oauth/token',
      { grant_type: 'client_credentials', client_id: app.appId, client_secret: app.secret },
      { origin: 'https://evil.example.com' },
    )
    expect(response.headers.get('access-control-allow-origin')).toBeNull()
    expect(response.status).toBe(400)
  })
})

describe('signing keys', () => {
  const keysOf = async (process: { readonly publicUrl: string }) =>
    ((await (await fetch(`${process.publicUrl}/oauth/jwks`)).json()) as { keys: Record<string, unknown>[] })
      .keys

  test('are published without their private part and survive a restart', async () => {
    const keys = await keysOf(world)
    expect(keys).toEqual([
      {
        kty: 'EC',
        crv: 'P-256',
        alg: 'ES256',
        use: 'sig',
        kid: expect.any(String),
        x: expect.any(String),
        y: expect.any(String),
      },
    ])
    const again = await w.openProcess(world.database, world.clock)
    expect(await keysOf(again)).toEqual(keys)
    await again.close()
    const rows = await world.database.db.queries.signingKey.findMany()
    expect(rows).toHaveLength(1)
    expect(rows[0]?.sealed).toMatch(/^v1\./)
  })

  test('another secret key stops the start and says so', async () => {
    const start = w.openProcess(world.database, world.clock, {
      secretKey: 'another secret key with enough characters',
    })
    await expect(start).rejects.toMatchObject({ code: 'oauth.secret_key_wrong' })
  })

  test('two processes that start at once on an empty database share one', async () => {
    await world.database.db.queries.signingKey.deleteMany()
    const processes = await Promise.all([
      w.openProcess(world.database, world.clock),
      w.openProcess(world.database, world.clock),
    ])
    const [one, two] = await Promise.all(processes.map(keysOf))
    expect(one).toEqual(two)
    expect(await world.database.db.queries.signingKey.count()).toBe(1)
    await Promise.all(processes.map((process) => process.close()))
  })

  test('tokens of before a restart work after it, even at another address', async () => {
    const app = await w.addApp(world)
    const tokens = await f.connect(world, app, await w.install(world, app.appId))
    const again = await w.openProcess(world.database, world.clock)
    expect(again.publicUrl).not.toBe(world.publicUrl)
    expect(await again.server.verifyAccessToken(tokens.access_token)).not.toBeNull()
    const response = await f.refresh(again, app, tokens.refresh_token)
    await oauth.processRefreshTokenResponse(again.as, app.client, response)
    await again.close()
  })
})

describe('noise', () => {
  afterEach(() => vi.restoreAllMocks())

  test('the library prints nothing while it is used', async () => {
    const printed = (['log', 'info', 'warn', 'error'] as const).map((name) =>
      vi.spyOn(console, name).mockImplementation(() => undefined),
    )
    const process = await w.openProcess(world.database, world.clock)
    const app = await w.addApp(world)
    await f.connect(world, app, await w.install(world, app.appId))
    await fetch(`${process.publicUrl}/oauth/authorize/unknown`)
    await process.close()
    for (const spy of printed) expect(spy.mock.calls).toEqual([])
  })
})
