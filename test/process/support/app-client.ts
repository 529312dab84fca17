import { createHash, randomBytes } from 'node:crypto'
import { makeBrowser } from '../../../examples/demo/browser.ts'

/** An app as its backend knows itself, and where it reaches the platform. */
export interface AppClient {
  readonly baseUrl: string
  readonly appId: string
  readonly clientSecret: string
}

export interface AppTokens {
  readonly access_token: string
  readonly refresh_token: string
  readonly installation_id: string
  readonly scope: string
}

/** The witness’s; nothing listens there. */
const redirectUri = 'http://127.0.0.1:1/callback'

/** Asks the token endpoint; the caller reads the answer, if there is one. */
export function askForTokens(
  { baseUrl, appId, clientSecret }: AppClient,
  parameters: Readonly<Record<string, string>>,
): Promise<Response> {
  const basic = Buffer.from(`${appId}:${clientSecret}`).toString('base64')
  return fetch(`${baseUrl}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}` },
    body: new URLSearchParams({ ...parameters }),
  })
}

/** The tokens of an answer; throws where it gives none. */
export async function tokensOf(response: Response): Promise<AppTokens> {
  const text = await response.text()
  if (response.status !== 200) throw new Error(`the token endpoint answered ${response.status}: ${text}`)
  return JSON.parse(text) as AppTokens
}

export function refresh(client: AppClient, refreshToken: string): Promise<Response> {
  return askForTokens(client, { grant_type: 'refresh_token', refresh_token: refreshToken })
}

/** A person of the merchant signs in on the real pages and allows; the app redeems its code. */
export async function connectApp(
  client: AppClient,
  { email, password }: { readonly email: string; readonly password: string },
  optionalScope?: string,
): Promise<AppTokens> {
  const { baseUrl, appId } = client
  const verifier = randomBytes(32).toString('base64url')
  const url = new URL('/oauth/authorize', baseUrl)
  url.search = new URLSearchParams({
    ...{ client_id: appId, response_type: 'code', redirect_uri: redirectUri, state: 'any' },
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  }).toString()
  const browser = makeBrowser({ only: baseUrl })
  const consent = await browser.submit(await browser.open(url.href), { email, password })
  const optional = optionalScope === undefined ? {} : { optional: optionalScope }
  const back = await browser.submit(consent, { decision: 'allow', ...optional })
  const code = new URL(back.url).searchParams.get('code')
  if (code === null) throw new Error(`no code at ${back.url}: ${back.status} ${back.html.slice(0, 300)}`)
  const parameters = { code, redirect_uri: redirectUri, code_verifier: verifier }
  return tokensOf(await askForTokens(client, { grant_type: 'authorization_code', ...parameters }))
}
