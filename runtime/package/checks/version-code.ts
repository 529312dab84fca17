import { makeProblem } from '../errors.ts'
import type { ManifestCheck } from './check.ts'

/** The version code grows, so that “newer” needs no reading of version names. */
export const versionCodeGrows: ManifestCheck = ({ versionCode }, { previousVersionCode }) => {
  if (versionCode === null || previousVersionCode === null || versionCode.value > previousVersionCode)
    return []
  const message = `The version code is ${versionCode.value}; the newest upload has ${previousVersionCode}.`
  const fix = `Set version.code to ${previousVersionCode + 1} or more.`
  return [makeProblem('package.version_code_not_higher', message, { pointer: versionCode.pointer, fix })]
}
