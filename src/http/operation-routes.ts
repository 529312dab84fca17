import express, {
  type Express,
  type IRouter,
  type Request,
  type RequestHandler,
  type Response,
} from 'express'
import type { Answer, Caller, Catalog, CompiledOperation, Door } from '../capability/index.ts'
import { CapabilityErrors, takesJsonBody } from '../capability/index.ts'
import { currentRequestId, limits, sha256Hex } from '../kernel/index.ts'
import { parseJsonBody, rawBody } from './request.ts'

interface OperationRouteDependencies {
  readonly catalog: Catalog
  readonly door: Door
  /** Who calls; counted against their quota. */
  admit(request: Request, response: Response): Promise<Caller>
  /** Called once per answered operation. */
  observe(operationId: string, status: number, durationMs: number): void
}

/** `/v1/functions/{name}:call` → Express 5's `/v1/functions/:name\:call`. */
function expressPath(path: string): string {
  return path.replaceAll(':', '\\:').replaceAll(/\{(\w+)\}/g, ':$1')
}

function pathMembersOf({ pathMembers }: CompiledOperation, request: Request): Record<string, unknown> {
  return Object.fromEntries(pathMembers.map((member) => [member, request.params[member]]))
}

function inputOf(compiled: CompiledOperation, request: Request): Record<string, unknown> {
  checkMediaType(compiled, request)
  const sent = takesJsonBody(compiled.operation) ? parseJsonBody(request) : request.query
  return { ...sent, ...pathMembersOf(compiled, request) }
}

function idempotencyOf(request: Request): {
  readonly idempotencyKey?: string
  readonly requestHash?: string
} {
  const key = request.get('idempotency-key')
  if (key === undefined) return {}
  if (key.length === 0 || key.length > limits.idempotencyKeyLengthMax) {
    throw CapabilityErrors.invalid_input('the Idempotency-Key header is not usable', {
      errors: [
        {
          pointer: '',
          code: 'idempotency_key',
          message: `1 to ${limits.idempotencyKeyLengthMax} characters in the header`,
        },
      ],
    })
  }
  const requestHash = sha256Hex(`${request.method} ${request.originalUrl}\n${sha256Hex(rawBody(request))}`)
  return { idempotencyKey: key, requestHash }
}

function send(response: Response, { status, output, replayed }: Answer): void {
  if (replayed) response.setHeader('idempotency-replayed', 'true')
  response.statusCode = status
  if (output === undefined) return void response.end()
  // Not response.json: of what that looks up and negotiates nothing applies here.
  const text = JSON.stringify(output)
  response.setHeader('content-type', 'application/json; charset=utf-8')
  response.setHeader('content-length', Buffer.byteLength(text))
  response.end(text)
}

/**
 * Reads the body, once it is known who sends it: of somebody who may not call at all nothing is kept in memory, however
 * many connections they open.
 */
function bodyParser({ operation }: CompiledOperation): RequestHandler {
  const limit = operation.binaryInput?.bytesMax ?? limits.requestBodyBytesMax
  const parse = express.raw({ type: () => true, limit, inflate: false })
  const isPublic = operation.access.kind === 'public'
  const takesBody = operation.binaryInput !== undefined || operation.method !== 'GET'
  return (request, response, next) => {
    const isStranger = callerOf(response).kind === 'anonymous' && !isPublic
    if (takesBody && !isStranger) parse(request, response, next)
    else next()
  }
}

const callerOf = (response: Response): Caller => response.locals['caller'] as Caller

/** Finds out who calls. */
function admission({ admit }: OperationRouteDependencies): RequestHandler {
  return async (request, response, next) => {
    response.locals['caller'] = await admit(request, response)
    next()
  }
}

function checkMediaType({ operation }: CompiledOperation, request: Request): void {
  if (operation.binaryInput === undefined || request.is([...operation.binaryInput.mediaTypes]) !== false)
    return
  throw CapabilityErrors.unsupported_media_type(`send ${operation.binaryInput.mediaTypes.join(' or ')}`)
}

/** Begins an operation's answer. */
function observed({ operation }: CompiledOperation, deps: OperationRouteDependencies): RequestHandler {
  return (_request, response, next) => {
    const startedAt = performance.now()
    response.once('finish', () =>
      deps.observe(operation.id, response.statusCode, performance.now() - startedAt),
    )
    response.setHeader('cache-control', 'no-store')
    next()
  }
}

function routeOf(compiled: CompiledOperation, deps: OperationRouteDependencies): RequestHandler {
  const { operation } = compiled
  return async (request, response) => {
    const gone = new AbortController()
    response.once('close', () => {
      if (!response.writableFinished) gone.abort()
    })
    const answer = await deps.door.invoke(operation.id, {
      caller: callerOf(response),
      input: pathMembersOf(compiled, request),
      readInput: () => inputOf(compiled, request),
      body: operation.binaryInput === undefined ? new Uint8Array() : rawBody(request),
      via: 'rest',
      requestId: currentRequestId() ?? '',
      signal: gone.signal,
      ...idempotencyOf(request),
    })
    const { cacheMs } = operation
    if (cacheMs !== undefined) response.setHeader('cache-control', `public, max-age=${cacheMs / 1000}`)
    send(response, answer)
  }
}

/** OpenAPI 3.1 §4.8.8.2: "concrete (non-templated) paths would be matched before their templated counterparts". */
function bySpecificity([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  const members = (path: string) => path.split('{').length
  const fixed = (path: string) => path.replaceAll(/\{\w+\}/g, '').length
  return members(a) - members(b) || fixed(b) - fixed(a)
}

/** Any other method on this address is 405. */
export function refuseOtherMethods(app: IRouter, path: string, methods: readonly string[]): void {
  // Express answers HEAD wherever it answers GET.
  const allowed = [...new Set(methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])))]
  app.all(path, () => {
    // RFC 9110 §15.5.6: "The origin server MUST generate an Allow header field in a 405 response".
    throw CapabilityErrors.method_not_allowed(undefined, { headers: { allow: allowed.join(', ') } })
  })
}

/** The first part of a path when it is a fixed one, with the version below it: `/v1`, `/host/v1`. */
function prefixOf(path: string): string {
  return /^(?:\/[a-z]+)?\/v\d+(?=\/)/.exec(path)?.[0] ?? ''
}

/**
 * Every declared operation becomes a route, below a router per audience: a router asks its routes one after the other, and
 * with all in one a read of an order cost a tenth of its time before it was found.
 */
export function addOperationRoutes(app: Express, deps: OperationRouteDependencies): void {
  const routers = new Map<string, IRouter>([['', app]])
  const routerOf = (prefix: string): IRouter => {
    const known = routers.get(prefix)
    if (known !== undefined) return known
    const router = express.Router({ caseSensitive: true, strict: true })
    routers.set(prefix, router)
    // Not mounted at the prefix: that would take it from request.path, by which credentials are told apart.
    app.use((request, response, next) => {
      if (request.path.startsWith(`${prefix}/`)) router(request, response, next)
      else next()
    })
    return router
  }
  const byPath = new Map<string, CompiledOperation[]>()
  for (const compiled of deps.catalog.operations.values()) {
    const { path } = compiled.operation
    byPath.set(path, [...(byPath.get(path) ?? []), compiled])
  }
  for (const [path, operations] of [...byPath].sort(bySpecificity)) {
    const router = routerOf(prefixOf(path))
    for (const compiled of operations) {
      const verb = compiled.operation.method.toLowerCase() as 'get' | 'post' | 'put' | 'patch' | 'delete'
      router[verb](
        expressPath(path),
        observed(compiled, deps),
        admission(deps),
        bodyParser(compiled),
        routeOf(compiled, deps),
      )
    }
    refuseOtherMethods(
      router,
      expressPath(path),
      operations.map(({ operation }) => operation.method),
    )
  }
}
