import type { EventEmitter } from 'node:events'
import type {
  CanBePromise,
  Client,
  Configuration,
  KoaContextWithOIDC,
  Provider as ProviderType,
  TokenEndpointGrantContext,
} from 'oidc-provider'
import { hmacSha256, type Log, limits, mintToken, type Random, safeEqual } from '../kernel/index.ts'
import { tokenKinds } from './adapter.ts'
import type { ClientPayload } from './client/client.ts'
import { countClient, countRequests, type RequestQuotas } from './client/count-requests.ts'
import { deviceCodeGrant, tokenExchangeGrant } from './client/grant-types.ts'
import { isRegistered } from './client/redirect-uri.ts'
import { type DeviceGrantDependencies, grantDevice } from './device/grant-device.ts'
import { type ExchangeDependencies, exchangeParameters, exchangeToken } from './exchange/exchange-token.ts'
import type { OAuthKeys } from './keys.ts'
import { Provider } from './library.ts'
import { type MetadataDependencies, serverMetadata } from './metadata.ts'
import { type GrantHandler, type TokenEndpointDependencies, wrapGrantType } from './token/token-endpoint.ts'
import { detectReplays } from './use-once/detect-replays.ts'
import type { UseOnce } from './use-once/use-once.ts'

export interface ProviderDependencies {
  readonly keys: OAuthKeys
  readonly random: Random
  readonly log: Log
  readonly tokenEndpoint: TokenEndpointDependencies
  readonly exchange: ExchangeDependencies
  readonly device: DeviceGrantDependencies
  readonly useOnce: UseOnce
  noteUse(appId: string, credentialId: string): Promise<void>
  readonly metadata: MetadataDependencies
  readonly quotas: RequestQuotas
}

// Same file of styles and pictures as every page; scripts only where the library adds the hash of its own.
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'none'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ')

const metadataPaths = new Set([
  '/.well-known/oauth-authorization-server',
  '/.well-known/openid-configuration',
])

/** The library's constructor registers what is its own through public methods, so these two see all of it. */
function providerClass(deps: Pick<ProviderDependencies, 'tokenEndpoint' | 'device'>): typeof ProviderType {
  return class extends Provider {
    override registerGrantType<Params extends object>(
      name: string,
      handler: (ctx: TokenEndpointGrantContext<Params>) => CanBePromise<void>,
      params?: string | readonly string[] | ReadonlySet<string>,
      duplicates?: string | readonly string[] | ReadonlySet<string>,
    ) {
      const wrapped = wrapGrantType(deps.tokenEndpoint, name, handler as GrantHandler)
      const ours = name === deviceCodeGrant ? grantDevice(deps.device, wrapped) : wrapped
      super.registerGrantType(name, ours, params, duplicates)
    }

    override registerResponseMode(...[name, handler]: Parameters<ProviderType['registerResponseMode']>) {
      // A page with a script that posts to the app: no policy of ours would let it run, and codes go by query.
      if (name !== 'form_post') super.registerResponseMode(name, handler)
    }
  }
}

/** Tokens and codes get our prefix and checksum; their value is at the same time the adapter's id. */
function mintOurTokens(provider: ProviderType, random: Random): void {
  for (const [model, kind] of Object.entries(tokenKinds)) {
    const { prototype } = Reflect.get(provider, model) as { prototype: { generateTokenId(): string } }
    const original = prototype.generateTokenId
    prototype.generateTokenId = function generateTokenId() {
      // Also decides the token's format; without the call the library refuses to save it.
      original.call(this)
      return mintToken(kind, random)
    }
  }
}

/** A client secret is right when it is any of the app's live ones: two during a rotation. */
function compareWithLiveSecrets(provider: ProviderType, deps: ProviderDependencies): void {
  provider.Client.prototype.compareClientSecret = async function compareClientSecret(
    this: Client,
    actual: string,
  ) {
    const hash = hmacSha256(deps.keys.clientSecrets, actual).toString('hex')
    const secrets = (this as unknown as ClientPayload).stoa_secrets
    // All are compared, so that the time tells nothing about which one it was.
    const [hit] = secrets.filter(([, secretHash]) => safeEqual(secretHash, hash))
    if (hit === undefined) return false
    await countClient(deps.quotas, this.clientId)
    await deps.noteUse(this.clientId, hit[0])
    return true
  }
}

function compareRedirectUris(provider: ProviderType): void {
  provider.Client.prototype.redirectUriAllowed = function redirectUriAllowed(this: Client, uri: string) {
    return isRegistered(uri, this.redirectUris ?? [])
  }
}

/**
 * RFC 6749 §5.2: "unauthorized_client: The authenticated client is not authorized to use this authorization grant type."
 * The library says invalid_request.
 */
function nameUnauthorizedClients(provider: ProviderType): void {
  provider.use(async (ctx, next) => {
    await next()
    const { client, params } = (ctx as Partial<KoaContextWithOIDC>).oidc ?? {}
    const answer = ctx.body as { error?: string } | undefined
    if (ctx.path !== '/oauth/token' || client === undefined || answer?.error !== 'invalid_request') return
    const grantType = params?.['grant_type']
    if (typeof grantType === 'string' && !client.grantTypeAllowed(grantType))
      answer.error = 'unauthorized_client'
  })
}

/**
 * Every app knows a person by an identifier of its own. The library would ask an app with a device flow or with redirect
 * URIs on two hosts for addresses that it needs to tell apps apart; here the app's id does that.
 */
function makeSubjectsPairwise(provider: ProviderType): void {
  Object.defineProperty(provider.Client.prototype, 'subjectType', {
    get: () => 'pairwise',
    set: () => undefined,
  })
}

function addHeaders(provider: ProviderType, metadata: MetadataDependencies): void {
  provider.use(async (ctx, next) => {
    ctx.set('content-security-policy', contentSecurityPolicy)
    ctx.set('referrer-policy', 'no-referrer')
    ctx.set('x-content-type-options', 'nosniff')
    ctx.set('x-frame-options', 'DENY')
    await next()
    if (ctx.status !== 200) return
    const isMetadata = metadataPaths.has(ctx.path)
    if (isMetadata || ctx.path === '/oauth/jwks')
      ctx.set('cache-control', `public, max-age=${limits.jwksCacheMs / 1000}`)
    if (!isMetadata || typeof ctx.body !== 'object' || ctx.body === null) return
    Object.assign(ctx.body, serverMetadata(ctx.body as Readonly<Record<string, unknown>>, metadata))
  })
}

/** RFC 8628 §3.2: "interval … the minimum amount of time in seconds"; the library leaves it to the client to know. */
function tellPollInterval(provider: ProviderType): void {
  provider.on('device_authorization.success', (_ctx, body) => {
    Object.assign(body, { interval: limits.devicePollIntervalMs / 1000 })
  })
}

interface RefusalReason {
  readonly error_description?: string
  readonly error_detail?: string
}

/** The library's events are its only account of what it refused: the answers themselves are vague on purpose. */
function logRefusals(provider: ProviderType, log: Log): void {
  const refused = (what: string) => (ctx: KoaContextWithOIDC, error: Error) => {
    const { error_description: description, error_detail: detail } = error as Error & RefusalReason
    log.info({ error: error.message, description, detail, appId: ctx.oidc.client?.clientId }, what)
  }
  provider.on('grant.error', refused('oauth.token_refused'))
  provider.on('authorization.error', refused('oauth.authorization_refused'))
  provider.on('device_authorization.error', refused('oauth.device_authorization_refused'))
  provider.on('revocation.error', refused('oauth.revocation_refused'))
  provider.on('introspection.error', refused('oauth.introspection_refused'))
  provider.on('server_error', (_ctx, error) => {
    log.error({ err: error }, 'oauth.server_error')
  })
  // Koa prints to the console when nobody listens.
  const koa: unknown = provider
  ;(koa as EventEmitter).on('error', (error: unknown) => {
    log.error({ err: error }, 'oauth.server_error')
  })
}

/** One instance of the library for one set of signing keys; about 2 ms, so that a new set is a new instance. */
export function makeProvider(
  publicUrl: string,
  configuration: Configuration,
  deps: ProviderDependencies,
): ProviderType {
  const provider = new (providerClass(deps))(publicUrl, configuration)
  // The mount has already put the public address into the headers that this makes the library believe.
  provider.proxy = true
  mintOurTokens(provider, deps.random)
  compareWithLiveSecrets(provider, deps)
  compareRedirectUris(provider)
  makeSubjectsPairwise(provider)
  provider.registerGrantType(tokenExchangeGrant, exchangeToken(deps.exchange), exchangeParameters, [
    'resource',
    'audience',
  ])
  detectReplays(provider, deps.useOnce)
  countRequests(provider, deps.quotas)
  nameUnauthorizedClients(provider)
  addHeaders(provider, deps.metadata)
  tellPollInterval(provider)
  logRefusals(provider, deps.log)
  return provider
}
