import {
  type Capability,
  CapabilityErrors,
  type Catalog,
  defineCapability,
  defineOperation,
  listEventTypes,
  type Operation,
  schema,
  toAsyncApi,
  toOpenApi,
} from '../capability/index.ts'
import { type ErrorFactory, KernelErrors } from '../kernel/index.ts'
import { HttpErrors } from './errors.ts'
import { isMetered } from './quota/meter.ts'

interface DocumentDependencies {
  /** Read when asked: the documents describe the catalogue they are part of. */
  catalog(): Catalog
  readonly publicUrl: string
  readonly version: string
  readonly manifestSchema: unknown
  /** What parts between HTTP and the door may refuse this operation with. */
  errorsOf(operation: Operation): readonly ErrorFactory[]
  protectedResourceMetadata(): unknown
  /** Whether the database answers. */
  ready(): Promise<boolean>
}

/** What HTTP itself may refuse this operation with. */
function httpErrorsOf(operation: Operation): readonly ErrorFactory[] {
  const { method, audience } = operation
  const bySession = audience !== 'app' && audience !== 'host' && method !== 'GET'
  return [
    HttpErrors.bad_request,
    ...(bySession ? [HttpErrors.csrf_refused] : []),
    ...(isMetered(operation) ? [HttpErrors.quota_exceeded] : []),
  ]
}

function textField(description: string, example: string) {
  return { description, schema: { type: 'string' as const }, example }
}

const quotaFields = {
  'RateLimit-Policy': textField(
    'Whose quota, how many requests (q) in how many seconds (w)',
    '"installation";q=1200;w=60',
  ),
  RateLimit: textField(
    'How many are left (r), and in how many seconds it is all of them again (t)',
    '"installation";r=1199;t=60',
  ),
}
const retryAfter = textField('Seconds after which the next request is looked at', '30')

/** The quota's fields on what the door has answered; Retry-After where a wait helps. */
function fieldsOf(operation: Operation, status: number) {
  const counted = isMetered(operation) && (status < 300 || status === 429)
  return { ...(counted ? quotaFields : {}), ...(status === 429 ? { 'Retry-After': retryAfter } : {}) }
}

function document(id: string, path: string, summary: string, read: () => unknown): Operation {
  return defineOperation({
    id,
    summary,
    method: 'GET',
    path,
    audience: 'public',
    access: { kind: 'public' },
    kind: 'read',
    input: schema.object({}),
    output: schema.json(),
    errors: [],
    handle: () => Promise.resolve(read()),
  })
}

function eventSchema(deps: DocumentDependencies): Operation {
  return defineOperation({
    id: 'platform.event_schema',
    summary: 'The JSON Schema of an event type’s data',
    method: 'GET',
    path: '/schemas/events/{type}/{version}',
    audience: 'public',
    access: { kind: 'public' },
    kind: 'read',
    input: schema.object({
      type: schema.string({ maxLength: 100 }),
      version: schema.integer({ minimum: 1, maximum: 1_000 }),
    }),
    output: schema.json(),
    errors: [CapabilityErrors.not_found],
    handle({ input }) {
      const event = deps.catalog().eventTypes.get(input.type)
      if (event === undefined || event.version !== input.version) throw CapabilityErrors.not_found()
      return Promise.resolve({ $schema: 'https://json-schema.org/draft/2020-12/schema', ...event.data.json })
    },
  })
}

const localized = schema.object({
  en: schema.string({ maxLength: 500 }),
  'zh-CN': schema.string({ maxLength: 500 }),
})

const neededScope = schema.object({ name: schema.string({ maxLength: 100 }), title: localized })

const listedEventType = schema.object({
  type: schema.string({ maxLength: 100 }),
  version: schema.integer({ minimum: 1, maximum: 1_000 }),
  summary: localized,
  subject: schema.string({ maxLength: 500 }),
  publishedBy: schema.oneOf(['host', 'platform']),
  scope: schema.nullable(neededScope),
  fields: schema.array(schema.object({ name: schema.string({ maxLength: 100 }), scope: neededScope }), {
    maxItems: 100,
  }),
  dataschema: schema.string({ maxLength: 2_048 }),
  resource: schema.nullable(schema.string({ maxLength: 500 })),
  example: schema.json(),
})

function eventTypes(deps: DocumentDependencies): Operation {
  return defineOperation({
    id: 'platform.event_types',
    summary: 'Every event type: what it is, which scopes show what of it, and an example',
    method: 'GET',
    path: '/schemas/events',
    audience: 'public',
    access: { kind: 'public' },
    kind: 'read',
    input: schema.object({}),
    output: schema.object({ data: schema.array(listedEventType, { maxItems: 1_000 }) }),
    errors: [],
    handle() {
      const { eventTypes: declared, scopes } = deps.catalog()
      const data = listEventTypes(declared.values(), { scopes, publicUrl: deps.publicUrl })
      return Promise.resolve({ data })
    },
  })
}

function readiness(deps: DocumentDependencies): Operation {
  return defineOperation({
    id: 'platform.ready',
    summary: 'Whether this process can answer: its database does',
    method: 'GET',
    path: '/readyz',
    audience: 'public',
    access: { kind: 'public' },
    kind: 'read',
    input: schema.object({}),
    output: schema.object({ status: schema.oneOf(['ready']) }),
    errors: [],
    async handle() {
      if (await deps.ready()) return { status: 'ready' as const }
      throw KernelErrors.unavailable('the database does not answer')
    },
  })
}

/** The documents a program or a probe asks for, declared like everything else. */
export function documentsCapability(deps: DocumentDependencies): Capability {
  let openApi: unknown = null
  const readOpenApi = () => {
    const { publicUrl, version } = deps
    const errorsOf = (operation: Operation) => [...httpErrorsOf(operation), ...deps.errorsOf(operation)]
    openApi ??= toOpenApi(deps.catalog(), { publicUrl, version, errorsOf, fieldsOf })
    return openApi
  }
  let asyncApi: unknown = null
  const readAsyncApi = () => {
    const { publicUrl, version } = deps
    asyncApi ??= toAsyncApi(deps.catalog(), { publicUrl, version })
    return asyncApi
  }
  return defineCapability({
    id: 'platform',
    summary: 'Documents and probes',
    operations: [
      document('platform.openapi', '/openapi.json', 'This API as OpenAPI 3.1', readOpenApi),
      document(
        'platform.manifest_schema',
        '/schemas/manifest.json',
        'The JSON Schema of manifest.json',
        () => deps.manifestSchema,
      ),
      document(
        'platform.protected_resource',
        '/.well-known/oauth-protected-resource',
        'OAuth protected resource metadata (RFC 9728)',
        deps.protectedResourceMetadata,
      ),
      document(
        'platform.resource_metadata',
        '/.well-known/oauth-protected-resource/v1',
        'The same at the address RFC 9728 §3.1 builds from the resource /v1',
        deps.protectedResourceMetadata,
      ),
      document('platform.health', '/healthz', 'Whether this process runs', () => ({ status: 'ok' })),
      document('platform.asyncapi', '/asyncapi.json', 'The events as AsyncAPI 3.0', readAsyncApi),
      eventTypes(deps),
      eventSchema(deps),
      readiness(deps),
    ],
  })
}
