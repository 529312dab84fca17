import { makeProblem, quote } from '../errors.ts'
import type { ManifestCheck } from './check.ts'

/** Every event's scope is declared: without it no grant could ever cover the event. */
export const eventsAreCovered: ManifestCheck = ({ events, scopes }, { knownEventTypes }) => {
  const declared = new Set(scopes.map(({ value }) => value))
  return events.flatMap(({ type, pointer }) => {
    const scope = knownEventTypes.get(type)?.scope ?? null
    if (scope === null || declared.has(scope)) return []
    const message = `${quote(type)} needs the scope ${scope}, which is not declared.`
    const fix = `Add ${scope} to stoa_scopes, required or optional.`
    return [makeProblem('package.event_scope_missing', message, { pointer: `${pointer}/type`, fix })]
  })
}
