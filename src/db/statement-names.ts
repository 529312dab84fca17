import { sha256Hex } from '../kernel/index.ts'

/** Texts that get a name; a text built from variable parts beyond it is parsed anew each time. */
const namesMax = 1_000
const names = new Map<string, string>()

/**
 * The name under which a connection keeps the parsed statement of this text; undefined when there are too many. It is
 * a hash, not a counter, so that processes which share connections through a pooler mean the same text by it.
 */
export function statementName(text: string): string | undefined {
  const known = names.get(text)
  if (known !== undefined || names.size >= namesMax) return known
  const name = `stoa_${sha256Hex(text).slice(0, 32)}`
  names.set(text, name)
  return name
}
