import type { StoaError } from '../kernel/index.ts'
import type { Asked } from './authenticate.ts'

export interface ChallengeDependencies {
  /** RFC 9728 §5.1: the address of the protected resource metadata. */
  readonly resourceMetadataUrl: string
  /** JWS algorithms of DPoP proofs. */
  readonly dpopAlgorithms: readonly string[]
}

/** How the request's token came; null: it has none. */
export type Scheme = 'Bearer' | 'DPoP'

// RFC 6750 §3.1 and RFC 9449 §7.1: what is wrong with a token, with the proof, with its scope.
const proofErrors = new Set(['oauth.dpop_proof_refused'])

export function isAppAddress({ path }: Pick<Asked, 'path'>): boolean {
  return path.startsWith('/v1/')
}

/** The scheme of the Authorization header; null without the header, Bearer for any other. */
export function schemeOf({ headers }: Pick<Asked, 'headers'>): Scheme | null {
  if (headers.authorization === undefined) return null
  return /^dpop /i.test(headers.authorization) ? 'DPoP' : 'Bearer'
}

// RFC 6750 §3: a value of error_description "MUST NOT include characters outside the set %x20-21 / %x23-5B / %x5D-7E".
function quoted(name: string, value: string): string {
  return `${name}="${value.replaceAll(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, "'")}"`
}

function missingScopesOf(error: StoaError | null): readonly string[] {
  const missing = error?.options.members?.['missingScopes']
  return Array.isArray(missing) ? missing.map(String) : []
}

function failureOf(error: StoaError | null, scheme: Scheme | null): readonly string[] {
  // RFC 6750 §3.1: "If the request lacks any authentication information …, the resource server SHOULD NOT include an
  // error code".
  if (error === null || scheme === null) return []
  const missing = missingScopesOf(error)
  // "insufficient_scope … MAY include the "scope" attribute with the scope necessary to access the protected resource."
  if (missing.length > 0) return [quoted('error', 'insufficient_scope'), quoted('scope', missing.join(' '))]
  if (error.status !== 401) return []
  const code = proofErrors.has(error.code) ? 'invalid_dpop_proof' : 'invalid_token'
  return [quoted('error', code), quoted('error_description', error.message)]
}

/**
 * WWW-Authenticate of a refusal; for a 403 only when scopes are missing. RFC 9449 §7.2: "If the mechanism used to attempt
 * authentication could be established unambiguously, then the corresponding challenge SHOULD be used to deliver error
 * information". RFC 9728 §5.1: an app finds the authorization server by resource_metadata.
 */
export function challengeOf(
  request: Pick<Asked, 'path' | 'headers'>,
  deps: ChallengeDependencies,
  error: StoaError | null = null,
): string | null {
  if (error !== null && error.status !== 401 && missingScopesOf(error).length === 0) return null
  const scheme = schemeOf(request)
  const forApps = isAppAddress(request)
  const failure = failureOf(error, scheme)
  const metadata = forApps ? [quoted('resource_metadata', deps.resourceMetadataUrl)] : []
  const bearer = [...(scheme === 'DPoP' && forApps ? [] : failure), ...metadata]
  const dpop = [
    ...(scheme === 'DPoP' ? failure : []),
    quoted('algs', deps.dpopAlgorithms.join(' ')),
    ...metadata,
  ]
  const challenges = forApps
    ? [['Bearer', bearer] as const, ['DPoP', dpop] as const]
    : [['Bearer', bearer] as const]
  // What went wrong first; a client that takes the first challenge takes the right one.
  const ordered = scheme === 'DPoP' ? challenges.toReversed() : challenges
  return ordered.map(([name, parameters]) => [name, parameters.join(', ')].join(' ').trim()).join(', ')
}
