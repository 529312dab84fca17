import { makeProblem, quote } from '../errors.ts'
import type { ManifestCheck } from './check.ts'

/** A mini-program brings a file with handlers and a backend app brings none. */
export const handlersFitTheClass: ManifestCheck = ({ hasHandlers, handlers }, { appClass, files }) => {
  const pointer = '/stoa_handlers'
  if (appClass === 'backend') {
    if (!hasHandlers) return []
    return [makeProblem('package.handlers_not_allowed', 'A backend app runs no handlers here.', { pointer })]
  }
  if (!hasHandlers) {
    return [makeProblem('package.handlers_required', 'A mini-program needs stoa_handlers.', { pointer })]
  }
  if (handlers === null || files.has(handlers.value.normalize('NFC'))) return []
  const message = `The file ${quote(handlers.value)} is not in the package.`
  return [makeProblem('package.handlers_file_missing', message, { pointer })]
}
