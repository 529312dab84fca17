import type { RawData, WebSocket } from 'ws'
import type { Caller, Door } from '../capability/index.ts'
import { type Log, limits, type StoaError } from '../kernel/index.ts'
import { toStoaError } from './problem-handler.ts'

/** The times of a socket, each a row of the limits. */
export interface SocketTiming {
  readonly pingMs: number
  readonly pongMs: number
  readonly recheckMs: number
  readonly stuckMs: number
  readonly closeMs: number
}

export const socketTiming: SocketTiming = {
  pingMs: limits.socketPingMs,
  pongMs: limits.socketPongMs,
  recheckMs: limits.socketRecheckMs,
  stuckMs: limits.socketStuckMs,
  closeMs: limits.socketCloseMs,
}

export interface ConnectionDependencies {
  readonly door: Door
  readonly log: Log
  readonly timing: SocketTiming
  /** Who the token stands for now; null: nobody any more. */
  callerOf(token: string): Promise<Caller | null>
  /** True as soon as the app's stream holds more than `sequence`; false when time is up or the signal is aborted. */
  waitForMore(appId: string, sequence: bigint, wait: Wait): Promise<boolean>
}

interface Wait {
  readonly timeoutMs: number | null
  readonly signal: AbortSignal
}

/** What was agreed on when the socket was opened. */
export interface Opening {
  readonly token: string
  readonly appId: string
  readonly caller: Caller
  readonly requestId: string
  /** The messages begin after this sequence. */
  readonly after: number
  readonly partition: string | undefined
}

/** One open socket, from outside. */
export interface Connection {
  /** Says why and ends, at the latest after `timing.closeMs`. */
  close(code: number, reason: string): void
  readonly ended: Promise<void>
}

interface State {
  readonly deps: ConnectionDependencies
  readonly opening: Opening
  readonly ws: WebSocket
  /** Aborted when the socket closes: nothing more is read for it. */
  readonly closing: AbortController
  caller: Caller
  /** Acknowledged by the app and not yet noted; of several only the highest counts. */
  toAcknowledge: number | null
  acknowledging: boolean
  /** A ping is on its way or waits for its answer. */
  pinged: boolean
  /** Deliveries and markers handed to the socket. */
  sent: number
  /** Why we closed it; null: the app did. */
  reason: string | null
  pongTimer: NodeJS.Timeout | null
}

/** Members of an answer of stream.read that a socket goes by. */
interface Part {
  readonly data: readonly object[]
  readonly nextAfter: number
  readonly lastSequence: number
}

// RFC 6455 §7.4.2: "Status codes in the range 4000-4999 are reserved for private use". These end like the HTTP status
// of the same refusal; 1003, 1009, 1011 and 1013 are of IANA's registry.
const closeCodes = { badMessage: 4400, tokenEnded: 4401, refused: 4403, timeOut: 4408 } as const
const unsupportedData = 1003
const internalError = 1011
const tryAgainLater = 1013

function closeCodeOf({ status }: StoaError): number {
  if (status === 401) return closeCodes.tokenEnded
  if (status === 403) return closeCodes.refused
  if (status === 503 || status === 429) return tryAgainLater
  return status >= 500 ? internalError : closeCodes.badMessage
}

/** Nothing more is read; a peer that does not answer the close frame is cut off. */
function endSoon(s: State): void {
  s.closing.abort()
  setTimeout(() => s.ws.terminate(), s.deps.timing.closeMs).unref()
}

function close(s: State, code: number, reason: string): void {
  if (s.closing.signal.aborted) return
  s.reason = reason
  s.ws.close(code, reason)
  endSoon(s)
}

function closeWith(s: State, error: unknown): void {
  const known = toStoaError(error)
  if (known.status >= 500) s.deps.log.error({ err: error, appId: s.opening.appId }, 'http.socket_failed')
  close(s, closeCodeOf(known), known.code)
}

async function invoke(s: State, operationId: string, input: object): Promise<unknown> {
  const { requestId, partition } = s.opening
  const { output } = await s.deps.door.invoke(operationId, {
    caller: s.caller,
    input: { ...input, ...(partition === undefined ? {} : { partition }) },
    via: 'rest',
    requestId,
    signal: s.closing.signal,
  })
  return output
}

// ── to the app

/** Resolves when the peer's side of the connection has taken the message. */
function send(s: State, message: object): Promise<void> {
  return new Promise((resolve) => s.ws.send(JSON.stringify(message), () => resolve()))
}

/** Nothing is read for a peer that does not take what it has got; one that takes nothing at all is closed. */
async function whenTaken(s: State, sent: Promise<void>): Promise<void> {
  if (s.ws.bufferedAmount <= limits.socketBufferBytesMax) return
  const timer = setTimeout(() => close(s, closeCodes.timeOut, 'stuck'), s.deps.timing.stuckMs)
  await sent
  clearTimeout(timer)
}

async function pump(s: State): Promise<void> {
  const { signal } = s.closing
  let { after } = s.opening
  while (!signal.aborted) {
    const part = (await invoke(s, 'stream.read', { after, limit: limits.socketBatchMax })) as Part
    if (signal.aborted) return
    const sent = part.data.map((message) => send(s, message))
    s.sent += sent.length
    await whenTaken(s, sent.at(-1) ?? Promise.resolve())
    after = part.nextAfter
    if (part.data.length === 0 || after === part.lastSequence) await nextTurn(s, part)
  }
}

function nextTurn(s: State, { nextAfter, lastSequence }: Part): Promise<unknown> {
  const { signal } = s.closing
  const wait = (sequence: number, timeoutMs: number | null) =>
    s.deps.waitForMore(s.opening.appId, BigInt(sequence), { timeoutMs, signal })
  // There is more and nothing of it may be shown: a rule holds the app's deliveries back, and only time can end that.
  return nextAfter < lastSequence
    ? wait(Number.MAX_SAFE_INTEGER, s.deps.timing.recheckMs)
    : wait(nextAfter, null)
}

// ── from the app

function textOf(data: RawData): string {
  return Buffer.isBuffer(data) ? data.toString('utf8') : Buffer.concat(data as Buffer[]).toString('utf8')
}

/** The sequence of `{"type":"ack","sequence":n}`; null: it is something else. */
export function parseAcknowledgement(text: string): number | null {
  let message: unknown
  try {
    message = JSON.parse(text)
  } catch {
    return null
  }
  if (typeof message !== 'object' || message === null) return null
  const { type, sequence } = message as Readonly<Record<string, unknown>>
  return type === 'ack' && Number.isSafeInteger(sequence) && Number(sequence) >= 0 ? Number(sequence) : null
}

/** One at a time: acknowledgements that come meanwhile are one more at most. */
async function acknowledge(s: State): Promise<void> {
  if (s.acknowledging) return
  s.acknowledging = true
  while (s.toAcknowledge !== null && !s.closing.signal.aborted) {
    const sequence = s.toAcknowledge
    s.toAcknowledge = null
    const { cursor } = (await invoke(s, 'stream.acknowledge', { sequence })) as { readonly cursor: number }
    await send(s, { type: 'acked', cursor })
  }
  s.acknowledging = false
}

function onMessage(s: State, data: RawData, isBinary: boolean): void {
  // RFC 6455 §7.4.1: 1003 "has received a type of data it cannot accept".
  const sequence = isBinary ? null : parseAcknowledgement(textOf(data))
  if (sequence === null) {
    if (isBinary) close(s, unsupportedData, 'send text')
    else close(s, closeCodes.badMessage, 'http.malformed_message')
    return
  }
  s.toAcknowledge = Math.max(s.toAcknowledge ?? 0, sequence)
  acknowledge(s).catch((error: unknown) => closeWith(s, error))
}

// ── whether both sides still may and can

function ping(s: State): void {
  // The one before has not been answered; its own time runs.
  if (s.pinged) return
  s.pinged = true
  // From when the peer's side has taken it: behind a batch of deliveries it may stand for a while.
  s.ws.ping(undefined, undefined, () => {
    if (s.closing.signal.aborted) return
    const giveUp = () => close(s, closeCodes.timeOut, 'no pong')
    s.pongTimer = setTimeout(giveUp, s.deps.timing.pongMs)
  })
}

function onPong(s: State): void {
  if (s.pongTimer !== null) clearTimeout(s.pongTimer)
  s.pongTimer = null
  s.pinged = false
}

async function recheck(s: State): Promise<void> {
  try {
    const caller = await s.deps.callerOf(s.opening.token)
    if (caller === null) close(s, closeCodes.tokenEnded, 'capability.unauthenticated')
    else s.caller = caller
  } catch (error) {
    // A database that is away shows nothing either; the next check decides.
    s.deps.log.warn({ err: error, appId: s.opening.appId }, 'http.socket_not_rechecked')
  }
}

/** Serves a socket until it ends: deliveries out, acknowledgements in. */
export function serveConnection(deps: ConnectionDependencies, opening: Opening, ws: WebSocket): Connection {
  const s: State = {
    ...{ deps, opening, ws, closing: new AbortController(), caller: opening.caller },
    ...{ toAcknowledge: null, acknowledging: false },
    ...{ pinged: false, pongTimer: null, sent: 0, reason: null },
  }
  const timers = [
    setInterval(() => ping(s), deps.timing.pingMs),
    setInterval(() => void recheck(s), deps.timing.recheckMs),
  ]
  const openedAt = performance.now()
  const ended = new Promise<void>((resolve) => {
    ws.once('close', (code) => {
      s.closing.abort()
      onPong(s)
      for (const timer of timers) clearInterval(timer)
      const durationMs = Math.round(performance.now() - openedAt)
      const { sent, reason } = s
      deps.log.info({ appId: opening.appId, code, reason, sent, durationMs }, 'http.socket_closed')
      resolve()
    })
  })
  ws.on('message', (data, isBinary) => onMessage(s, data, isBinary))
  ws.on('pong', () => onPong(s))
  // What is no WebSocket frame, no UTF-8 or too long: the library has closed with 1002, 1007 or 1009.
  ws.on('error', () => endSoon(s))
  pump(s).catch((error: unknown) => closeWith(s, error))
  return { close: (code, reason) => close(s, code, reason), ended }
}
