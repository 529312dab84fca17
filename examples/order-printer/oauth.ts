import {
  type AuthorizationServer,
  allowInsecureRequests,
  authorizationCodeGrantRequest,
  type Client,
  ClientSecretBasic,
  calculatePKCECodeChallenge,
  clientCredentialsGrantRequest,
  customFetch,
  DPoP,
  discoveryRequest,
  generateKeyPair,
  generateRandomCodeVerifier,
  generateRandomState,
  processAuthorizationCodeResponse,
  processClientCredentialsResponse,
  processDiscoveryResponse,
  processRefreshTokenResponse,
  protectedResourceRequest,
  refreshTokenGrantRequest,
  type TokenEndpointResponse,
  validateAuthResponse,
} from 'oauth4webapi'

export interface OAuthSettings {
  readonly stoaUrl: string
  readonly clientId: string
  readonly clientSecret: string
  readonly redirectUri: string
}

/** What a merchant's installation gave us. A real backend keeps it in its database, encrypted. */
export interface Installation {
  readonly installationId: string
  readonly merchantId: string
  readonly scope: string
  readonly accessToken: string
  readonly refreshToken: string
  readonly expiresAtMs: number
}

interface Started {
  readonly verifier: string
}

function toInstallation(tokens: TokenEndpointResponse, before?: Installation): Installation {
  return {
    installationId: String(tokens['installation_id'] ?? before?.installationId ?? ''),
    merchantId: String(tokens['merchant_id'] ?? before?.merchantId ?? ''),
    scope: tokens.scope ?? before?.scope ?? '',
    accessToken: tokens.access_token,
    refreshToken: tokens.refresh_token ?? before?.refreshToken ?? '',
    expiresAtMs: Date.now() + (tokens.expires_in ?? 0) * 1000,
  }
}

export interface OAuthClient {
  /** Where to send the merchant's browser. */
  begin(scope: string): Promise<URL>
  /** Redeems the code of the address the browser came back to. */
  finish(callbackUrl: URL): Promise<Installation>
  /** The same installation with a live access token. */
  fresh(installation: Installation): Promise<Installation>
  /** A live token of the app itself, for what concerns no single merchant. */
  appToken(): Promise<string>
  /** One request to the platform's API with one of our tokens and a proof that they are ours. */
  request(token: string, method: string, path: string, body?: object): Promise<Response>
  /** The same proof for a request that something else sends: the headers of a WebSocket's handshake. */
  headersFor(token: string, method: string, path: string): Promise<Record<string, string>>
}

// Development on one machine speaks http; everywhere else the library insists on https.
function insecure(stoaUrl: string) {
  return stoaUrl.startsWith('http://') ? { [allowInsecureRequests]: true } : {}
}

/** Authorization code with PKCE, and refresh, by oauth4webapi. */
export async function makeOAuthClient(settings: OAuthSettings): Promise<OAuthClient> {
  const issuer = new URL(settings.stoaUrl)
  const options = insecure(settings.stoaUrl)
  const server: AuthorizationServer = await processDiscoveryResponse(
    issuer,
    await discoveryRequest(issuer, { algorithm: 'oauth2', ...options }),
  )
  const client: Client = { client_id: settings.clientId }
  const authentication = ClientSecretBasic(settings.clientSecret)
  // Every token is bound to this key (DPoP, RFC 9449): scopes that show customers ask for it, and whoever steals a token
  // can do nothing with it. A real backend keeps the key beside its refresh tokens; without it they are worth nothing.
  const proof = { ...options, DPoP: DPoP({}, await generateKeyPair('ES256')) }
  // state → PKCE verifier: binds the answer to the browser that asked and to us.
  const started = new Map<string, Started>()
  let app = { token: '', untilMs: 0 }

  return {
    async begin(scope) {
      const state = generateRandomState()
      const verifier = generateRandomCodeVerifier()
      started.set(state, { verifier })
      const url = new URL(server.authorization_endpoint ?? '')
      url.search = new URLSearchParams({
        client_id: client.client_id,
        response_type: 'code',
        redirect_uri: settings.redirectUri,
        scope,
        state,
        code_challenge: await calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      }).toString()
      return url
    },
    async finish(callbackUrl) {
      const state = callbackUrl.searchParams.get('state') ?? ''
      const begun = started.get(state)
      if (begun === undefined) throw new Error('this answer belongs to no request of ours')
      started.delete(state)
      const answer = validateAuthResponse(server, client, callbackUrl, state)
      const response = await authorizationCodeGrantRequest(
        server,
        client,
        authentication,
        answer,
        settings.redirectUri,
        begun.verifier,
        proof,
      )
      return toInstallation(await processAuthorizationCodeResponse(server, client, response))
    },
    async fresh(installation) {
      if (installation.expiresAtMs - Date.now() > 60_000) return installation
      const response = await refreshTokenGrantRequest(
        server,
        client,
        authentication,
        installation.refreshToken,
        proof,
      )
      return toInstallation(await processRefreshTokenResponse(server, client, response), installation)
    },
    async appToken() {
      if (app.untilMs > Date.now()) return app.token
      const response = await clientCredentialsGrantRequest(server, client, authentication, {}, proof)
      const granted = await processClientCredentialsResponse(server, client, response)
      app = { token: granted.access_token, untilMs: Date.now() + (granted.expires_in ?? 0) * 1000 - 60_000 }
      return app.token
    },
    request(token, method, path, body) {
      const headers = new Headers({ 'content-type': 'application/json' })
      const sent = body === undefined ? null : JSON.stringify(body)
      return protectedResourceRequest(token, method, new URL(path, issuer), headers, sent, proof)
    },
    async headersFor(token, method, path) {
      let headers: Record<string, string> = {}
      const keepHeaders = (_url: string, request: { readonly headers: Record<string, string> }) => {
        headers = request.headers
        return Promise.resolve(new Response())
      }
      const url = new URL(path, issuer)
      await protectedResourceRequest(token, method, url, new Headers(), null, {
        ...proof,
        [customFetch]: keepHeaders,
      })
      return headers
    },
  }
}
