/**
 * A third-party backend: gets its token by OAuth, its events by signed webhooks or by WebSocket, and prints each paid
 * order once, also those whose webhook never arrived. Settings come from the environment; README.md lists them.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Webhook } from 'standardwebhooks'
import { type Arrival, type Inbox, openInbox, type StoaEvent } from './inbox.ts'
import { type Installation, makeOAuthClient, type OAuthClient } from './oauth.ts'
import { followStream, makeHealer } from './stream.ts'

function setting(name: string, fallback?: string): string {
  const value = process.env[name] ?? fallback
  if (value === undefined || value === '') {
    process.stderr.write(`order-printer: set ${name}\n`)
    process.exit(1)
  }
  return value
}

const host = setting('HOST', '127.0.0.1')
const port = Number(setting('PORT', '4100'))
const stoaUrl = setting('STOA_URL', 'http://localhost:4000')
const transport = setting('TRANSPORT', 'webhook')
const stateFile = process.env['STATE_FILE'] ?? null
const ownUrl = `http://${host}:${port}`
const scope = 'order:read customer:read'
const bodyBytesMax = 256 * 1024

// A real backend keeps them in its database.
const installations = new Map<string, Installation>()

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    chunks.push(chunk as Buffer)
    size += (chunk as Buffer).byteLength
    if (size > bodyBytesMax) throw new Error('body too large')
  }
  return Buffer.concat(chunks).toString('utf8')
}

function print(line: unknown): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

async function readOrder(oauth: OAuthClient, merchantId: string, orderId: string): Promise<unknown> {
  const installation = installations.get(merchantId)
  if (installation === undefined) return null
  const live = await oauth.fresh(installation)
  installations.set(merchantId, live)
  const response = await oauth.request(live.accessToken, 'GET', `/v1/orders/${orderId}`)
  if (!response.ok) throw new Error(`GET /v1/orders answered ${response.status}`)
  return response.json()
}

async function handle(oauth: OAuthClient, { event, sequence, via }: Arrival): Promise<void> {
  const order = event.type === 'order.paid' ? await readOrder(oauth, event.merchantid, event.subject) : null
  // Pull and socket need no signature: we asked, over a connection of our own.
  const signature = via === 'webhook' ? { signature: 'verified' } : {}
  const { type: printed, subject, id: webhookId } = event
  print({ printed, subject, webhookId, sequence, via, ...signature, order })
}

interface Backend {
  readonly oauth: OAuthClient
  readonly inbox: Inbox
  readonly healer: ReturnType<typeof makeHealer>
}

async function receive(backend: Backend, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await readBody(request)
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
  )
  let event: StoaEvent
  try {
    event = new Webhook(setting('WEBHOOK_SECRET')).verify(body, headers) as StoaEvent
  } catch {
    print({ refused: 'signature', id: headers['webhook-id'] })
    response.writeHead(401).end()
    return
  }
  if (event.type === 'endpoint.challenge') {
    // Whoever knows the secret is whom the platform has given it to: the endpoint is ours.
    response.writeHead(200, { 'content-type': 'text/plain' })
    response.end((event.data as { readonly challenge: string }).challenge)
    return
  }
  // A test event stands in no stream.
  const sequence = Number(headers['webhook-sequence'] ?? 0)
  await backend.inbox.take({ sequence, event, via: 'webhook' })
  response.writeHead(204).end()
  backend.healer.look()
}

async function route(backend: Backend, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { oauth } = backend
  const url = new URL(request.url ?? '/', ownUrl)
  switch (`${request.method} ${url.pathname}`) {
    case 'GET /install': {
      response.writeHead(302, { location: (await oauth.begin(scope)).href }).end()
      return
    }
    case 'GET /callback': {
      const installation = await oauth.finish(url)
      installations.set(installation.merchantId, installation)
      print({
        connected: installation.installationId,
        merchantId: installation.merchantId,
        scope: installation.scope,
      })
      response
        .writeHead(200, { 'content-type': 'text/plain' })
        .end(`connected to ${installation.merchantId}\n`)
      return
    }
    case 'POST /webhooks':
      await receive(backend, request, response)
      return
    default:
      response.writeHead(404).end()
  }
}

function listen(backend: Backend): void {
  const server = createServer((request, response) => {
    route(backend, request, response).catch((error: unknown) => {
      print({ failed: error instanceof Error ? error.message : String(error) })
      if (!response.headersSent) response.writeHead(500)
      response.end()
    })
  })
  server.listen(port, host, () => {
    // First what came while nobody was here; webhooks that come meanwhile are taken too.
    void backend.healer.now().then(() => process.stdout.write(`order-printer listening on ${ownUrl}\n`))
  })
  process.once('SIGTERM', () => {
    server.close()
    server.closeAllConnections()
  })
}

async function main(): Promise<void> {
  const oauth = await makeOAuthClient({
    stoaUrl,
    clientId: setting('CLIENT_ID'),
    clientSecret: setting('CLIENT_SECRET'),
    redirectUri: `${ownUrl}/callback`,
  })
  const inbox = openInbox(stateFile, (arrival) => handle(oauth, arrival))
  const settings = { stoaUrl, oauth, inbox, print }
  if (transport === 'webhook') return listen({ oauth, inbox, healer: makeHealer(settings) })
  process.stdout.write(`order-printer follows ${stoaUrl}/v1/stream and listens nowhere\n`)
  process.once('SIGTERM', () => process.exit(0))
  await followStream(settings)
}

main().catch((error: unknown) => {
  process.stderr.write(`order-printer: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
})
