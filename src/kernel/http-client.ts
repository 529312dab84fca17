import { lookup as dnsLookup, type LookupAddress } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { Agent, type Dispatcher, errors } from 'undici'
import { findRefusedAddress } from './address.ts'
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

// Vets every answer and connects to one that was vetted: a second look-up between check and use (DNS rebinding)
// cannot happen, and a name that mixes public and private answers is refused as a whole.
function guardedLookup(allowLoopback: boolean): LookupFunction {
  return (hostname, options, callback) => {
    dnsLookup(hostname, { all: true, verbatim: true }, (error, addresses: LookupAddress[]) => {
      if (error !== null) return callback(error, '', 0)
      const all = addresses.map(({ address }) => address)
      if (all.length === 0 || findRefusedAddress(all, allowLoopback) !== null) {
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
  return isIP(host) !== 0 && findRefusedAddress([host], allowLoopback) !== null
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
  const code = 'code' in error ? String(error.code) : ''
  return failureByCode.find(([pattern]) => pattern.test(code))?.[1] ?? 'reset'
}

type IncomingHeaders = Readonly<Record<string, string | string[] | undefined>>

function flatten(headers: IncomingHeaders): Readonly<Record<string, string>> {
  const flat: Record<string, string> = {}
  for (const name of Object.keys(headers)) {
    const value = headers[name]
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return flat
}

/** Where a URL leads, parsed and looked at once. */
interface Target {
  readonly origin: string
  readonly path: string
  readonly hostname: string
  readonly isRefused: boolean
}

const targetsMax = 1_000

/** Remembers the targets of the URLs that are called again and again. */
function makeTargets(allowLoopback: boolean): (url: string) => Target {
  const known = new Map<string, Target>()
  return (text) => {
    const target = known.get(text)
    if (target !== undefined) return target
    const url = new URL(text)
    const made = {
      origin: url.origin,
      path: url.pathname + url.search,
      hostname: url.hostname,
      isRefused: literalIsRefused(url, allowLoopback),
    }
    if (known.size >= targetsMax) known.clear()
    known.set(text, made)
    return made
  }
}

type Answer = Omit<Extract<HttpOutcome, { kind: 'response' }>, 'kind' | 'durationMs'>
type Ending = { readonly answer: Answer } | { readonly reason: HttpFailure; readonly message: string }

function failed(error: unknown): Ending {
  return { reason: failureOf(error), message: error instanceof Error ? error.message : 'unknown failure' }
}

function toOutcome(ending: Ending, durationMs: number): HttpOutcome {
  if (!('answer' in ending)) return { kind: 'failed', ...ending, durationMs }
  const { status, headers, body, bodyTruncated } = ending.answer
  return { kind: 'response', status, headers, body, bodyTruncated, durationMs }
}

/** One request and what has come back of it so far. */
interface Exchange {
  readonly call: HttpRequest
  readonly end: (ending: Ending) => void
  timer: NodeJS.Timeout | null
  controller: Dispatcher.DispatchController | null
  ended: boolean
  status: number
  headers: IncomingHeaders
  chunks: Buffer[]
  size: number
}

function finish(x: Exchange, ending: Ending): void {
  if (x.ended) return
  x.ended = true
  if (x.timer !== null) clearTimeout(x.timer)
  x.end(ending)
}

/** Ends it now; whatever is left goes with its socket. */
function cut(x: Exchange, ending: Ending): void {
  finish(x, ending)
  x.controller?.abort(new errors.RequestAbortedError())
}

function answerOf({ status, headers, chunks, call }: Exchange, bodyTruncated: boolean): Answer {
  const bytes = chunks.length > 1 ? Buffer.concat(chunks) : chunks[0]
  const body = bytes === undefined ? '' : bytes.toString('utf8', 0, call.responseBytesMax)
  return { status, headers: flatten(headers), body, bodyTruncated }
}

/**
 * One exchange on undici's own level: `request` would make a stream and an abort signal for each. The deadline is one
 * timer over everything from here on: waiting for a connection, the answer, and its body however slowly it drips.
 */
function exchange(call: HttpRequest, end: (ending: Ending) => void): Dispatcher.DispatchHandler {
  const x: Exchange = {
    call,
    end,
    timer: null,
    controller: null,
    ended: false,
    status: 0,
    headers: {},
    chunks: [],
    size: 0,
  }
  x.timer = setTimeout(() => {
    cut(x, { reason: 'timeout', message: `no whole answer within ${call.timeoutMs} ms` })
  }, call.timeoutMs)
  return {
    onRequestStart(controller) {
      x.controller = controller
      // It waited for a connection for longer than it had.
      if (x.ended) controller.abort(new errors.RequestAbortedError())
    },
    onResponseStart(_controller, status, headers) {
      // RFC 9110 §15.2: "A client MUST be able to parse one or more 1xx responses received prior to a final response".
      if (status < 200) return
      x.status = status
      x.headers = headers
    },
    onResponseData(_controller, chunk) {
      x.chunks.push(chunk)
      x.size += chunk.byteLength
      if (x.size > call.responseBytesMax) cut(x, { answer: answerOf(x, true) })
    },
    onResponseEnd() {
      finish(x, { answer: answerOf(x, false) })
    },
    onResponseError(_controller, error) {
      finish(x, failed(error))
    },
  }
}

/**
 * The only way out of the process over HTTP. Refuses addresses that are not public, never follows a redirect,
 * bounds connect, whole request and answer. Never throws for anything the peer does.
 */
export function makeHttpClient(options: HttpClientOptions): HttpClient {
  const { clock, allowLoopback } = options
  const targetOf = makeTargets(allowLoopback)
  const agent = new Agent({
    connections: options.connectionsMax,
    connect: { timeout: options.connectMs, lookup: guardedLookup(allowLoopback) },
    // The deadline of each exchange is shorter, or the caller asked for more.
    headersTimeout: 0,
    bodyTimeout: 0,
  })

  return {
    send(call) {
      const startedAtMs = clock.nowMs()
      return new Promise((resolve) => {
        const target = targetOf(call.url)
        if (target.isRefused) {
          const message = `${target.hostname} is not public`
          return resolve({ kind: 'failed', reason: 'address_refused', message, durationMs: 0 })
        }
        const { method, headers, body = null } = call
        agent.dispatch(
          { origin: target.origin, path: target.path, method, headers, body },
          // Without a name of its own: each of them is made once per request.
          exchange(call, (ending) => resolve(toOutcome(ending, clock.nowMs() - startedAtMs))),
        )
      })
    },
    close: () => agent.destroy(),
  }
}
