import { makeProblem, quote } from '../errors.ts'
import type { ManifestCheck } from './check.ts'

/** Every icon is a file of the package; nothing is fetched from elsewhere. */
export const iconsExist: ManifestCheck = ({ iconSources }, { files }) => {
  return iconSources
    .filter(({ value }) => !files.has(value.normalize('NFC')))
    .map(({ value, pointer }) => {
      return makeProblem('package.icon_missing', `The file ${quote(value)} is not in the package.`, {
        pointer,
      })
    })
}
