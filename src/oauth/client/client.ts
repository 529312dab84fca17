import type { AdapterPayload } from 'oidc-provider'
import type { AuthorizationDetail } from '../../capability/index.ts'
import { authenticationOf, type Mechanism } from './authentication.ts'
import { grantTypesOf } from './grant-types.ts'
import type { ClientRow, ManifestPart } from './store.ts'

/** What the library is told about an app: its own members and some of ours, named in `extraClientMetadata`. */
export type ClientPayload = AdapterPayload & {
  /** [credential id, hash] of each live secret. */
  readonly stoa_secrets: readonly (readonly [string, string])[]
  /** [credential id, kid, alg or null] of each live key. */
  readonly stoa_keys: readonly (readonly [string, string, string | null])[]
  /** What the released manifests ask for, as far as the platform still has it. */
  readonly stoa_scopes: readonly string[]
  /** The widest authorization details that the released manifests ask for. */
  readonly stoa_details: readonly AuthorizationDetail[]
}

export const extraClientMembers: readonly (keyof ClientPayload & `stoa_${string}`)[] = [
  'stoa_secrets',
  'stoa_keys',
  'stoa_scopes',
  'stoa_details',
]

function scopesOf({ scopes }: ManifestPart): string[] {
  return [...(scopes?.required ?? []), ...(scopes?.optional ?? [])].map(({ name }) => name)
}

// RFC 6749 §3.1.2: "The redirection endpoint URI MUST be an absolute URI … MUST NOT include a fragment component."
// A manifest is checked at upload; one bad stored value must still not take the whole client down.
function isUsable(uri: string): boolean {
  return URL.canParse(uri) && !uri.includes('#')
}

function redirectUrisOf(row: ClientRow): string[] {
  if (row.class === 'mini-program') return []
  const reviewed = new Set(row.manifests.flatMap(({ redirectUris }) => redirectUris ?? []))
  const narrowed = row.narrowed_redirect_uris
  return [...reviewed].filter((uri) => isUsable(uri) && (narrowed.length === 0 || narrowed.includes(uri)))
}

/**
 * The client that an app is at this moment, for a request that uses this mechanism. Without a released redirect URI it
 * has client credentials only.
 */
export function toClientPayload(
  row: ClientRow,
  options: {
    readonly supportedScopes: readonly string[]
    readonly placeholderSecret: string
    readonly mechanism: Mechanism
  },
): ClientPayload {
  const redirectUris = redirectUrisOf(row)
  const wanted = new Set(row.manifests.flatMap(scopesOf))
  const hasCodeFlow = redirectUris.length > 0
  const details = row.manifests.flatMap((manifest) => manifest.details ?? [])
  return {
    client_id: row.app_id,
    ...authenticationOf(row, options),
    require_pushed_authorization_requests: row.require_pushed_request,
    dpop_bound_access_tokens: row.require_dpop,
    redirect_uris: redirectUris,
    response_types: hasCodeFlow ? ['code'] : [],
    response_modes: ['query'],
    grant_types: grantTypesOf(row, hasCodeFlow),
    authorization_details_types: [...new Set(details.map(({ type }) => type))],
    stoa_secrets: row.secrets,
    stoa_keys: row.keys.map(([id, { kid, alg }]) => [id, kid, alg ?? null]),
    stoa_scopes: options.supportedScopes.filter((scope) => wanted.has(scope)),
    stoa_details: details,
  }
}
