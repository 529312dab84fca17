import type { ErrorFactory } from '../kernel/index.ts'
import type { Catalog, CompiledOperation } from './catalog.ts'
import type { Operation } from './define.ts'
import { hoist } from './hoist.ts'
import { doorErrorsOf, takesJsonBody } from './refusals.ts'
import type { JsonSchema } from './schema.ts'

type Json = Record<string, unknown>

export interface OpenApiOptions {
  /** The address clients use. */
  readonly publicUrl: string
  readonly version: string
  /** What stands before the door (HTTP, rules, database) may refuse this operation with. */
  readonly errorsOf?: (operation: Operation) => readonly ErrorFactory[]
  /** Response header fields of the operation's answers with this status. */
  readonly fieldsOf?: (operation: Operation, status: number) => Readonly<Record<string, ResponseField>>
}

/** A header object of OpenAPI. */
export interface ResponseField {
  readonly description: string
  readonly schema: JsonSchema
  readonly example: string
}

/** What the operations share, filled while they are described. */
interface Components {
  readonly schemas: Json
  readonly headers: Json
}

const problemSchema: JsonSchema = {
  title: 'Problem',
  description: 'RFC 9457 problem details',
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string', description: 'Stable: what programs branch on' },
    requestId: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['pointer', 'code', 'message'],
        properties: {
          pointer: { type: 'string', description: 'RFC 6901 JSON pointer into what was sent' },
          code: { type: 'string' },
          message: { type: 'string' },
          fix: { type: 'string' },
        },
      },
    },
  },
}

function responses(operation: Operation, components: Json, options: OpenApiOptions): Json {
  const nothing = operation.output.json['x-nothing'] === true
  const status = operation.status ?? (nothing ? 204 : 200)
  const answer = nothing
    ? { description: 'Done' }
    : {
        description: 'Done',
        content: { 'application/json': { schema: hoist(operation.output.json, components) } },
      }
  return { [status]: answer, ...errorResponses(operation, components, options) }
}

/** One response per status, with the codes it may carry. */
function errorResponses(operation: Operation, components: Json, options: OpenApiOptions): Json {
  const all = [...doorErrorsOf(operation), ...(options.errorsOf?.(operation) ?? []), ...operation.errors]
  const byStatus = new Map<number, Map<string, string>>()
  for (const { code, definition } of all) {
    const titles = byStatus.get(definition.status) ?? new Map<string, string>()
    byStatus.set(definition.status, titles.set(code, definition.title))
  }
  const problem = hoist(problemSchema, components)
  const responses = [...byStatus].map(([status, titles]) => {
    const description = [...titles].map(([code, title]) => `\`${code}\` ${title}`).join('\n\n')
    const schema = { allOf: [problem], properties: { code: { enum: [...titles.keys()] } } }
    return [status, { description, content: { 'application/problem+json': { schema } } }] as const
  })
  return Object.fromEntries(responses)
}

function parameters(compiled: CompiledOperation, components: Json): Json[] {
  const { operation, pathMembers } = compiled
  const properties = (operation.input.json['properties'] ?? {}) as Record<string, JsonSchema>
  const required = (operation.input.json['required'] ?? []) as readonly string[]
  const inQuery = !takesJsonBody(operation)
  const list: Json[] = []
  for (const [name, schema] of Object.entries(properties)) {
    const inPath = pathMembers.includes(name)
    if (!inPath && !inQuery) continue
    list.push({
      name,
      in: inPath ? 'path' : 'query',
      required: inPath || required.includes(name),
      schema: hoist(schema, components),
    })
  }
  if (operation.kind === 'write') {
    list.push({
      name: 'Idempotency-Key',
      in: 'header',
      required: false,
      schema: { type: 'string', maxLength: 255 },
    })
  }
  return list
}

function requestBody({ operation, pathMembers }: CompiledOperation, components: Json): Json | undefined {
  if (operation.binaryInput !== undefined) {
    const content = Object.fromEntries(operation.binaryInput.mediaTypes.map((type) => [type, {}]))
    return { required: true, content }
  }
  if (!takesJsonBody(operation)) return undefined
  const { properties, required, ...rest } = operation.input.json
  const members = Object.entries((properties ?? {}) as Json).filter(([name]) => !pathMembers.includes(name))
  if (members.length === 0) return undefined
  const needed = ((required ?? []) as readonly string[]).filter((name) => !pathMembers.includes(name))
  const schema = { ...rest, properties: Object.fromEntries(members), required: needed }
  return {
    required: needed.length > 0,
    content: { 'application/json': { schema: hoist(schema, components) } },
  }
}

/** Every response with the fields it brings; each field stands once among the components. */
function withFields(responses: Json, operation: Operation, made: Components, options: OpenApiOptions): Json {
  const told = Object.entries(responses).map(([status, response]) => {
    const fields = Object.entries(options.fieldsOf?.(operation, Number(status)) ?? {})
    if (fields.length === 0) return [status, response] as const
    for (const [name, field] of fields) made.headers[name] = field
    const references = fields.map(([name]) => [name, { $ref: `#/components/headers/${name}` }])
    return [status, { ...(response as Json), headers: Object.fromEntries(references) as Json }] as const
  })
  return Object.fromEntries(told)
}

const securityByAudience = {
  app: [{ accessToken: [] }],
  developer: [{ personalToken: [] }, { session: [] }],
  merchant: [{ personalToken: [] }, { session: [] }],
  reviewer: [{ personalToken: [] }, { session: [] }],
  account: [{ personalToken: [] }, { session: [] }],
  host: [{ hostKey: [] }],
  public: [],
} as const

function operationObject(compiled: CompiledOperation, made: Components, options: OpenApiOptions): Json {
  const { operation } = compiled
  const { schemas: components } = made
  const body = requestBody(compiled, components)
  const { access } = operation
  return {
    operationId: operation.id,
    tags: [compiled.capabilityId],
    summary: operation.summary,
    ...(operation.description === undefined ? {} : { description: operation.description }),
    security: access.kind === 'public' ? [] : securityByAudience[operation.audience],
    parameters: parameters(compiled, components),
    ...(body === undefined ? {} : { requestBody: body }),
    responses: withFields(responses(operation, components, options), operation, made, options),
    'x-stoa-audience': operation.audience,
    'x-stoa-access': access,
    ...(compiled.hostFunction === null ? {} : { 'x-stoa-host-function': `stoa.${compiled.hostFunction}` }),
  }
}

/** The OpenAPI 3.1 document of everything that was declared. */
export function toOpenApi(catalog: Catalog, options: OpenApiOptions): Json {
  const made: Components = { schemas: {}, headers: {} }
  const paths: Record<string, Json> = {}
  for (const compiled of catalog.operations.values()) {
    const { path, method } = compiled.operation
    const item = paths[path] ?? {}
    item[method.toLowerCase()] = operationObject(compiled, made, options)
    paths[path] = item
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Stoa',
      version: options.version,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: options.publicUrl }],
    tags: catalog.capabilities.map(({ id, summary }) => ({ name: id, description: summary })),
    paths,
    components: {
      ...made,
      securitySchemes: {
        accessToken: {
          type: 'oauth2',
          flows: {
            authorizationCode: {
              authorizationUrl: `${options.publicUrl}/oauth/authorize`,
              tokenUrl: `${options.publicUrl}/oauth/token`,
              scopes: Object.fromEntries(
                [...catalog.scopes].map(([name, scope]) => [name, scope.consent.en]),
              ),
            },
            clientCredentials: { tokenUrl: `${options.publicUrl}/oauth/token`, scopes: {} },
          },
        },
        personalToken: { type: 'http', scheme: 'bearer', description: 'POST /account/v1/tokens makes one' },
        session: { type: 'apiKey', in: 'cookie', name: 'stoa_session' },
        hostKey: { type: 'http', scheme: 'bearer', description: 'STOA_HOST_KEY' },
      },
    },
  }
}
