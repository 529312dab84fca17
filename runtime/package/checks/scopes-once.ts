import { makeProblem, quote } from '../errors.ts'
import type { ManifestCheck } from './check.ts'

/** No scope is declared twice: one that is required and optional at once has no meaning. */
export const scopesAppearOnce: ManifestCheck = ({ scopes }) => {
  return scopes.flatMap(({ value, pointer }, index) => {
    const first = scopes.findIndex((scope) => scope.value === value)
    if (first === index) return []
    const message = `${quote(value)} is already declared at ${scopes[first]?.pointer}.`
    return [makeProblem('package.scope_repeated', message, { pointer })]
  })
}
