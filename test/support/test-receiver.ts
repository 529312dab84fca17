import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

/** What came in: the body as the bytes that were sent. */
export interface ReceivedRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly atMs: number
}

/** How the receiver behaves. */
export type Behaviour =
  | {
      readonly kind: 'status'
      readonly status: number
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: string
    }
  /** Does not answer until it is released. */
  | { readonly kind: 'hang' }
  /** Sends status and headers at once and then a byte now and again, without end. */
  | { readonly kind: 'drip'; readonly status: number; readonly everyMs: number }
  /** Closes the connection with RST instead of an answer. */
  | { readonly kind: 'reset' }

/** A real HTTP server on loopback that answers as it is told and remembers every request. */
export interface TestReceiver {
  readonly url: string
  readonly requests: readonly ReceivedRequest[]
  /** From now on. A function decides per request; `index` counts from 0 over all requests. */
  behave(behaviour: Behaviour | ((request: ReceivedRequest, index: number) => Behaviour)): void
  /** Those that hang are answered so. */
  release(behaviour: Behaviour): void
  /** Resolves when that many requests have come in. */
  received(count: number): Promise<void>
  close(): Promise<void>
}

/** `{ kind: 'status', status }`. */
export function status(code: number, headers: Readonly<Record<string, string>> = {}, body = ''): Behaviour {
  return { kind: 'status', status: code, headers, body }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

function act(behaviour: Behaviour, response: ServerResponse, hanging: Set<ServerResponse>): void {
  switch (behaviour.kind) {
    case 'status':
      response.writeHead(behaviour.status, behaviour.headers).end(behaviour.body ?? '')
      return
    case 'hang':
      hanging.add(response)
      return
    case 'drip': {
      response.writeHead(behaviour.status, { 'content-type': 'text/plain' })
      const timer = setInterval(() => response.write('.'), behaviour.everyMs)
      response.on('close', () => clearInterval(timer))
      return
    }
    case 'reset':
      response.socket?.resetAndDestroy()
      return
  }
}

/** Starts a receiver that answers 200 until it is told otherwise. */
export async function startReceiver(): Promise<TestReceiver> {
  const requests: ReceivedRequest[] = []
  const sockets = new Set<Socket>()
  const waiters = new Set<() => void>()
  const hanging = new Set<ServerResponse>()
  let decide: (request: ReceivedRequest, index: number) => Behaviour = () => status(200)

  const server = createServer((request, response) => {
    void readBody(request).then(
      (body) => {
        const received: ReceivedRequest = {
          method: request.method ?? '',
          path: request.url ?? '',
          headers: request.headers as Record<string, string>,
          body,
          atMs: Date.now(),
        }
        const index = requests.push(received) - 1
        for (const wake of waiters) wake()
        act(decide(received, index), response, hanging)
      },
      () => undefined,
    )
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo

  return {
    url: `http://127.0.0.1:${port}/webhooks`,
    requests,
    behave(behaviour) {
      decide = typeof behaviour === 'function' ? behaviour : () => behaviour
    },
    release(behaviour) {
      for (const response of hanging) act(behaviour, response, hanging)
      hanging.clear()
    },
    async received(count) {
      while (requests.length < count) {
        await new Promise<void>((resolve) => {
          const wake = () => {
            waiters.delete(wake)
            resolve()
          }
          waiters.add(wake)
        })
      }
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
