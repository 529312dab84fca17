import type { IncomingMessage, Server } from 'node:http'
import { parse } from 'node:querystring'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { appOf, type Caller, CapabilityErrors } from '../capability/index.ts'
import {
  currentClientAddress,
  currentRequestId,
  type IdSource,
  limits,
  makePlaces,
  newId,
  type Places,
  withRequest,
} from '../kernel/index.ts'
import { type Authenticators, authenticate, credentialOf, presentsCredential } from './authenticate.ts'
import { challengeOf } from './challenge.ts'
import { HttpErrors } from './errors.ts'
import { toStoaError } from './problem-handler.ts'
import type { Meter } from './quota/meter.ts'
import { passOn, refuseUpgrade } from './refuse-upgrade.ts'
import {
  type Connection,
  type ConnectionDependencies,
  type Opening,
  serveConnection,
  socketTiming,
} from './socket-connection.ts'

export interface StreamSocketDependencies extends Omit<ConnectionDependencies, 'callerOf' | 'timing'> {
  readonly authenticators: Authenticators
  readonly ids: IdSource
  readonly meter: Meter
  /** Where a request came from, as far as the proxies in front are trusted. */
  clientAddress(request: IncomingMessage): string
  /** Default: what the limits say. */
  readonly timing?: ConnectionDependencies['timing'] | undefined
}

/** The WebSockets of one process. */
export interface StreamSockets {
  /** From now on this server's requests for /v1/stream may become sockets. */
  attach(server: Server): void
  /** Opens no more and closes those that are open, with 1001; resolves when all have ended. */
  close(): Promise<void>
}

const path = '/v1/stream'
const goingAway = 1001

interface State {
  readonly deps: StreamSocketDependencies
  readonly wss: WebSocketServer
  readonly places: Places
  readonly open: Set<Connection>
  stopping: boolean
}

type Asked = Pick<Opening, 'after' | 'partition' | 'caller' | 'appId'>

/** Goes through the door like any other call: rules, whose token it is, and whether the input can be. */
async function ask(s: State, url: URL, caller: Caller, requestId: string): Promise<Asked> {
  const input = parse(url.search.slice(1))
  const { output } = await s.deps.door.invoke('stream.open', { caller, input, via: 'rest', requestId })
  const { after } = output as { readonly after: number }
  return { after, partition: input['partition']?.toString(), caller, appId: appOf(caller).appId }
}

function takePlace(s: State, appId: string): void {
  const headers = { 'retry-after': '1' }
  const outcome = s.places.take(appId)
  if (outcome === 'key_is_full') throw HttpErrors.too_many_sockets(undefined, { headers })
  if (outcome === 'full') throw HttpErrors.no_room_for_sockets(undefined, { headers })
}

/** @throws what the caller is to be refused with */
async function admit(s: State, request: IncomingMessage, requestId: string): Promise<Opening> {
  if (s.stopping) throw HttpErrors.no_room_for_sockets('the platform is about to stop')
  // RFC 6455 §10.2: "Servers that are not intended to process input from any web page … SHOULD verify the |Origin|
  // field". No page is: its browser would hold the app's token.
  if (request.headers.origin !== undefined) throw HttpErrors.origin_refused()
  const asked = { method: 'GET', path, headers: request.headers }
  const metered = { address: currentClientAddress(), presents: presentsCredential(asked), response: null }
  const caller = await s.deps.meter.admit(metered, () => authenticate(asked, s.deps.authenticators))
  if (caller.kind === 'anonymous') throw CapabilityErrors.unauthenticated()
  const opening = await ask(s, new URL(request.url ?? '', 'http://any'), caller, requestId)
  takePlace(s, opening.appId)
  return { ...opening, token: credentialOf(asked)?.token ?? '', requestId }
}

async function upgrade(s: State, request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
  const { deps } = s
  const requestId = currentRequestId() ?? ''
  try {
    const opening = await admit(s, request, requestId)
    const leave = () => s.places.leave(opening.appId)
    if (socket.destroyed) return leave()
    // Whatever ends it, also a handshake that the library refuses.
    socket.once('close', leave)
    s.wss.handleUpgrade(request, socket, head, (ws) => {
      const { timing = socketTiming, authenticators } = deps
      const connection = serveConnection(
        { ...deps, timing, callerOf: authenticators.accessTokenHolder },
        opening,
        ws,
      )
      s.open.add(connection)
      void connection.ended.then(() => s.open.delete(connection))
      if (s.stopping) connection.close(goingAway, 'the platform stops')
    })
  } catch (error) {
    const known = toStoaError(error)
    if (known.status >= 500) deps.log.error({ err: error }, 'http.upgrade_failed')
    const challenge = challengeOf({ path, headers: request.headers }, deps.authenticators.challenge, known)
    refuseUpgrade(socket, known, { requestId, challenge })
  }
}

function isForUs({ method, url = '', headers }: IncomingMessage): boolean {
  const [asked] = url.split('?')
  return method === 'GET' && asked === path && headers.upgrade?.toLowerCase() === 'websocket'
}

/** Makes the sockets of one process: an app's stream, message by message. Counts are of this process. */
export function makeStreamSockets(deps: StreamSocketDependencies): StreamSockets {
  const s: State = {
    deps,
    wss: new WebSocketServer({
      noServer: true,
      clientTracking: false,
      // A body is small or its compression costs more memory per socket than the body has.
      perMessageDeflate: false,
      maxPayload: limits.socketMessageBytesMax,
      handleProtocols: () => false,
    }),
    places: makePlaces({ perKeyMax: limits.socketsPerAppMax, max: limits.socketsMax }),
    open: new Set(),
    stopping: false,
  }
  return {
    attach(server) {
      server.on('upgrade', (request, socket, head) => {
        if (!isForUs(request)) return passOn(server, request, socket, head)
        // Whoever hangs up during the handshake has no answer to get.
        socket.on('error', () => undefined)
        const requestId = newId('request', deps.ids)
        const clientAddress = deps.clientAddress(request)
        void withRequest({ requestId, clientAddress }, () => upgrade(s, request, socket, head))
      })
    },
    async close() {
      s.stopping = true
      for (const connection of s.open) connection.close(goingAway, 'the platform stops')
      await Promise.all([...s.open].map(({ ended }) => ended))
    },
  }
}
