import { assert } from '../kernel/index.ts'
import type { BoundType } from './bound.ts'
import { type Check, compile } from './compile.ts'
import {
  type Audience,
  type Capability,
  type EventType,
  type Operation,
  type Scope,
  scopesOf,
} from './define.ts'
import { takesJsonBody } from './refusals.ts'
import type { JsonSchema } from './schema.ts'

/** An operation with its schemas compiled, ready for `invoke()`. */
export interface CompiledOperation {
  readonly capabilityId: string
  readonly operation: Operation
  readonly checkInput: Check
  readonly checkOutput: Check
  /** Names between braces in the path, in order. */
  readonly pathMembers: readonly string[]
  /** `order.get` in the sandbox, or null. */
  readonly hostFunction: string | null
}

/** Everything that was declared, checked as a whole at start. */
export interface Catalog {
  readonly capabilities: readonly Capability[]
  readonly operations: ReadonlyMap<string, CompiledOperation>
  readonly scopes: ReadonlyMap<string, Scope>
  readonly eventTypes: ReadonlyMap<string, EventType & { readonly checkData: Check }>
  readonly boundTypes: BoundTypes
  /** Host function name → operation id. */
  readonly hostFunctions: ReadonlyMap<string, string>
}

/** Types of authorization details by name, each with its schema compiled. */
export type BoundTypes = ReadonlyMap<string, BoundType & { readonly checkDetail: Check }>

const pathPrefixes: Readonly<Record<Audience, string>> = {
  app: '/v1/',
  developer: '/developer/v1/',
  merchant: '/merchant/v1/',
  reviewer: '/review/v1/',
  host: '/host/v1/',
  account: '/account/v1/',
  public: '/',
}

const accessByAudience: Readonly<Record<Audience, readonly string[]>> = {
  app: ['scope', 'installation', 'app'],
  developer: ['publisher', 'person'],
  merchant: ['merchant', 'person'],
  reviewer: ['staff'],
  host: ['host'],
  account: ['person', 'public'],
  public: ['public'],
}

function unique<T>(items: readonly T[], keyOf: (item: T) => string, what: string): ReadonlyMap<string, T> {
  const map = new Map<string, T>()
  for (const item of items) {
    const key = keyOf(item)
    assert(!map.has(key), `${what} ${key} is declared twice`)
    map.set(key, item)
  }
  return map
}

function checkScope(scope: Scope): void {
  assert(/^[a-z][a-z_.]*:[a-z][a-z_]*$/.test(scope.name), `scope ${scope.name} is not noun:verb`)
  for (const text of [scope.title, scope.consent]) {
    assert(text.en.trim() !== '' && text['zh-CN'].trim() !== '', `scope ${scope.name} lacks a text`)
  }
}

function checkEventType(event: EventType, scopes: ReadonlyMap<string, Scope>): void {
  assert(
    /^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$/.test(event.type),
    `event type ${event.type} is not noun.past`,
  )
  for (const scope of [event.scope, ...Object.values(event.fieldScopes)]) {
    assert(scope === null || scopes.has(scope), `event type ${event.type} names the unknown scope ${scope}`)
  }
  for (const field of Object.keys(event.fieldScopes))
    assert(membersOf(event.data.json).includes(field), `event type ${event.type} has no member ${field}`)
}

/** A thin event leads there: it must be an address that an app can read. */
function checkResourcePath(
  { type, resourcePath }: EventType,
  operations: readonly CompiledOperation[],
): void {
  if (resourcePath === null) return
  const leadsThere = operations.some(
    ({ operation: { method, path, audience }, pathMembers }) =>
      method === 'GET' &&
      audience === 'app' &&
      pathMembers.length === 1 &&
      path.replace(/\{\w+\}/, '{subject}') === resourcePath,
  )
  assert(leadsThere, `event type ${type}: no app can GET ${resourcePath}`)
}

function membersOf(json: JsonSchema): readonly string[] {
  return Object.keys((json['properties'] ?? {}) as object)
}

function checkOperation(
  operation: Operation,
  pathMembers: readonly string[],
  scopes: ReadonlyMap<string, Scope>,
): void {
  const { id, access, audience, method } = operation
  assert(/^[a-z][a-z_]*\.[a-z][a-z0-9_]*$/.test(id), `operation ${id} is not noun.verb`)
  assert(
    operation.path.startsWith(pathPrefixes[audience]),
    `${id}: ${operation.path} is not below ${pathPrefixes[audience]}`,
  )
  assert(
    accessByAudience[audience].includes(access.kind),
    `${id}: access ${access.kind} does not fit the audience ${audience}`,
  )
  assert(
    scopesOf(access).every((scope) => scopes.has(scope)),
    `${id} names an unknown scope`,
  )
  assert(
    operation.hostFunction === undefined || audience === 'app',
    `${id}: only an app operation is a host function`,
  )
  assert(operation.bounds === undefined || audience === 'app', `${id}: only an app operation has bounds`)
  assert(operation.cacheMs === undefined || access.kind === 'public', `${id}: only a public answer is kept`)
  assert(method !== 'GET' || operation.kind === 'read', `${id}: GET must not write`)
  const inputMembers = membersOf(operation.input.json)
  for (const member of pathMembers)
    assert(inputMembers.includes(member), `${id}: {${member}} is no member of its input`)
}

function compileOperation(
  capability: Capability,
  operation: Operation,
  scopes: ReadonlyMap<string, Scope>,
): CompiledOperation {
  const pathMembers = [...operation.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '')
  checkOperation(operation, pathMembers, scopes)
  const nothing = operation.output.json['x-nothing'] === true
  return {
    capabilityId: capability.id,
    operation,
    pathMembers,
    checkInput: compile(operation.input.json, { coerce: !takesJsonBody(operation) }),
    checkOutput: nothing ? () => [] : compile(operation.output.json),
    hostFunction: operation.hostFunction === undefined ? null : `${capability.id}.${operation.hostFunction}`,
  }
}

/** The types of authorization details that the capabilities declare. */
export function makeBoundTypes(capabilities: readonly Capability[]): BoundTypes {
  const types = unique(
    capabilities.flatMap((capability) => capability.boundTypes),
    ({ type }) => type,
    'type of authorization details',
  )
  return new Map(
    [...types].map(([name, type]) => {
      assert(/^[a-z][a-z_]*$/.test(name), `the type of authorization details ${name} is no noun`)
      return [name, { ...type, checkDetail: compile(type.detail.json) }]
    }),
  )
}

/** Names of the scopes that show customers' personal data. */
export function privateScopesOf({ scopes }: Pick<Catalog, 'scopes'>): readonly string[] {
  return [...scopes.values()].filter(({ sensitivity }) => sensitivity === 'private').map(({ name }) => name)
}

/** Checks and compiles what the parts declare; any mistake stops the start with a sentence that names it. */
export function makeCatalog(capabilities: readonly Capability[]): Catalog {
  unique(capabilities, (capability) => capability.id, 'capability')
  const scopes = unique(
    capabilities.flatMap((capability) => capability.scopes),
    (scope) => scope.name,
    'scope',
  )
  for (const scope of scopes.values()) checkScope(scope)
  const boundTypes = makeBoundTypes(capabilities)
  for (const { type, scope } of boundTypes.values())
    assert(
      scope === null || scopes.has(scope),
      `authorization details ${type} name the unknown scope ${scope}`,
    )

  const eventTypes = new Map<string, EventType & { readonly checkData: Check }>()
  for (const event of unique(
    capabilities.flatMap((c) => c.eventTypes),
    (e) => e.type,
    'event type',
  ).values()) {
    checkEventType(event, scopes)
    const checkData = compile(event.data.json)
    assert(
      checkData(event.example).length === 0,
      `the example of event type ${event.type} does not match its schema`,
    )
    eventTypes.set(event.type, { ...event, checkData })
  }

  const compiled = capabilities.flatMap((c) =>
    c.operations.map((operation) => compileOperation(c, operation, scopes)),
  )
  for (const event of eventTypes.values()) checkResourcePath(event, compiled)
  unique(
    compiled,
    ({ operation }) => `${operation.method} ${operation.path.replaceAll(/\{\w+\}/g, '{}')}`,
    'path',
  )
  const hostFunctions = new Map<string, string>()
  for (const { hostFunction, operation } of compiled) {
    if (hostFunction === null) continue
    assert(!hostFunctions.has(hostFunction), `host function ${hostFunction} is declared twice`)
    hostFunctions.set(hostFunction, operation.id)
  }
  return {
    capabilities,
    operations: unique(compiled, ({ operation }) => operation.id, 'operation'),
    scopes,
    eventTypes,
    boundTypes,
    hostFunctions,
  }
}
