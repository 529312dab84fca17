import { generateKeyPairSync } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type {
  Adapter,
  AdapterPayload,
  InteractionResults,
  JWK,
  Provider as LibraryProvider,
} from 'oidc-provider'
import { Provider } from '../../src/oauth/library.ts'

/** Somebody at the provider. */
export interface ProviderAccount {
  readonly sub: string
  readonly email?: string
  readonly email_verified?: boolean
  readonly name?: string
  readonly locale?: string
  readonly groups?: readonly string[]
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** A real OpenID provider on a port of its own, where whoever comes is signed in as the test says. */
export interface IdentityProvider {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  /** Who signs in from now on; null: they say no. */
  account: ProviderAccount | null
  /** Requests so far, `METHOD /path`. */
  readonly requests: readonly string[]
  /** Makes Stoa its client; its port is known only after the provider's. */
  register(redirectUri: string): void
  /** What a browser does there, from where it was sent until it is sent away: gives the address it is sent to. */
  visit(location: string): Promise<URL>
  /** Answers the next request to this path itself. */
  intercept(path: string, answer: Answer): void
  close(): Promise<void>
}

export interface IdentityProviderOptions {
  /** Whether the claims are in the ID token or behind the UserInfo endpoint. */
  readonly claimsIn?: 'id_token' | 'userinfo'
  readonly clientAuth?: 'client_secret_basic' | 'client_secret_post'
}

const client = { client_id: 'stoa', client_secret: 'the secret that the provider gave to Stoa' } as const

/** The library's own memory warns that it is one. */
function makeMemory() {
  const rows = new Map<string, AdapterPayload>()
  return (model: string): Adapter => {
    const find = (id: string) => Promise.resolve(rows.get(`${model} ${id}`))
    return {
      upsert: (id, payload) => Promise.resolve(void rows.set(`${model} ${id}`, payload)),
      find,
      findByUid: (uid) =>
        Promise.resolve([...rows.values()].find((row) => row.uid === uid && row.kind === model)),
      findByUserCode: () => Promise.resolve(undefined),
      consume: async (id) => {
        const row = await find(id)
        if (row !== undefined) rows.set(`${model} ${id}`, { ...row, consumed: true })
      },
      destroy: (id) => Promise.resolve(void rows.delete(`${model} ${id}`)),
      revokeByGrantId: () => Promise.resolve(),
    }
  }
}

function makeProvider(
  issuer: string,
  redirectUri: string,
  {
    accounts,
    ...options
  }: IdentityProviderOptions & { readonly accounts: ReadonlyMap<string, ProviderAccount> },
): LibraryProvider {
  const { claimsIn = 'id_token', clientAuth = 'client_secret_basic' } = options
  return new Provider(issuer, {
    clients: [{ ...client, redirect_uris: [redirectUri], token_endpoint_auth_method: clientAuth }],
    clientAuthMethods: [clientAuth],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'locale', 'groups'] },
    conformIdTokenClaims: claimsIn === 'userinfo',
    features: { devInteractions: { enabled: false }, userinfo: { enabled: claimsIn === 'userinfo' } },
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_ctx, sub) => ({
      accountId: sub,
      claims: () => ({ ...accounts.get(sub), sub, groups: [...(accounts.get(sub)?.groups ?? [])] }),
    }),
    cookies: { keys: ['a key of the test'] },
    jwks: {
      keys: [generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }) as JWK],
    },
    adapter: makeMemory(),
    ttl: { AccessToken: 60, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
  })
}

/** Signs in and consents without a page: what a provider's own session does. */
async function finishInteraction(
  provider: LibraryProvider,
  accountId: string | null,
  [request, response]: readonly [IncomingMessage, ServerResponse],
): Promise<void> {
  const { prompt, params, session } = await provider.interactionDetails(request, response)
  const finish = (result: InteractionResults) => provider.interactionFinished(request, response, result)
  if (accountId === null) return finish({ error: 'access_denied' })
  if (prompt.name === 'login') return finish({ login: { accountId, remember: false } })
  const grant = new provider.Grant({
    ...{ accountId: session?.accountId ?? accountId, clientId: client.client_id },
  })
  grant.addOIDCScope(String(params['scope']))
  return finish({ consent: { grantId: await grant.save() } })
}

async function visit(issuer: string, location: string): Promise<URL> {
  const cookies = new Map<string, string>()
  let url = new URL(location)
  for (let redirects = 0; url.origin === issuer && redirects < 10; redirects += 1) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, { redirect: 'manual', headers: { cookie } })
    for (const header of response.headers.getSetCookie()) {
      const [name = '', value = ''] = (header.split(';')[0] ?? '').split(/=(.*)/)
      cookies.set(name, value)
    }
    const next = response.headers.get('location')
    if (next === null) throw new Error(`${url.href} answered ${response.status}: ${await response.text()}`)
    url = new URL(next, url)
  }
  return url
}

/** Opens the port; `register` does the rest. */
export async function startIdentityProvider(
  options: IdentityProviderOptions = {},
): Promise<IdentityProvider> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const interceptions = new Map<string, Answer>()
  const requests: string[] = []
  const accounts = new Map<string, ProviderAccount>()
  const at: IdentityProvider = {
    issuer,
    clientId: client.client_id,
    clientSecret: client.client_secret,
    account: null,
    requests,
    register(redirectUri) {
      const provider = makeProvider(issuer, redirectUri, { ...options, accounts })
      const callback = provider.callback()
      const signIn: Answer = (request, response) => {
        const { account } = at
        if (account !== null) accounts.set(account.sub, account)
        finishInteraction(provider, account?.sub ?? null, [request, response]).catch(() =>
          response.writeHead(500).end(),
        )
      }
      server.on('request', (request, response) => {
        const [path = ''] = (request.url ?? '').split('?')
        requests.push(`${request.method} ${path}`)
        const usual = path.startsWith('/interaction/') ? signIn : callback
        const answer = interceptions.get(path) ?? usual
        interceptions.delete(path)
        void answer(request, response)
      })
    },
    visit: (location) => visit(issuer, location),
    intercept: (path, answer) => void interceptions.set(path, answer),
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
  return at
}
