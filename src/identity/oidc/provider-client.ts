import * as oauth from 'oauth4webapi'
import { compile } from '../../capability/index.ts'
import { type Clock, type HttpClient, limits } from '../../kernel/index.ts'
import * as wire from '../schema.ts'
import { makeGuardedFetch } from './guarded-fetch.ts'
import type { ProviderSettings } from './settings.ts'

/** Somebody, as the provider vouches for them. */
export interface ProviderIdentity {
  readonly issuer: string
  readonly subject: string
  /** Null unless the provider has verified it. */
  readonly email: string | null
  readonly name: string | null
  readonly locale: string | null
  readonly groups: readonly string[]
}

/** What binds the answer of the provider to one browser's question. */
export interface ProviderQuestion {
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
}

/** The client of the host's identity provider. Whatever the provider does wrong is thrown. */
export interface ProviderClient {
  /** Where the browser goes to sign in. */
  authorizationUrl(question: ProviderQuestion): Promise<URL>
  /** Who came back with these parameters. */
  redeem(question: ProviderQuestion, parameters: URLSearchParams): Promise<ProviderIdentity>
}

export interface ProviderClientOptions {
  readonly settings: ProviderSettings
  readonly redirectUri: string
  readonly httpClient: HttpClient
  readonly clock: Clock
}

type Claims = Readonly<Record<string, unknown>>

function textClaim(claims: Claims, name: string, lengthMax: number): string | null {
  const value = claims[name]
  return typeof value === 'string' && value !== '' && value.length <= lengthMax ? value : null
}

const emailLengthMax = 254
const checkEmail = compile(wire.email.json)
const isEmail = (text: string) => checkEmail(text).length === 0
const otherLengthMax = 1_000

function groupsOf(claims: Claims, claim: string): readonly string[] {
  const value = claims[claim]
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  return list
    .filter((item) => typeof item === 'string' && item.length <= otherLengthMax)
    .slice(0, limits.providerGroupsMax)
    .map(String)
}

// OpenID Connect Core §5.7: iss and sub together are "the only Claims that a Relying Party (RP) can rely upon as a
// stable identifier"; an address counts when the provider says that it has verified it.
function toIdentity(issuer: string, subject: string, claims: Claims, groupsClaim: string): ProviderIdentity {
  const email = textClaim(claims, 'email', emailLengthMax)
  const isVerified = claims['email_verified'] === true && email !== null && isEmail(email)
  return {
    issuer,
    subject,
    email: isVerified ? email : null,
    name:
      textClaim(claims, 'name', otherLengthMax) ?? textClaim(claims, 'preferred_username', otherLengthMax),
    locale: textClaim(claims, 'locale', 35),
    groups: groupsOf(claims, groupsClaim),
  }
}

function clientAuthOf(
  { token_endpoint_auth_methods_supported: methods }: oauth.AuthorizationServer,
  secret: string,
) {
  // OpenID Connect Discovery §3: "If omitted, the default is client_secret_basic".
  const takesBasic = methods === undefined || methods.includes('client_secret_basic')
  return takesBasic ? oauth.ClientSecretBasic(secret) : oauth.ClientSecretPost(secret)
}

/** Discovery, kept for `limits.providerFreshMs`; several at once ask once. */
function makeMetadata({ settings, clock }: ProviderClientOptions, options: oauth.DiscoveryRequestOptions) {
  const issuer = new URL(settings.issuer)
  let known: { readonly as: oauth.AuthorizationServer; readonly atMs: number } | null = null
  let asking: Promise<oauth.AuthorizationServer> | null = null
  async function ask(): Promise<oauth.AuthorizationServer> {
    const response = await oauth.discoveryRequest(issuer, options)
    const as = await oauth.processDiscoveryResponse(issuer, response)
    known = { as, atMs: clock.nowMs() }
    return as
  }
  return (): Promise<oauth.AuthorizationServer> => {
    if (known !== null && clock.nowMs() - known.atMs < limits.providerFreshMs)
      return Promise.resolve(known.as)
    asking ??= ask().finally(() => {
      asking = null
    })
    return asking
  }
}

/** A client of one provider: code with PKCE S256, state, nonce, and `iss` where the provider sends it. */
export function makeProviderClient(all: ProviderClientOptions): ProviderClient {
  const { settings, redirectUri, httpClient } = all
  const isPlain = settings.issuer.startsWith('http:')
  const options = {
    [oauth.customFetch]: makeGuardedFetch(httpClient),
    // Only of this machine, in development: config.ts lets no other address be plain http.
    [oauth.allowInsecureRequests]: isPlain,
  }
  const client: oauth.Client = { client_id: settings.clientId }
  const metadata = makeMetadata(all, options)
  const jwks: oauth.JWKSCacheInput = {}

  async function userInfo(
    as: oauth.AuthorizationServer,
    accessToken: string,
    subject: string,
  ): Promise<Claims> {
    if (as.userinfo_endpoint === undefined) return {}
    const response = await oauth.userInfoRequest(as, client, accessToken, options)
    return oauth.processUserInfoResponse(as, client, subject, response)
  }

  return {
    async authorizationUrl({ state, nonce, codeVerifier }) {
      const { authorization_endpoint: endpoint = '' } = await metadata()
      const url = new URL(endpoint)
      if (url.protocol !== 'https:' && !isPlain) throw new Error('the authorization endpoint is not https')
      const parameters = {
        client_id: settings.clientId,
        response_type: 'code',
        redirect_uri: redirectUri,
        scope: settings.scope,
        code_challenge: await oauth.calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: 'S256',
        state,
        nonce,
      }
      for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
      return url
    },
    async redeem({ state, nonce, codeVerifier }, parameters) {
      const as = await metadata()
      // RFC 9207 §2.4: a client that gets `iss` must compare it; also refuses error responses and repeated parameters.
      const callback = oauth.validateAuthResponse(as, client, parameters, state)
      const auth = clientAuthOf(as, settings.clientSecret)
      const response = await oauth.authorizationCodeGrantRequest(
        ...([as, client, auth, callback, redirectUri, codeVerifier, options] as const),
      )
      const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, {
        expectedNonce: nonce,
        requireIdToken: true,
      })
      await oauth.validateApplicationLevelSignature(as, response, { ...options, [oauth.jwksCache]: jwks })
      const claims = oauth.getValidatedIdTokenClaims(tokens)
      if (claims === undefined) throw new Error('the provider sent no ID token')
      // Many providers keep all claims but `sub` for the UserInfo endpoint.
      const isWhole = claims['email'] !== undefined && claims[settings.groupsClaim] !== undefined
      const more = isWhole ? {} : await userInfo(as, tokens.access_token, claims.sub)
      return toIdentity(as.issuer, claims.sub, { ...more, ...claims }, settings.groupsClaim)
    },
  }
}
