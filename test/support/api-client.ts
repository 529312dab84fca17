import supertest, { type Response, type Test } from 'supertest'
import type { OpenApiCheck } from './openapi-check.ts'

/** An answer of the platform; `body` is the parsed JSON, or the text where it is not JSON. */
export interface Answer<T = unknown> {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly setCookies: readonly string[]
  readonly text: string
  readonly body: T
}

/** The members of a problem document that tests ask about. */
export interface ProblemBody {
  readonly code: string
  readonly title: string
  readonly detail: string
  readonly status: number
  readonly requestId: string
  readonly errors?: readonly { readonly pointer: string; readonly code: string; readonly message: string }[]
  readonly missingScopes?: readonly string[]
}

export interface RequestOptions {
  /** Sent as application/json. */
  readonly json?: unknown
  /** Sent as it is; name its media type in the headers. */
  readonly raw?: string | Uint8Array
  readonly headers?: Readonly<Record<string, string>>
}

/** A caller of the HTTP API with fixed headers (its credential). Every answer is held against /openapi.json. */
export interface ApiClient {
  request<T = unknown>(method: string, path: string, options?: RequestOptions): Promise<Answer<T>>
  /** The body of an answer that must be a 2xx. */
  call<T = Readonly<Record<string, unknown>>>(method: string, path: string, json?: unknown): Promise<T>
  /** The problem of an answer that must be an error of this status. */
  refused(method: string, path: string, status: number, options?: RequestOptions): Promise<ProblemBody>
  /** The same with further headers. */
  with(headers: Readonly<Record<string, string>>): ApiClient
}

function asText(response: Response, done: (error: Error | null, body: unknown) => void): void {
  const chunks: Buffer[] = []
  const stream = response as unknown as NodeJS.ReadableStream
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  stream.on('end', () => done(null, Buffer.concat(chunks).toString('utf8')))
}

function parsed(text: string, contentType: string | undefined): unknown {
  if (text === '') return undefined
  return /[/+]json\b/.test(contentType ?? '') ? (JSON.parse(text) as unknown) : text
}

type Verb = 'get' | 'post' | 'put' | 'patch' | 'delete' | 'head' | 'options'

function bodyOf({ json, raw }: RequestOptions): { readonly type?: string; readonly body?: string | Buffer } {
  if (json !== undefined) return { type: 'application/json', body: JSON.stringify(json) }
  if (raw === undefined) return {}
  return { body: typeof raw === 'string' ? raw : Buffer.from(raw) }
}

/** One request as it stands, no redirect followed, no check made. */
export async function send(
  baseUrl: string,
  method: string,
  path: string,
  options: RequestOptions = {},
): Promise<Answer> {
  const verb = method.toLowerCase() as Verb
  const { type, body } = bodyOf(options)
  let test: Test = supertest(baseUrl)[verb](path).redirects(0).buffer(true).parse(asText)
  if (type !== undefined) test = test.set('content-type', type)
  for (const [name, value] of Object.entries(options.headers ?? {})) test = test.set(name, value)
  if (body !== undefined) {
    // superagent would turn text of a JSON type into JSON of its own.
    test = test.serialize((value: unknown) => value as string).send(body)
  }
  const response = await test
  const headers = response.headers as Record<string, string>
  const text = typeof response.body === 'string' ? response.body : ''
  const setCookies = (response.headers as unknown as { 'set-cookie'?: string[] })['set-cookie'] ?? []
  return {
    status: response.status,
    headers,
    setCookies,
    text,
    body: method === 'HEAD' ? undefined : parsed(text, headers['content-type']),
  }
}

export interface ClientOptions {
  readonly baseUrl: string
  readonly check: OpenApiCheck
  readonly headers?: Readonly<Record<string, string>>
  /** Headers that each request gets anew: a proof made for it. */
  readonly sign?: (method: string, path: string) => Promise<Readonly<Record<string, string>>>
}

export function makeApiClient(options: ClientOptions): ApiClient {
  const { baseUrl, check, headers = {}, sign } = options

  async function request<T>(method: string, path: string, given: RequestOptions = {}): Promise<Answer<T>> {
    const [pathname = ''] = path.split('?')
    const signed = await sign?.(method, pathname)
    const all = { ...headers, ...signed, ...given.headers }
    const answer = await send(baseUrl, method, path, { ...given, headers: all })
    const contentType = answer.headers['content-type'] ?? null
    const { status, text } = answer
    if (method !== 'HEAD')
      check({ method, path: pathname, status, contentType, allow: answer.headers['allow'] ?? null, text })
    return answer as Answer<T>
  }

  return {
    request,
    async call<T>(method: string, path: string, json?: unknown) {
      const answer = await request<T>(method, path, json === undefined ? {} : { json })
      if (answer.status >= 300) throw new Error(`${method} ${path} answered ${answer.status}: ${answer.text}`)
      return answer.body
    },
    async refused(method, path, status, given) {
      const answer = await request<ProblemBody>(method, path, given)
      if (answer.status !== status)
        throw new Error(`${method} ${path} answered ${answer.status} instead of ${status}: ${answer.text}`)
      return answer.body
    },
    with: (more) => makeApiClient({ ...options, headers: { ...headers, ...more } }),
  }
}
