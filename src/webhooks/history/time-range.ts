import { CapabilityErrors } from '../../capability/index.ts'
import { parseTime } from '../../kernel/index.ts'

interface Range {
  readonly from?: string | undefined
  readonly to?: string | undefined
}

function refuse(pointer: string, message: string): never {
  throw CapabilityErrors.invalid_input('the times are not a range', {
    errors: [{ pointer, code: 'range', message }],
  })
}

function msOf(text: string | undefined, pointer: string): number | null {
  if (text === undefined) return null
  const ms = parseTime(text)
  if (ms === null) refuse(pointer, 'is no time')
  // The database knows no year 0, and nothing here is older than 1970.
  return Math.max(0, ms)
}

/** Milliseconds of `from` and `to`, members of what `pointer` names. @throws capability.invalid_input */
export function parseRange(
  { from, to }: Range,
  pointer = '',
): { readonly fromMs: number | null; readonly toMs: number | null } {
  const fromMs = msOf(from, `${pointer}/from`)
  const toMs = msOf(to, `${pointer}/to`)
  if (fromMs !== null && toMs !== null && fromMs >= toMs) refuse(`${pointer}/to`, 'must be after from')
  return { fromMs, toMs }
}
