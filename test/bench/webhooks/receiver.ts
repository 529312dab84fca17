// The receiving side, in a process of its own: the fastest that a third party could have, so that what is measured is
// the sender. Speaks just enough HTTP/1.1 for POSTs with Content-Length on kept connections.
import { createServer, type Socket } from 'node:net'

/** From the bench. */
export type Order =
  /** Forgets what it has counted. */
  | { readonly kind: 'reset' }
  /** Whether requests to `/hang` are left without an answer; when not any more, those that wait get theirs. */
  | { readonly kind: 'hang'; readonly on: boolean }
  | { readonly kind: 'report' }

/** To the bench. */
export type Report =
  | { readonly kind: 'listening'; readonly port: number }
  | {
      readonly kind: 'report'
      readonly count: number
      /** Milliseconds from publishing to here, of deliveries that carry their time, except to `/hang`. */
      readonly latenciesMs: readonly number[]
    }

const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'
const headEnd = '\r\n\r\n'
// An order's externalId: where the bench writes the time of publishing.
const mark = '"externalId":"'

let count = 0
let latenciesMs: number[] = []
let hangs = false
const waiting = new Set<Socket>()

function note(head: string, body: Buffer): void {
  count += 1
  const at = body.indexOf(mark)
  if (at < 0 || head.startsWith('POST /hang')) return
  const publishedAtMs = Number.parseInt(body.toString('latin1', at + mark.length, at + mark.length + 13), 10)
  if (publishedAtMs > 0) latenciesMs.push(Date.now() - publishedAtMs)
}

/** Answers every whole request in `bytes`; gives what is left. */
function serve(socket: Socket, bytes: Buffer): Buffer {
  let rest = bytes
  for (;;) {
    const end = rest.indexOf(headEnd)
    if (end < 0) return rest
    const head = rest.toString('latin1', 0, end)
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
    const total = end + headEnd.length + length
    if (rest.length < total) return rest
    note(head, rest.subarray(end + headEnd.length, total))
    if (hangs && head.startsWith('POST /hang')) waiting.add(socket)
    else socket.write(answer)
    rest = rest.subarray(total)
  }
}

const server = createServer((socket) => {
  let pending: Buffer = Buffer.alloc(0)
  socket.setNoDelay(true)
  socket.on('data', (chunk) => {
    pending = serve(socket, pending.length === 0 ? chunk : Buffer.concat([pending, chunk]))
  })
  socket.on('error', () => socket.destroy())
  socket.on('close', () => waiting.delete(socket))
})

function say(report: Report): void {
  process.send?.(report)
}

process.on('message', (order: Order) => {
  if (order.kind === 'reset') {
    count = 0
    latenciesMs = []
  } else if (order.kind === 'hang') {
    hangs = order.on
    if (hangs) return
    for (const socket of waiting) socket.write(answer)
    waiting.clear()
  } else say({ kind: 'report', count, latenciesMs })
})
// The bench has gone.
process.on('disconnect', () => process.exit(0))
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address !== null && typeof address === 'object') say({ kind: 'listening', port: address.port })
})
