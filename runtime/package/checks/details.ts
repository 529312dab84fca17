import { makeProblem, type Problem, quote } from '../errors.ts'
import type { ManifestDraft } from '../manifest-draft.ts'
import { didYouMean } from '../nearest-name.ts'
import type { DetailType, ManifestCheck } from './check.ts'

function problemsOf(
  { pointer, value, type }: ManifestDraft['details'][number],
  { scope, checkDetail }: DetailType,
  scopes: ReadonlySet<string>,
): readonly Problem[] {
  const wrong = checkDetail(value).map((problem) =>
    makeProblem('package.detail_invalid', `Of ${quote(type)}: ${problem.message}.`, {
      pointer: pointer + problem.pointer,
    }),
  )
  if (scope === null || scopes.has(scope)) return wrong
  const message = `${quote(type)} limits the scope ${scope}, which is not declared.`
  const fix = `Add ${scope} to stoa_scopes, required or optional.`
  return [...wrong, makeProblem('package.detail_scope_missing', message, { pointer: `${pointer}/type`, fix })]
}

/** Every authorization detail is of a type of this platform, as that type wants it, and limits a scope that is asked for. */
export const detailsAreKnown: ManifestCheck = ({ details, scopes }, { knownDetailTypes }) => {
  const declared = new Set(scopes.map(({ value }) => value))
  return details.flatMap((detail) => {
    const known = knownDetailTypes.get(detail.type)
    if (known !== undefined) return problemsOf(detail, known, declared)
    const fix = didYouMean(detail.type, knownDetailTypes.keys())
    const message = `There is no type of authorization details ${quote(detail.type)}.`
    return [
      makeProblem('package.detail_type_unknown', message, { pointer: `${detail.pointer}/type`, ...fix }),
    ]
  })
}
