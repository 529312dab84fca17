import * as oauth from 'oauth4webapi'
import { type Browser, locationOf, makeBrowser } from './browser.ts'
import { http, redirectUri, scopes, type TestApp, type TestInstallation, type World } from './world.ts'

export interface Authorization {
  readonly url: URL
  readonly codeVerifier: string
  readonly state: string
}

/** The address to which an app sends the merchant's browser. `null` leaves a parameter out. */
export async function authorizationOf(
  world: Pick<World, 'as'>,
  app: TestApp,
  overrides: Readonly<Record<string, string | null>> = {},
): Promise<Authorization> {
  const codeVerifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const parameters: Record<string, string | null> = {
    client_id: app.appId,
    response_type: 'code',
    redirect_uri: redirectUri,
    scope: 'order:read order:write',
    code_challenge: await oauth.calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
    state,
    ...overrides,
  }
  const url = new URL(world.as.authorization_endpoint ?? '')
  for (const [name, value] of Object.entries(parameters))
    if (value !== null) url.searchParams.set(name, value)
  return { url, codeVerifier, state }
}

export interface Choice extends TestInstallation {
  readonly personId?: string
  readonly granted?: readonly string[]
  readonly refused?: readonly string[]
}

/** What one merchant agrees to, for a page that says so itself. */
export function agreementOf(installation: TestInstallation, granted: readonly string[] = ['order:read']) {
  return { ...installation, personId: 'per_one', credentialId: null, granted, refused: [], details: [] }
}

/** Sign-in: from /oauth/authorize to the consent page's address. */
export async function signIn(
  world: Pick<World, 'publicUrl'>,
  browser: Browser,
  url: URL,
  personId = 'per_one',
): Promise<URL> {
  const signInPage = locationOf(world, await browser.open(url.href))
  const resume = locationOf(world, await browser.open(`${signInPage.href}?person=${personId}`, 'POST'))
  return locationOf(world, await browser.open(resume.href))
}

/** Consent: the address back at the app, with code or error. */
export async function consent(
  world: Pick<World, 'publicUrl'>,
  browser: Browser,
  page: URL,
  choice: Choice,
): Promise<URL> {
  const query = new URLSearchParams({
    person: choice.personId ?? 'per_one',
    merchant: choice.merchantId,
    installation: choice.installationId,
    granted: (choice.granted ?? scopes).join(' '),
    refused: (choice.refused ?? []).join(' '),
  })
  const resume = locationOf(world, await browser.open(`${page.href}?${query}`, 'POST'))
  return locationOf(world, await browser.open(resume.href))
}

/** Sign-in and consent, to the address back at the app. */
export async function authorize(
  world: Pick<World, 'publicUrl' | 'as'>,
  authorization: Authorization,
  choice: Choice,
): Promise<URL> {
  const browser = makeBrowser()
  const page = await signIn(world, browser, authorization.url, choice.personId)
  return consent(world, browser, page, choice)
}

/** Redeems the code at the token endpoint as any client would. */
export function redeem(
  world: Pick<World, 'as'>,
  app: TestApp,
  { state, codeVerifier }: Authorization,
  back: URL,
): Promise<Response> {
  const callback = oauth.validateAuthResponse(world.as, app.client, back, state)
  return oauth.authorizationCodeGrantRequest(
    ...([world.as, app.client, app.auth, callback, redirectUri, codeVerifier, http] as const),
  )
}

export interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
  readonly expires_in: number
  readonly scope: string
  readonly merchant_id: string
  readonly installation_id: string
}

/** An installed app with its first tokens. */
export async function connect(
  world: World,
  app: TestApp,
  installation: TestInstallation,
  overrides: Readonly<Record<string, string | null>> = {},
): Promise<Tokens> {
  const authorization = await authorizationOf(world, app, overrides)
  const back = await authorize(world, authorization, installation)
  const response = await redeem(world, app, authorization, back)
  if (response.status !== 200) throw new Error(await response.text())
  return (await response.json()) as Tokens
}

export function refresh(
  world: Pick<World, 'as'>,
  app: TestApp,
  refreshToken: string,
  parameters: Record<string, string> = {},
): Promise<Response> {
  return oauth.refreshTokenGrantRequest(world.as, app.client, app.auth, refreshToken, {
    ...http,
    additionalParameters: parameters,
  })
}

/** The token endpoint with exactly these members: what no honest client library sends. */
export function post(
  world: Pick<World, 'publicUrl'>,
  path: string,
  members: Readonly<Record<string, string>> | string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return fetch(`${world.publicUrl}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: typeof members === 'string' ? members : new URLSearchParams(members).toString(),
  })
}

/** The header of client_secret_basic, for requests that no client library sends. */
export function basic(clientId: string, secret: string): { readonly authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}` }
}
