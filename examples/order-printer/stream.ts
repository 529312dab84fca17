import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import type { Inbox, StoaEvent } from './inbox.ts'
import type { OAuthClient } from './oauth.ts'

/** One place of the app's stream, as GET /v1/deliveries and the WebSocket say it. */
interface Place {
  readonly sequence: number
  /** Nothing to be had here, from `from` on. */
  readonly cancelled?: boolean
  readonly from?: number
  /** Not yet to be had: the platform holds this merchant's events back. */
  readonly held?: boolean
  readonly body?: string
}

interface Part {
  readonly data: readonly Place[]
  readonly hasMore: boolean
  readonly nextAfter: number
  readonly cursor: number
}

export interface StreamSettings {
  readonly stoaUrl: string
  readonly oauth: OAuthClient
  readonly inbox: Inbox
  print(line: unknown): void
}

async function takePlace(inbox: Inbox, place: Place, via: 'pull' | 'websocket'): Promise<void> {
  const { sequence, cancelled, from = sequence, held, body } = place
  // As if it had not come yet: it stays missing, and the next look asks for it again.
  if (held === true) return
  if (cancelled === true || body === undefined) return inbox.skip(from, sequence)
  return inbox.take({ sequence, event: JSON.parse(body) as StoaEvent, via })
}

async function call<T>({ oauth }: StreamSettings, path: string, body?: object): Promise<T> {
  const method = body === undefined ? 'GET' : 'POST'
  const response = await oauth.request(await oauth.appToken(), method, path, body)
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
  return (await response.json()) as T
}

/** Pulls what is missing, up to the end of the stream, and says up to where everything has been handled. */
async function heal(settings: StreamSettings): Promise<void> {
  const { inbox } = settings
  let after = inbox.doneUpTo()
  for (let hasMore = true; hasMore; ) {
    const part = await call<Part>(settings, `/v1/deliveries${after === null ? '' : `?after=${after}`}`)
    // The first time: what was acknowledged in an earlier life is done.
    if (after === null) await inbox.skip(1, part.cursor)
    for (const place of part.data) await takePlace(inbox, place, 'pull')
    after = part.nextAfter
    hasMore = part.hasMore
  }
  const sequence = inbox.doneUpTo() ?? 0
  if (sequence > 0) await call(settings, '/v1/deliveries:ack', { sequence })
}

/** Resolves when the socket has closed, for whatever reason. */
async function readSocket(settings: StreamSettings): Promise<string> {
  const { stoaUrl, oauth, inbox, print } = settings
  // The handshake of a WebSocket is a GET by http: that is the address the proof is for.
  const headers = await oauth.headersFor(await oauth.appToken(), 'GET', '/v1/stream')
  const url = `${stoaUrl.replace(/^http/, 'ws')}/v1/stream?after=${inbox.doneUpTo() ?? 0}`
  const socket = new WebSocket(url, { headers, followRedirects: false })
  let last: Promise<void> = Promise.resolve()
  socket.on('open', () => print({ socket: 'open', after: inbox.doneUpTo() ?? 0 }))
  socket.on('message', (text: Buffer) => {
    const message = JSON.parse(text.toString('utf8')) as Place & { readonly type?: string }
    if (message.type !== undefined) return
    last = last
      .then(() => takePlace(inbox, message, 'websocket'))
      .then(() => socket.send(JSON.stringify({ type: 'ack', sequence: inbox.doneUpTo() ?? 0 })))
      // Not handled, so not acknowledged: it comes again after the next connection.
      .catch(() => socket.close())
  })
  return new Promise((resolve) => {
    socket.on('error', (error) => resolve(error.message))
    socket.on('close', (code, reason) => resolve(`${code} ${reason.toString('utf8')}`))
  })
}

const reconnectMs = 1_000

/** Reads the stream by WebSocket for ever; nobody needs to reach this process from outside. */
export async function followStream(settings: StreamSettings): Promise<never> {
  for (;;) {
    try {
      // What was acknowledged before, and whatever the socket missed while it was away.
      await heal(settings)
      settings.print({ socket: 'closed', why: await readSocket(settings) })
    } catch (error) {
      settings.print({ socket: 'failed', why: error instanceof Error ? error.message : String(error) })
    }
    await sleep(reconnectMs)
  }
}

const patienceMs = 1_000

/** Heals now, and whenever a gap has stayed for a second: a webhook that overtook another is none yet. */
export function makeHealer(settings: StreamSettings): { look(): void; now(): Promise<void> } {
  let healing: Promise<void> | null = null
  let waiting = false

  const now = (): Promise<void> => {
    healing ??= heal(settings)
      .catch((error: unknown) => settings.print({ healing: 'failed', why: String(error) }))
      .finally(() => {
        healing = null
      })
    return healing
  }

  return {
    now,
    look() {
      if (waiting || !settings.inbox.hasGap()) return
      waiting = true
      setTimeout(() => {
        waiting = false
        if (settings.inbox.hasGap()) void now()
      }, patienceMs)
    },
  }
}
