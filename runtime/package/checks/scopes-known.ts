import { makeProblem, quote } from '../errors.ts'
import { didYouMean } from '../nearest-name.ts'
import type { ManifestCheck } from './check.ts'

/** Every scope exists on this platform. */
export const scopesAreKnown: ManifestCheck = ({ scopes }, { knownScopes }) => {
  return scopes
    .filter(({ value }) => !knownScopes.has(value))
    .map(({ value, pointer }) => {
      const fix = didYouMean(value, knownScopes.keys())
      return makeProblem('package.scope_unknown', `There is no scope ${quote(value)}.`, { pointer, ...fix })
    })
}
