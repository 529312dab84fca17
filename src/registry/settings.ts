import type { Manifest } from '../../runtime/package/index.ts'

/** What the developer may change without a review: only ever narrower than the released manifest. */
export interface AppSettings {
  /** Empty: every redirect URI of the released manifest. */
  readonly redirectUris: readonly string[]
}

/** What holds until the developer says otherwise. */
export const defaultSettings: AppSettings = { redirectUris: [] }

/** Places in `redirectUris` that the released manifest does not hold; all of them, when nothing is released. */
export function unreviewedRedirectUris(settings: AppSettings, manifest: Manifest | null): readonly number[] {
  // RFC 9700 §2.1: "authorization servers MUST utilize exact string matching".
  const reviewed = new Set(manifest?.stoa_redirect_uris ?? [])
  return settings.redirectUris.flatMap((uri, index) => (reviewed.has(uri) ? [] : [index]))
}
