import type { Adapter, Client, Configuration, JWK, KoaContextWithOIDC } from 'oidc-provider'
import type { BoundTypes } from '../capability/index.ts'
import { type Clock, limits, type StoaError } from '../kernel/index.ts'
import { checkAssertion, keysOf } from './client/authentication.ts'
import { type ClientPayload, extraClientMembers } from './client/client.ts'
import { deviceFlow } from './device/device-flow.ts'
import { signatureAlgorithms } from './dpop/algorithms.ts'
import { requireKeyForPrivateScopes } from './dpop/binding.ts'
import { OAuthErrors } from './errors.ts'
import { checkAccessType } from './grant/access-type.ts'
import { richAuthorizationRequests } from './grant/details.ts'
import { errors, interactionPolicy } from './library.ts'
import type { AccessTokens } from './token/access-token.ts'
import { endsOneToken, introspectionPolicy, ownToken } from './token/inspect-token.ts'
import { currentUnitOfWork } from './token/unit-of-work.ts'

export interface ConfigurationDependencies {
  readonly publicUrl: string
  readonly resource: string
  readonly signingKeys: readonly JWK[]
  readonly cookieKey: string
  readonly clock: Clock
  readonly accessTokens: AccessTokens
  /** Scopes that need a token bound to a key. */
  privateScopes(): readonly string[]
  /** Notes the use of an app's credential. */
  noteUse(appId: string, credentialId: string): Promise<void>
  readonly boundTypes: BoundTypes
  /** What an app knows an account by. */
  subjectFor(appId: string, accountId: string): string
  makeAdapter(model: string): Adapter
  renderError(error: StoaError, locale: 'en' | 'zh-CN'): string
}

const cookieNames = {
  session: 'stoa_oauth_session',
  interaction: 'stoa_oauth_interaction',
  resume: 'stoa_oauth_resume',
} as const

function seconds(ms: number): number {
  return Math.floor(ms / 1000)
}

/**
 * Who the person is, is known to the console's session alone; and which merchant is meant, only the consent page can
 * ask. So each authorization request passes both pages, whatever the library remembers of an earlier one.
 */
function interactions(): NonNullable<Configuration['interactions']> {
  const policy = interactionPolicy.base()
  const check = (reason: string, description: string, step: 'login' | 'consent') =>
    new interactionPolicy.Check(reason, description, (ctx) => ctx.oidc.result?.[step] === undefined)
  policy.get('login')?.checks.add(check('each_request', 'the person must be confirmed', 'login'))
  policy.get('consent')?.checks.add(check('each_request', 'the merchant must be chosen', 'consent'))
  return {
    policy,
    url: (_ctx, { prompt, uid }) => (prompt.name === 'login' ? `/sign-in/${uid}` : `/consent/${uid}`),
  }
}

function scopesOf(client: Client): readonly string[] {
  return (client as unknown as ClientPayload).stoa_scopes
}

/**
 * What a request may ask of the one resource: for an authorization what the released manifests name, for client
 * credentials nothing, because every scope is about a merchant's data and no merchant has agreed.
 */
function allowedScopes(ctx: KoaContextWithOIDC, client: Client): readonly string[] {
  return ctx.oidc.params?.['grant_type'] === 'client_credentials' ? [] : scopesOf(client)
}

/** Whether an app asks for something here, rather than fetches what it was given. */
function isRequest(route: string): boolean {
  return route === 'authorization' || route === 'device_authorization'
}

/** Whether a person takes part: then an ID token may be asked for. */
function isAboutPerson(ctx: KoaContextWithOIDC): boolean {
  return ctx.oidc.params?.['grant_type'] !== 'client_credentials'
}

function resourceServerInfo(resource: string) {
  return (ctx: KoaContextWithOIDC, indicator: string, client: Client) => {
    if (indicator !== resource) throw new errors.InvalidTarget('unknown resource')
    const allowed = allowedScopes(ctx, client)
    const unknown = [...ctx.oidc.requestParamScopes].find(
      (scope) => !allowed.includes(scope) && !(scope === 'openid' && isAboutPerson(ctx)),
    )
    if (unknown !== undefined) throw new errors.InvalidScope('scope is not in the released manifest', unknown)
    const { params = {}, route } = ctx.oidc
    // RFC 6749 §3.3: "If the client omits the scope parameter when requesting authorization, the authorization server
    // MUST either process the request using a pre-defined default value or fail". The default is the whole manifest.
    if (isRequest(route) && params['scope'] === undefined && allowed.length > 0)
      Object.assign(params, { scope: allowed.join(' ') })
    return { scope: allowed.join(' '), audience: resource, accessTokenFormat: 'opaque' as const }
  }
}

/**
 * The grant of this request as the signed-in person's. The library wants person and grant to agree until the code is
 * made; the stored one is the installation's (see the adapter), so its view of it carries the person's id, in memory.
 * A grant of an earlier request is never taken up again.
 */
async function loadGrant(ctx: KoaContextWithOIDC) {
  const { provider, result, session, client } = ctx.oidc
  const grantId = result?.consent?.grantId
  const stored = grantId === undefined ? undefined : await provider.Grant.find(grantId)
  if (stored === undefined || session?.accountId === undefined || stored.clientId !== client?.clientId)
    return undefined
  const { jti, resources, rejected, openid, rar } = stored
  const view = new provider.Grant({ accountId: session.accountId, clientId: stored.clientId })
  Object.assign(view, { jti, resources, rejected, openid, rar })
  // An installation without any scope is a real one (its own storage, events that need none), but the library takes
  // "nothing granted" for a refusal. White space is not nothing, and no scope either.
  view.getOIDCScopeFiltered = () => openid?.scope ?? ' '
  return view
}

// A Chinese reader says so first; the console's own pages decide more finely.
function localeOf(ctx: KoaContextWithOIDC): 'en' | 'zh-CN' {
  const best = ctx.acceptsLanguages('en', 'zh-CN', 'zh')
  return best === 'zh-CN' || best === 'zh' ? 'zh-CN' : 'en'
}

function errorPage(render: ConfigurationDependencies['renderError']): Configuration['renderError'] {
  return (ctx, out) => {
    const detail = [out.error, out.error_description].filter((part) => part !== undefined).join(': ')
    ctx.type = 'html'
    ctx.body = render(OAuthErrors.request_refused(detail, { members: { error: out.error } }), localeOf(ctx))
  }
}

// No symmetric algorithm anywhere: the client secret the library knows is a placeholder and must never be a key.
const enabledJWA: NonNullable<Configuration['enabledJWA']> = {
  authorizationSigningAlgValues: ['ES256'],
  clientAuthSigningAlgValues: [...signatureAlgorithms],
  dPoPSigningAlgValues: [...signatureAlgorithms],
  idTokenSigningAlgValues: ['ES256'],
  introspectionSigningAlgValues: ['ES256'],
  requestObjectSigningAlgValues: [...signatureAlgorithms],
  userinfoSigningAlgValues: ['ES256'],
}

function features(deps: ConfigurationDependencies): NonNullable<Configuration['features']> {
  return {
    clientCredentials: { enabled: true },
    deviceFlow: deviceFlow(),
    devInteractions: { enabled: false },
    dPoP: { enabled: true },
    introspection: { enabled: true, allowedPolicy: introspectionPolicy(deps.accessTokens) },
    pushedAuthorizationRequests: { enabled: true },
    richAuthorizationRequests: richAuthorizationRequests(deps.boundTypes),
    resourceIndicators: {
      enabled: true,
      defaultResource: () => deps.resource,
      useGrantedResource: () => true,
      getResourceServerInfo: resourceServerInfo(deps.resource),
    },
    revocation: { enabled: true, allowedPolicy: ownToken },
    rpInitiatedLogout: { enabled: false },
    userinfo: { enabled: false },
  }
}

/** Everything the library is told. All hooks are here; what it stores goes through the adapter. */
export function makeConfiguration(deps: ConfigurationDependencies): Configuration {
  return {
    adapter: deps.makeAdapter,
    jwks: { keys: [...deps.signingKeys] },
    routes: {
      authorization: '/oauth/authorize',
      code_verification: '/oauth/device',
      device_authorization: '/oauth/device_authorization',
      end_session: '/oauth/end_session',
      introspection: '/oauth/introspect',
      jwks: '/oauth/jwks',
      pushed_authorization_request: '/oauth/par',
      revocation: '/oauth/revoke',
      token: '/oauth/token',
    },
    cookies: {
      keys: [deps.cookieKey],
      names: cookieNames,
      long: { httpOnly: true, sameSite: 'lax', signed: true },
      short: { httpOnly: true, sameSite: 'lax', signed: true },
    },
    enabledJWA,
    clientAuthMethods: ['private_key_jwt', 'client_secret_basic', 'client_secret_post', 'none'],
    async assertJwtClientAuthClaimsAndHeader(_ctx, claims, header, client) {
      checkAssertion(claims, deps.clock.nowMs())
      for (const credentialId of keysOf(client, header)) await deps.noteUse(client.clientId, credentialId)
    },
    clientDefaults: {
      id_token_signed_response_alg: 'ES256',
      authorization_signed_response_alg: 'ES256',
      introspection_signed_response_alg: 'ES256',
    },
    extraClientMetadata: { properties: [...extraClientMembers] },
    clientBasedCORS: () => false,
    responseTypes: ['code'],
    scopes: ['openid'],
    claims: { openid: ['sub'] },
    pairwiseIdentifier: (_ctx, accountId, client) => deps.subjectFor(client.clientId, accountId),
    extraParams: { access_type: (ctx) => checkAccessType(ctx.oidc.params ?? {}) },
    // RFC 9700 §2.1.1: "Authorization servers MUST support PKCE"; here every client must use it. The library knows S256 only.
    pkce: { required: () => true },
    // RFC 6749 §4.1.3: "ensure that the "redirect_uri" parameter is present if the "redirect_uri" parameter was included
    // in the initial authorization request". So it is named both times, also by an app that has only one.
    allowOmittingSingleRegisteredRedirectUri: false,
    features: features(deps),
    interactions: interactions(),
    loadExistingGrant: loadGrant,
    // The endpoint is ours; the library leaves a member of this name as it is.
    discovery: { userinfo_endpoint: `${deps.publicUrl}/oauth/userinfo` },
    findAccount: (_ctx, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    expiresWithSession: () => false,
    // Each authorization has a grant of its own, so ending it ends exactly that.
    revokeGrantPolicy: (ctx) => !endsOneToken(ctx),
    extraTokenClaims: (_ctx, token) => {
      requireKeyForPrivateScopes(token, deps.privateScopes())
      const unit = currentUnitOfWork()
      const grant = unit?.grant ?? null
      return grant === null
        ? undefined
        : { merchant_id: grant.merchant_id, installation_id: grant.installation_id, ...unit?.extra }
    },
    renderError: errorPage(deps.renderError),
    ttl: {
      AccessToken: seconds(limits.accessTokenMs),
      AuthorizationCode: seconds(limits.authorizationCodeMs),
      ClientCredentials: seconds(limits.clientCredentialsTokenMs),
      DeviceCode: seconds(limits.deviceCodeMs),
      Grant: seconds(limits.oauthGrantMs),
      IdToken: seconds(limits.idTokenMs),
      Interaction: seconds(limits.interactionMs),
      Session: seconds(limits.interactionMs),
      RefreshToken: (_ctx, token) => {
        const leftSeconds = seconds(limits.refreshTokenMs) - token.totalLifetime()
        return Math.max(1, Math.min(seconds(limits.refreshTokenIdleMs), leftSeconds))
      },
    },
  }
}
