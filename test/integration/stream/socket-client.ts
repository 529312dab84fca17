import { type ClientOptions, WebSocket } from 'ws'
import type { Item } from './world.ts'

/** How a socket ended. */
export interface Closed {
  readonly code: number
  readonly reason: string
}

/** An app's server at the other end of a WebSocket, by an independent implementation of the protocol. */
export interface SocketClient {
  readonly ws: WebSocket
  /** Deliveries and markers that have come, in order. */
  readonly items: readonly Item[]
  /** The cursors of the answers to acknowledgements. */
  readonly acked: readonly number[]
  readonly closed: Promise<Closed>
  send(message: string | Uint8Array): void
  /** Resolves when it is so; fails when the socket closes before, or after 20 s. */
  until(what: string, isSo: (client: SocketClient) => boolean): Promise<void>
}

export interface SocketOptions extends ClientOptions {
  readonly query?: string
}

const atMostMs = 20_000

/** Opens a socket of the stream; fails with the status and body of a refusal. */
export async function openSocket(
  baseUrl: string,
  token: string | null,
  { query = '', ...options }: SocketOptions = {},
): Promise<SocketClient> {
  const headers = { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...options.headers }
  const ws = new WebSocket(`${baseUrl.replace('http', 'ws')}/v1/stream${query}`, { ...options, headers })
  const items: Item[] = []
  const acked: number[] = []
  let changed: () => void = () => undefined
  ws.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString('utf8')) as Item & { type?: string; cursor?: number }
    if (message.type === 'acked') acked.push(message.cursor ?? -1)
    else items.push(message)
    changed()
  })
  ws.on('error', () => undefined)
  const closed = new Promise<Closed>((resolve) => {
    ws.once('close', (code, reason) => resolve({ code, reason: reason.toString('utf8') }))
  })
  await new Promise<void>((resolve, reject) => {
    ws.once('open', () => resolve())
    ws.once('unexpected-response', (_request, response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString('utf8')
      })
      response.on('end', () =>
        reject(Object.assign(new Error(text), { status: response.statusCode, headers: response.headers })),
      )
    })
    void closed.then(() => reject(new Error('closed before it was open')))
  })
  const client: SocketClient = {
    ...{ ws, items, acked, closed },
    send: (message) => ws.send(message),
    until: (what, isSo) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`${what}: not within ${atMostMs} ms`)), atMostMs)
        const check = () => {
          if (!isSo(client)) return
          clearTimeout(timer)
          resolve()
        }
        void closed.then(({ code, reason }) => {
          clearTimeout(timer)
          reject(new Error(`${what}: closed with ${code} ${reason}`))
        })
        changed = check
        check()
      }),
  }
  return client
}

/** What a refused upgrade was answered. */
export interface Refusal {
  readonly status: number
  readonly code: string
  readonly headers: Readonly<Record<string, string>>
}

/** The answer to an upgrade that must be refused. */
export async function refusedSocket(...args: Parameters<typeof openSocket>): Promise<Refusal> {
  try {
    const { ws } = await openSocket(...args)
    ws.terminate()
  } catch (error) {
    const { message, status, headers } = error as Error & Omit<Refusal, 'code'>
    return { status, headers, code: (JSON.parse(message) as { code: string }).code }
  }
  throw new Error('the upgrade was not refused')
}
