import * as client from 'openid-client'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Actor } from './actor.ts'
import { makeKey, publishKeyed } from './proofs.ts'
import { useWorld } from './use-world.ts'
import type { App, World } from './world.ts'

// A higher-level client than the one the rest of the suite uses, by its own words a relying party for any server.
const opened = useWorld()
let world: World
let at: Actor
beforeAll(() => {
  world = opened()
  at = world.direct
})

async function discover(
  app: App,
  auth = client.ClientSecretBasic(app.clientSecret),
): Promise<client.Configuration> {
  return client.discovery(new URL(world.issuer), app.appId, undefined, auth, {
    algorithm: 'oauth2',
    execute: [client.allowInsecureRequests],
  })
}

/** Sends the merchant through the address the client built, to the address back at the app. */
async function through(url: URL): Promise<URL> {
  const authorization = await at.authorization()
  const back = await at.back({ ...authorization, path: url.pathname + url.search })
  if (back === null) throw new Error('the authorization stayed on a page')
  return back
}

async function parametersOf(verifier: string, state: string) {
  return {
    ...{ redirect_uri: world.app.redirectUri, scope: 'order:read', state },
    ...{ code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' },
  }
}

describe('openid-client completes', () => {
  test('code and refresh', async () => {
    const config = await discover(world.app)
    const [pkceCodeVerifier, expectedState] = [client.randomPKCECodeVerifier(), client.randomState()]
    const url = client.buildAuthorizationUrl(config, await parametersOf(pkceCodeVerifier, expectedState))
    const tokens = await client.authorizationCodeGrant(config, await through(url), {
      pkceCodeVerifier,
      expectedState,
    })
    const again = await client.refreshTokenGrant(config, tokens.refresh_token ?? '')
    expect(again.refresh_token).not.toBe(tokens.refresh_token)
    expect((await at.api(again.access_token)).status).toBe(200)
    await client.tokenRevocation(config, again.access_token)
    expect((await client.tokenIntrospection(config, again.access_token)).active).toBe(false)
  })

  test('client credentials with private_key_jwt', async () => {
    const app = await publishKeyed(world, 'Keyed for openid-client')
    const config = await discover(app, client.PrivateKeyJwt(app.key.privateKey))
    const tokens = await client.clientCredentialsGrant(config)
    expect(tokens.access_token).toMatch(/^stoa_at_/)
  })

  test('code and refresh with DPoP', async () => {
    const config = await discover(world.app)
    const { thumbprint, ...pair } = await makeKey()
    const { subtle } = globalThis.crypto
    const publicKey = await subtle.importKey(
      'jwk',
      pair.publicJwk as Record<string, unknown>,
      { name: 'ECDSA', namedCurve: 'P-256' },
      true,
      ['verify'],
    )
    const DPoP = client.getDPoPHandle(config, { privateKey: pair.privateKey, publicKey })
    const [pkceCodeVerifier, expectedState] = [client.randomPKCECodeVerifier(), client.randomState()]
    const url = client.buildAuthorizationUrl(config, await parametersOf(pkceCodeVerifier, expectedState))
    const checks = { pkceCodeVerifier, expectedState }
    const tokens = await client.authorizationCodeGrant(config, await through(url), checks, undefined, {
      DPoP,
    })
    expect(tokens.token_type).toBe('dpop')
    const again = await client.refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, { DPoP })
    expect((await at.introspect(again.access_token)).json['cnf']).toEqual({ jkt: thumbprint })
  })

  test('a pushed authorization request', async () => {
    const config = await discover(world.app)
    const [pkceCodeVerifier, expectedState] = [client.randomPKCECodeVerifier(), client.randomState()]
    const parameters = await parametersOf(pkceCodeVerifier, expectedState)
    const url = await client.buildAuthorizationUrlWithPAR(config, parameters)
    expect(url.searchParams.has('request_uri')).toBe(true)
    const tokens = await client.authorizationCodeGrant(config, await through(url), {
      pkceCodeVerifier,
      expectedState,
    })
    expect(tokens.scope).toBe('order:read')
  })

  test('the device flow', async () => {
    const app = await world.publish({ name: 'Till', manifest: { device: true } })
    const config = await discover(app)
    const device = await client.initiateDeviceAuthorization(config, { scope: 'order:read' })
    const browser = at.browser()
    const { pathname, search } = new URL(device.verification_uri_complete ?? device.verification_uri)
    const asked = await browser.submit(await browser.open(pathname + search), {
      user_code: device.user_code,
      step: 'code',
    })
    await browser.submit(asked, { decision: 'allow' })
    // It waits one interval before it asks, five seconds of its own time.
    const tokens = await client.pollDeviceAuthorizationGrant(config, device)
    expect((await at.api(tokens.access_token)).status).toBe(200)
  })
})
