import { makeProblem, type Problem, quote } from '../errors.ts'
import type { DraftEvent } from '../manifest-draft.ts'
import { didYouMean } from '../nearest-name.ts'
import type { ManifestCheck, ManifestContext } from './check.ts'

/** Every event type exists in the pinned version, and is listed once. */
export const eventTypesAreKnown: ManifestCheck = ({ events }, context) => {
  return events.flatMap((event, index) => {
    const isRepeated = events.findIndex(({ type }) => type === event.type) < index
    return isRepeated ? [repeated(event)] : checkEvent(event, context)
  })
}

function checkEvent(
  { type, version, pointer }: DraftEvent,
  { knownEventTypes }: ManifestContext,
): readonly Problem[] {
  const known = knownEventTypes.get(type)
  if (known === undefined) {
    const where = { pointer: `${pointer}/type`, ...didYouMean(type, knownEventTypes.keys()) }
    return [makeProblem('package.event_type_unknown', `There is no event type ${quote(type)}.`, where)]
  }
  if (version === null || version === known.version) return []
  const where = { pointer: `${pointer}/version`, fix: `Pin version ${known.version}.` }
  return [makeProblem('package.event_version_unknown', `${quote(type)} has no version ${version}.`, where)]
}

function repeated({ type, pointer }: DraftEvent): Problem {
  return makeProblem('package.event_type_repeated', `${quote(type)} is listed twice.`, {
    pointer: `${pointer}/type`,
  })
}
