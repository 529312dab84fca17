import { isDeepStrictEqual } from 'node:util'
import { assert } from '../kernel/index.ts'

type Json = Record<string, unknown>

/** Moves every schema that has a name (a title in PascalCase) into components and leaves a $ref. */
export function hoist(value: unknown, components: Json): unknown {
  if (Array.isArray(value)) return value.map((item) => hoist(item, components))
  if (typeof value !== 'object' || value === null) return value
  const copy: Json = {}
  for (const [key, member] of Object.entries(value)) copy[key] = hoist(member, components)
  const { title } = copy
  if (typeof title !== 'string' || !/^[A-Z][A-Za-z0-9]+$/.test(title) || copy['$ref'] !== undefined)
    return copy
  const known = components[title]
  assert(known === undefined || isDeepStrictEqual(known, copy), `two schemas are called ${title}`)
  components[title] = copy
  return { $ref: `#/components/schemas/${title}` }
}
