import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { type StoaError, toProblem } from '../kernel/index.ts'
import { errorHeadersOf } from './problem-handler.ts'

/** Answers a request to upgrade with a problem document and ends the connection. */
export function refuseUpgrade(
  socket: Duplex,
  error: StoaError,
  { requestId, challenge }: { readonly requestId: string; readonly challenge: string | null },
): void {
  const body = JSON.stringify(toProblem(error, requestId))
  const headers = {
    'request-id': requestId,
    'content-type': 'application/problem+json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    'cache-control': 'no-store',
    connection: 'close',
    ...errorHeadersOf(error, challenge),
  }
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? ''}\r\n${head.join('')}\r\n${body}`)
}

const ofThisHop = new Set(['upgrade', 'http2-settings'])

function withoutUpgrade(request: IncomingMessage): string {
  const { rawHeaders } = request
  const lines = rawHeaders.flatMap((name, index) => {
    const value = rawHeaders[index + 1] ?? ''
    if (index % 2 === 1 || ofThisHop.has(name.toLowerCase())) return []
    if (name.toLowerCase() !== 'connection') return [`${name}: ${value}`]
    const options = value.split(',').map((option) => option.trim())
    return [`${name}: ${options.filter((option) => !ofThisHop.has(option.toLowerCase())).join(', ')}`]
  })
  return [`${request.method} ${request.url} HTTP/${request.httpVersion}`, ...lines, '', ''].join('\r\n')
}

/**
 * Lets the server answer the request as if it had not asked to upgrade. RFC 9110 §7.8: "A server MAY ignore a received
 * Upgrade header field if it wishes to continue using the current protocol on that connection". Node hands every
 * request with Upgrade to whoever listens for any; clients that offer h2c with each request need their answer.
 */
export function passOn(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  socket.unshift(Buffer.concat([Buffer.from(withoutUpgrade(request), 'latin1'), head]))
  server.emit('connection', socket)
}
