import { createServer, type RequestListener, type Server } from 'node:http'
import { limits } from './limits.ts'

/** The server under every listener, with its bounds of time and size. */
export function makeBoundedServer(listener?: RequestListener): Server {
  const server = createServer({ maxHeaderSize: limits.requestHeaderBytesMax }, listener)
  // A client that trickles its request is cut off; the longest honest one is a 2 MB package on a slow line.
  server.requestTimeout = limits.requestMs
  server.headersTimeout = limits.requestHeadersMs
  server.keepAliveTimeout = limits.requestIdleMs
  return server
}
