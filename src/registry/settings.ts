import type { Manifest } from '../../runtime/package/index.ts'

/** What the developer may change without a review: only ever narrower than the released manifest. */
export interface AppSettings {
  /** Empty: every redirect URI of the released manifest. */
  readonly redirectUris: readonly string[]
  /** Authorization requests come by RFC 9126 alone, where nobody but the app can have made them. */
  readonly requirePushedRequest: boolean
  /** Every token is bound to a key of the app (RFC 9449); private scopes demand that anyway. */
  readonly requireDpop: boolean
  /** Secrets are refused: the app proves itself by one of its keys. */
  readonly requirePrivateKeyJwt: boolean
}

/** What holds until the developer says otherwise. */
export const defaultSettings: AppSettings = {
  redirectUris: [],
  requirePushedRequest: false,
  requireDpop: false,
  requirePrivateKeyJwt: false,
}

/** Settings as they were asked for, and what holds for the rest. */
export function withDefaults(given: GivenSettings): AppSettings {
  const { redirectUris, ...rest } = defaultSettings
  return {
    redirectUris: given.redirectUris ?? redirectUris,
    requirePushedRequest: given.requirePushedRequest ?? rest.requirePushedRequest,
    requireDpop: given.requireDpop ?? rest.requireDpop,
    requirePrivateKeyJwt: given.requirePrivateKeyJwt ?? rest.requirePrivateKeyJwt,
  }
}

type GivenSettings = { readonly [Name in keyof AppSettings]?: AppSettings[Name] | undefined }

/** Places in `redirectUris` that the released manifest does not hold; all of them, when nothing is released. */
export function unreviewedRedirectUris(settings: AppSettings, manifest: Manifest | null): readonly number[] {
  // RFC 9700 §2.1: "authorization servers MUST utilize exact string matching".
  const reviewed = new Set(manifest?.stoa_redirect_uris ?? [])
  return settings.redirectUris.flatMap((uri, index) => (reviewed.has(uri) ? [] : [index]))
}
