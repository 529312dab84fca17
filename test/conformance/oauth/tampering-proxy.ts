import { Agent, createServer, type IncomingMessage, request as sendOn } from 'node:http'
import type { AddressInfo } from 'node:net'

interface Headers extends NodeJS.Dict<string | string[]> {
  location?: string | undefined
}

/** A request on its way; a mutation may change every member but the path. */
export interface ProxiedRequest {
  readonly method: string
  readonly path: string
  query: URLSearchParams
  headers: Headers
  body: string
}

export interface ProxiedResponse {
  status: number
  headers: Headers
  body: string
}

/** An exchange that went through the proxy before, as the server answered it. */
export interface PastExchange {
  readonly request: ProxiedRequest
  readonly response: ProxiedResponse
}

/** One small way in which a server could break a clause, as tampering with the traffic. */
export interface Mutation {
  readonly what: string
  /** Changes the request, or gives an answer of its own, and then nothing reaches the server. */
  request?(request: ProxiedRequest, past: readonly PastExchange[]): ProxiedResponse | undefined
  response?(response: ProxiedResponse, request: ProxiedRequest, past: readonly PastExchange[]): void
}

export interface TamperingProxy {
  readonly address: string
  /** From here on every exchange goes through this mutation. */
  apply(mutation: Mutation): void
  /** How many exchanges it has changed. */
  changes(): number
  close(): Promise<void>
}

/** One character per byte, so that a package passes as it is. */
const bytes = 'latin1'

async function textOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString(bytes)
}

async function parse(message: IncomingMessage): Promise<ProxiedRequest> {
  const { pathname, searchParams } = new URL(message.url ?? '/', 'http://proxy.invalid')
  const body = await textOf(message)
  // What was sent twice must arrive twice.
  const headers: Headers = {}
  for (const [name, values = []] of Object.entries(message.headersDistinct))
    headers[name] = values.length === 1 ? values[0] : values
  return { method: message.method ?? 'GET', path: pathname, query: searchParams, headers, body }
}

const agent = new Agent({ keepAlive: true })

function forward(
  target: URL,
  { method, path, query, headers, body }: ProxiedRequest,
): Promise<ProxiedResponse> {
  const search = query.toString()
  const { 'transfer-encoding': _chunked, connection: _connection, ...kept } = headers
  const sent = { ...kept, 'content-length': String(body.length) }
  const options = { method, headers: sent, agent, path: search === '' ? path : `${path}?${search}` }
  return new Promise((resolve, reject) => {
    sendOn(target, options, (response) => {
      textOf(response).then(
        (text) => resolve({ status: response.statusCode ?? 0, headers: { ...response.headers }, body: text }),
        reject,
      )
    })
      .on('error', reject)
      .end(body, bytes)
  })
}

const clone = <T extends ProxiedRequest | ProxiedResponse>(message: T): T => ({
  ...message,
  headers: { ...message.headers },
  ...('query' in message ? { query: new URLSearchParams(message.query) } : {}),
})

function print(message: ProxiedRequest | ProxiedResponse): string {
  return JSON.stringify({ ...message, query: 'query' in message ? message.query.toString() : null })
}

/** A proxy before the server at `target` that tampers with what passes, as one mutation says. */
export async function startTamperingProxy(target: string): Promise<TamperingProxy> {
  let mutation: Mutation = { what: 'nothing' }
  let past: PastExchange[] = []
  let changes = 0

  async function exchange(incoming: ProxiedRequest): Promise<ProxiedResponse> {
    const request = clone(incoming)
    const own = mutation.request?.(request, past)
    if (own !== undefined || print(request) !== print(incoming)) changes += 1
    const answered = own ?? (await forward(new URL(target), request))
    const response = clone(answered)
    mutation.response?.(response, incoming, past)
    if (print(response) !== print(answered)) changes += 1
    past.push({ request: incoming, response: answered })
    return response
  }

  const server = createServer((incoming, outgoing) => {
    const fail = (error: unknown) => outgoing.destroy(error instanceof Error ? error : undefined)
    parse(incoming)
      .then(exchange)
      .then(({ status, headers, body }) => {
        const {
          'content-length': _length,
          'transfer-encoding': _chunked,
          connection: _hop,
          ...kept
        } = headers
        outgoing.writeHead(status, kept)
        outgoing.end(incoming.method === 'HEAD' ? '' : body, bytes)
      })
      .catch(fail)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    address: `http://127.0.0.1:${port}`,
    apply(next) {
      mutation = next
      past = []
      changes = 0
    },
    changes: () => changes,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
