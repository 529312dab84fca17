import { lookup as dnsLookup, type LookupAddress } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { Agent, errors, request } from 'undici'
import { isLoopbackAddress, isPublicAddress } from './address.ts'
import type { Clock } from './clock.ts'
import { KernelErrors, StoaError } from './errors.ts'

export interface HttpRequest {
  readonly url: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /** From the first byte sent to the last byte of the answer's body. */
  readonly timeoutMs: number
  /** The answer's body is read up to here, then the connection is dropped. */
  readonly responseBytesMax: number
}

/**
 * `address_refused`: the URL names an address that the guard refuses, now and always. `name_refused`: a host name led to
 * one, which may be another a moment later. Nothing was sent in either case.
 */
export type HttpFailure = 'timeout' | 'address_refused' | 'name_refused' | 'dns' | 'connect' | 'tls' | 'reset'

/** An answer of any status is a value, and so is every expected failure. */
export type HttpOutcome =
  | {
      readonly kind: 'response'
      readonly status: number
      readonly headers: Readonly<Record<string, string>>
      readonly body: string
      readonly bodyTruncated: boolean
      readonly durationMs: number
    }
  | {
      readonly kind: 'failed'
      readonly reason: HttpFailure
      readonly message: string
      readonly durationMs: number
    }

export interface HttpClient {
  send(request: HttpRequest): Promise<HttpOutcome>
  close(): Promise<void>
}

export interface HttpClientOptions {
  readonly clock: Clock
  readonly connectMs: number
  /** Only for development on one machine and tests: 127.0.0.0/8 and ::1 are allowed too. */
  readonly allowLoopback: boolean
  /** Sockets kept per origin. */
  readonly connectionsMax: number
}

function allowed(address: string, allowLoopback: boolean): boolean {
  return isPublicAddress(address) || (allowLoopback && isLoopbackAddress(address))
}

// Vets every answer and connects to one that was vetted: a second look-up between check and use (DNS rebinding)
// cannot happen, and a name that mixes public and private answers is refused as a whole.
function guardedLookup(allowLoopback: boolean): LookupFunction {
  return (hostname, options, callback) => {
    dnsLookup(hostname, { all: true, verbatim: true }, (error, addresses: LookupAddress[]) => {
      if (error !== null) return callback(error, '', 0)
      if (addresses.length === 0 || addresses.some(({ address }) => !allowed(address, allowLoopback))) {
        return callback(KernelErrors.address_refused(`${hostname} has an address that is not public`), '', 0)
      }
      if (options.all === true) return callback(null, addresses)
      const first = addresses[0]
      return callback(null, first?.address ?? '', first?.family ?? 4)
    })
  }
}

function literalIsRefused(url: URL, allowLoopback: boolean): boolean {
  // The URL parser has already turned 0x7f.1, 2130706433 and the like into dotted form.
  const host = url.hostname.replace(/^\[|\]$/g, '')
  return isIP(host) !== 0 && !allowed(host, allowLoopback)
}

const failureByCode: readonly (readonly [RegExp, HttpFailure])[] = [
  [/^UND_ERR_.*TIMEOUT$/, 'timeout'],
  [/^(ENOTFOUND|EAI_AGAIN|ENODATA)$/, 'dns'],
  [/^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|EADDRNOTAVAIL)$/, 'connect'],
  [/CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO_VERIFY/, 'tls'],
]

function failureOf(error: unknown): HttpFailure {
  if (!(error instanceof Error)) return 'reset'
  // Only the look-up of a name throws one: addresses in the URL are vetted before.
  if (error instanceof StoaError || error.cause instanceof StoaError) return 'name_refused'
  if (error instanceof errors.ConnectTimeoutError) return 'connect'
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return 'timeout'
  const code = 'code' in error ? String(error.code) : ''
  return failureByCode.find(([pattern]) => pattern.test(code))?.[1] ?? 'reset'
}

interface CappedBody {
  readonly text: string
  readonly truncated: boolean
}

async function readCapped(body: AsyncIterable<Uint8Array>, bytesMax: number): Promise<CappedBody> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    size += chunk.byteLength
    if (size > bytesMax) break // leaving the loop destroys the stream and with it the socket
  }
  const bytes = Buffer.concat(chunks).subarray(0, bytesMax)
  return { text: bytes.toString('utf8'), truncated: size > bytesMax }
}

/**
 * The only way out of the process over HTTP. Refuses addresses that are not public, never follows a redirect,
 * bounds connect, whole request and answer. Never throws for anything the peer does.
 */
export function makeHttpClient(options: HttpClientOptions): HttpClient {
  const { clock, allowLoopback } = options
  const agent = new Agent({
    connections: options.connectionsMax,
    connect: { timeout: options.connectMs, lookup: guardedLookup(allowLoopback) },
  })

  async function exchange(call: HttpRequest, startedAtMs: number): Promise<HttpOutcome> {
    const response = await request(call.url, {
      dispatcher: agent,
      method: call.method,
      headers: call.headers,
      body: call.body ?? null,
      signal: AbortSignal.timeout(call.timeoutMs),
      headersTimeout: call.timeoutMs,
      bodyTimeout: call.timeoutMs,
    })
    const { text, truncated } = await readCapped(response.body, call.responseBytesMax)
    const headers: Record<string, string> = {}
    for (const [name, value] of Object.entries(response.headers)) {
      if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
    }
    const durationMs = clock.nowMs() - startedAtMs
    return {
      kind: 'response',
      status: response.statusCode,
      headers,
      body: text,
      bodyTruncated: truncated,
      durationMs,
    }
  }

  return {
    async send(call) {
      const startedAtMs = clock.nowMs()
      const failed = (reason: HttpFailure, message: string): HttpOutcome => ({
        kind: 'failed',
        reason,
        message,
        durationMs: clock.nowMs() - startedAtMs,
      })
      const url = new URL(call.url)
      if (literalIsRefused(url, allowLoopback))
        return failed('address_refused', `${url.hostname} is not public`)
      try {
        return await exchange(call, startedAtMs)
      } catch (error) {
        return failed(failureOf(error), error instanceof Error ? error.message : 'unknown failure')
      }
    },
    close: () => agent.destroy(),
  }
}
