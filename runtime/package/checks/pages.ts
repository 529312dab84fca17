import { makeProblem, quote } from '../errors.ts'
import type { ManifestCheck } from './check.ts'

/** WeChat-style pages and W3C pages. */
const extensions = ['.wxml', '.html']

/** W3C MiniApp Packaging: every page of the manifest exists. */
export const pagesExist: ManifestCheck = ({ pages }, { files }) => {
  return pages
    .filter(({ value }) => !extensions.some((extension) => files.has(value.normalize('NFC') + extension)))
    .map(({ value, pointer }) => {
      const message = `Neither ${quote(`${value}.wxml`)} nor the .html file is in the package.`
      return makeProblem('package.page_missing', message, { pointer })
    })
}
