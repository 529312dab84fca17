import type { ManifestCheck, ManifestContext } from './checks/check.ts'
import { detailsAreKnown } from './checks/details.ts'
import { egressHostsAreLegal } from './checks/egress-hosts.ts'
import { eventsAreCovered } from './checks/events-covered.ts'
import { eventTypesAreKnown } from './checks/events-known.ts'
import { handlersFitTheClass } from './checks/handlers.ts'
import { iconsExist } from './checks/icons.ts'
import { pagesExist } from './checks/pages.ts'
import { redirectUrisAreLegal } from './checks/redirect-uris.ts'
import { schemaIsMet } from './checks/schema.ts'
import { scopesAreKnown } from './checks/scopes-known.ts'
import { scopesAppearOnce } from './checks/scopes-once.ts'
import { versionCodeGrows } from './checks/version-code.ts'
import type { Problem } from './errors.ts'
import { packageLimits } from './limits.ts'
import type { Manifest } from './manifest.ts'
import { draftManifest } from './manifest-draft.ts'

/** In the order in which problems are told. All run, whatever the earlier ones found. */
const manifestChecks: readonly ManifestCheck[] = [
  schemaIsMet,
  versionCodeGrows,
  scopesAreKnown,
  scopesAppearOnce,
  eventTypesAreKnown,
  eventsAreCovered,
  detailsAreKnown,
  handlersFitTheClass,
  pagesExist,
  iconsExist,
  redirectUrisAreLegal,
  egressHostsAreLegal,
]

export type ValidateManifestResult =
  | { readonly ok: true; readonly manifest: Manifest }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/** Holds a parsed manifest against everything the platform knows; all problems in one answer, each with a pointer. */
export function validateManifest(value: unknown, context: ManifestContext): ValidateManifestResult {
  const draft = draftManifest(value)
  const problems = manifestChecks.flatMap((check) => check(draft, context))
  if (problems.length > 0) return { ok: false, problems: problems.slice(0, packageLimits.problemsMax) }
  return { ok: true, manifest: value as Manifest }
}
