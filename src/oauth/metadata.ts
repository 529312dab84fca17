import { signatureAlgorithms } from './dpop/algorithms.ts'

export interface MetadataDependencies {
  readonly issuer: string
  /** The one resource of this server. */
  readonly resource: string
  supportedScopes(): readonly string[]
}

type Metadata = Readonly<Record<string, unknown>>

/**
 * What the library does not say of itself, or says too widely: every scope and mode that it knows, where this is what a
 * client here can use. RFC 8414 §2 gives revocation the default client_secret_basic and introspection none; all endpoints
 * take what the token endpoint takes.
 */
export function serverMetadata(libraryMetadata: Metadata, deps: MetadataDependencies): Metadata {
  const methods = libraryMetadata['token_endpoint_auth_methods_supported'] as readonly string[]
  return {
    scopes_supported: ['openid', ...deps.supportedScopes()],
    subject_types_supported: ['pairwise'],
    response_modes_supported: ['query'],
    // RFC 7662 §2.1: "the endpoint MUST also require some form of authorization": a public client has none.
    introspection_endpoint_auth_methods_supported: methods.filter((method) => method !== 'none'),
    introspection_endpoint_auth_signing_alg_values_supported: signatureAlgorithms,
    revocation_endpoint_auth_methods_supported: methods,
    revocation_endpoint_auth_signing_alg_values_supported: signatureAlgorithms,
    ui_locales_supported: ['en', 'zh-CN'],
    // RFC 9728 §4: an app checks here that the resource it wants to send its token to is one of this server's.
    protected_resources: [deps.resource],
  }
}

/** RFC 9728 §2. */
export function protectedResourceMetadata({
  issuer,
  resource,
  supportedScopes,
}: MetadataDependencies): Metadata {
  return {
    resource,
    resource_name: 'The platform’s API for apps',
    authorization_servers: [issuer],
    scopes_supported: supportedScopes(),
    bearer_methods_supported: ['header'],
    dpop_signing_alg_values_supported: signatureAlgorithms,
    // Private scopes and apps that want it need a bound token; the others may be bearer tokens.
    dpop_bound_access_tokens_required: false,
  }
}
