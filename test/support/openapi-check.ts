import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'

/** One answered request, as it went over the wire. */
export interface Exchange {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly status: number
  /** Content-Type as sent; null: none. */
  readonly contentType: string | null
  readonly allow: string | null
  readonly text: string
}

/** Throws when the answer is not one that /openapi.json describes. */
export type OpenApiCheck = (exchange: Exchange) => void

type Json = Readonly<Record<string, unknown>>

interface Documented {
  readonly template: string
  readonly pattern: RegExp
  readonly item: Json
}

/** Addresses that /openapi.json leaves out on purpose. */
const undocumentedOnPurpose: readonly { readonly pattern: RegExp; readonly why: string }[] = [
  { pattern: /^\/$/, why: 'the start page is for people' },
  {
    pattern: /^\/(sign-in|sign-out|consent|invitation|m)(\/.*)?$/,
    why: 'pages and their forms are for people, not for programs',
  },
  {
    pattern:
      /^\/oauth\/(authorize(\/.*)?|token|par|revoke|introspect|jwks|device_authorization|userinfo|end_session\/confirm)$/,
    why: 'the authorization server’s endpoints are described by RFC 8414 metadata, and answer as OAuth says',
  },
  {
    pattern: /^\/\.well-known\/(oauth-authorization-server|openid-configuration)$/,
    why: 'RFC 8414 metadata describe themselves',
  },
  { pattern: /^\/metrics$/, why: 'the Prometheus text format' },
  { pattern: /^\/assets\/.+$/, why: 'files of the pages' },
  { pattern: /^\/types\/.+$/, why: 'TypeScript declarations are text' },
]

const methods = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options', 'trace']

function patternOf(template: string): RegExp {
  const escaped = template.replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&')
  return new RegExp(`^${escaped.replaceAll(/\{\w+\}/g, '[^/]+')}$`)
}

/** Concrete paths before templated ones (OpenAPI 3.1 §4.8.8.2), then by the length of what is fixed. */
function bySpecificity(a: Documented, b: Documented): number {
  const rank = ({ template }: Documented) => [
    template.match(/\{/g)?.length ?? 0,
    -template.replaceAll(/\{\w+\}/g, '').length,
  ]
  const [left = [], right = []] = [rank(a), rank(b)]
  return (left[0] ?? 0) - (right[0] ?? 0) || (left[1] ?? 0) - (right[1] ?? 0)
}

function escapePointer(text: string): string {
  return encodeURIComponent(text.replaceAll('~', '~0').replaceAll('/', '~1'))
}

function mediaTypeOf(contentType: string | null): string | null {
  return contentType?.split(';')[0]?.trim().toLowerCase() ?? null
}

function memberOf(value: unknown, name: string): Json | undefined {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  return (value as Json)[name] as Json | undefined
}

/** What only the log may know: stack frames, statements, files of the server, names of its libraries. */
const secrets: readonly RegExp[] = [
  /\n\s+at /,
  /\bat \S+ \(/,
  /\.(ts|tsx|js|mjs|cjs):\d+/,
  /node_modules|\/work\/|\/src\//,
  /\b(select|insert into|update|delete from)\b.+\b(from|values|set|where)\b/i,
  /\b(prisma|pglite|postgres|relation "|column "|SQLSTATE|ECONN)/i,
]

/** An error's body must tell nothing about how the platform is made. */
export function assertTellsNothing(text: string): void {
  for (const secret of secrets)
    if (secret.test(text)) throw new Error(`an error tells too much (${secret}): ${text.slice(0, 500)}`)
}

/** The check made from the document that the platform under test publishes. */
export function makeOpenApiCheck(document: Json): OpenApiCheck {
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false })
  ajv.addSchema({ $id: 'openapi', ...document }, 'openapi', true, false)
  const compiled = new Map<string, ValidateFunction>()
  const documented = Object.entries(document['paths'] as Record<string, Json>)
    .map(([template, item]) => ({ template, item, pattern: patternOf(template) }))
    .sort(bySpecificity)

  function validate(pointer: string, value: unknown, where: string): void {
    const check = compiled.get(pointer) ?? ajv.compile({ $ref: `openapi#${pointer}` })
    compiled.set(pointer, check)
    if (check(value)) return
    throw new Error(`${where}: the body is not what /openapi.json says: ${ajv.errorsText(check.errors)}`)
  }

  function checkProblem(exchange: Exchange, where: string): void {
    const { contentType, text } = exchange
    if (mediaTypeOf(contentType) !== 'application/problem+json')
      throw new Error(`${where}: ${contentType} instead of application/problem+json: ${text.slice(0, 300)}`)
    const problem: unknown = JSON.parse(text)
    validate('/components/schemas/Problem', problem, where)
    if ((problem as Json)['status'] !== exchange.status)
      throw new Error(`${where}: another status in the body`)
    assertTellsNothing(text)
  }

  function checkResponse(exchange: Exchange, { template, item }: Documented, where: string): void {
    const method = exchange.method.toLowerCase()
    const status = String(exchange.status)
    const responses = memberOf(item[method], 'responses')
    const response = memberOf(responses, status)
    if (response === undefined) throw new Error(`${where}: the status is not documented`)
    const content = memberOf(response, 'content')
    if (content === undefined) {
      if (exchange.text !== '') throw new Error(`${where}: a body where none is documented`)
      return
    }
    const mediaType = mediaTypeOf(exchange.contentType)
    if (mediaType === null || memberOf(content, mediaType) === undefined)
      throw new Error(`${where}: the media type ${mediaType} is not documented`)
    const pointer = ['paths', template, method, 'responses', status, 'content', mediaType, 'schema']
    const body: unknown = JSON.parse(exchange.text)
    validate(`/${pointer.map(escapePointer).join('/')}`, body, where)
    if (exchange.status >= 400) checkProblem(exchange, where)
  }

  /** RFC 9110 §15.5.6: a 405 names in Allow what the address answers. */
  function checkRefusedMethod(exchange: Exchange, { item }: Documented, where: string): void {
    if (exchange.status !== 405) throw new Error(`${where}: the method is not documented and not refused`)
    checkProblem(exchange, where)
    const allowed = (exchange.allow ?? '').split(',').map((method) => method.trim().toLowerCase())
    const known = Object.keys(item).filter((name) => methods.includes(name))
    const missing = known.filter((name) => !allowed.includes(name))
    if (missing.length > 0) throw new Error(`${where}: Allow does not name ${missing.join(', ')}`)
  }

  return (exchange) => {
    const { method, path, status } = exchange
    const where = `${method} ${path} answered ${status}`
    const found = documented.find(({ pattern }) => pattern.test(path))
    if (found !== undefined) {
      if (memberOf(found.item, method.toLowerCase()) === undefined)
        return checkRefusedMethod(exchange, found, where)
      return checkResponse(exchange, found, where)
    }
    if (undocumentedOnPurpose.some(({ pattern }) => pattern.test(path))) return
    if (status !== 404) throw new Error(`${where}: the address is not documented`)
    checkProblem(exchange, where)
  }
}
