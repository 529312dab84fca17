import type { Catalog } from './catalog.ts'
import { scopesOf } from './define.ts'
import type { JsonSchema } from './schema.ts'

function objectType(json: JsonSchema): string {
  const properties = Object.entries((json['properties'] ?? {}) as Record<string, JsonSchema>)
  if (properties.length === 0) {
    const values = json['additionalProperties']
    if (typeof values === 'object' && values !== null)
      return `Readonly<Record<string, ${typeOf(values as JsonSchema)}>>`
    return 'Readonly<Record<string, never>>'
  }
  const required = (json['required'] ?? []) as readonly string[]
  const members = properties.map(([name, member]) => {
    const mark = required.includes(name) ? '' : '?'
    const comment =
      typeof member['description'] === 'string'
        ? `/** ${member['description'].replaceAll('*/', '* /')} */ `
        : ''
    return `${comment}readonly ${JSON.stringify(name)}${mark}: ${typeOf(member)}`
  })
  return `{ ${members.join('; ')} }`
}

/** The TypeScript type of a JSON Schema our builder makes. */
function typeOf(json: JsonSchema): string {
  if (json['x-nothing'] === true) return 'void'
  if (Array.isArray(json['enum'])) return json['enum'].map((value) => JSON.stringify(value)).join(' | ')
  if (Array.isArray(json['anyOf']))
    return json['anyOf'].map((member) => typeOf(member as JsonSchema)).join(' | ')
  switch (json['type']) {
    case 'string':
      return 'string'
    case 'integer':
      return 'number'
    case 'boolean':
      return 'boolean'
    case 'null':
      return 'null'
    case 'array':
      return `readonly (${typeOf(json['items'] as JsonSchema)})[]`
    case 'object':
      return objectType(json)
    default:
      return 'unknown'
  }
}

/** The .d.ts a mini-program author writes against: `on()`, the events' data and the host functions below `stoa`. */
export function toDeclarations(catalog: Catalog): string {
  const byCapability = new Map<string, string[]>()
  for (const { hostFunction, operation, capabilityId } of catalog.operations.values()) {
    if (hostFunction === null) continue
    const name = hostFunction.slice(capabilityId.length + 1)
    const scopes = scopesOf(operation.access).map((scope) => `\`${scope}\``)
    const access = scopes.length === 0 ? '' : ` Needs the scope ${scopes.join(' and ')}.`
    const line = `    /** ${operation.summary}.${access} */\n    ${name}(input: ${typeOf(operation.input.json)}): Promise<${typeOf(operation.output.json)}>`
    byCapability.set(capabilityId, [...(byCapability.get(capabilityId) ?? []), line])
  }
  const facets = [...byCapability].map(([id, lines]) => `  readonly ${id}: {\n${lines.join('\n')}\n  }`)
  const events = [...catalog.eventTypes.values()].map(
    (event) => `  /** ${event.summary.en} */\n  '${event.type}': ${typeOf(event.data.json)}`,
  )
  return `// Made from the platform's declarations. Do not edit.

interface StoaEvents {
${events.join('\n')}
}

interface StoaEvent<Type extends keyof StoaEvents> {
  readonly id: string
  readonly type: Type
  readonly subject: string
  readonly time: string
  readonly merchantid: string
  readonly data: StoaEvents[Type]
}

interface Stoa {
${facets.join('\n')}
}

/** Registers the handler of an event type; the manifest must subscribe to it. */
declare function on<Type extends keyof StoaEvents>(
  type: Type,
  handler: (event: StoaEvent<Type>, stoa: Stoa) => unknown,
): void
`
}
