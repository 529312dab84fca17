import { type AuthorizationDetail, askWithin, type BoundTypes, type Localized } from '../capability/index.ts'
import { InstallErrors } from './errors.ts'

/** One bound as the consent page shows it: the platform's sentence, and the detail it is of. */
export interface ConsentBound {
  readonly type: string
  readonly title: Localized
  /** The scope it limits; null: it is about no single one. */
  readonly scope: string | null
  readonly sentence: Localized
  readonly detail: AuthorizationDetail
}

export interface BoundQuestion {
  readonly boundTypes: BoundTypes
  /** Of the manifest: the widest that may be asked for. */
  readonly declared: readonly AuthorizationDetail[]
  /** Of the authorization request; empty: it asks for nothing narrower. */
  readonly asked: readonly AuthorizationDetail[]
  /** Names of the shops that belong to the merchant. */
  readonly names: ReadonlyMap<string, string>
}

/** Ids in what is asked for: whoever answers the question looks up their names first. */
export function idsIn(boundTypes: BoundTypes, details: readonly AuthorizationDetail[]): readonly string[] {
  return details.flatMap((detail) => boundTypes.get(detail.type)?.idsOf(detail) ?? [])
}

/**
 * The bounds a merchant is asked to agree to, in words.
 * @throws install.bound_not_offered when the request is wider than the version's manifest, or names what is not the
 * merchant's
 */
export function toBounds({ boundTypes, declared, asked, names }: BoundQuestion): readonly ConsentBound[] {
  const within = askWithin(boundTypes, declared, asked)
  if (!within.ok) throw InstallErrors.bound_not_offered(`${within.outside.type} is wider than the manifest`)
  return within.details.flatMap((detail) => {
    const type = boundTypes.get(detail.type)
    if (type === undefined) return []
    const foreign = type.idsOf(detail).find((id) => !names.has(id))
    if (foreign !== undefined) throw InstallErrors.bound_not_offered(`${foreign} is not of this merchant`)
    const sentence = type.sentence(detail, (id) => names.get(id) ?? id)
    return [{ type: type.type, title: type.title, scope: type.scope, sentence, detail }]
  })
}

/** What is kept of them: the bounds of scopes that were granted, and those of no single scope. */
export function boundsOf(
  bounds: readonly ConsentBound[],
  granted: readonly string[],
): readonly AuthorizationDetail[] {
  return bounds.filter(({ scope }) => scope === null || granted.includes(scope)).map(({ detail }) => detail)
}
