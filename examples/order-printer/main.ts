/**
 * A third-party backend: gets its token by OAuth, its events by signed webhooks, and prints each paid order once.
 * Settings come from the environment: PORT, HOST, STOA_URL, CLIENT_ID, CLIENT_SECRET, WEBHOOK_SECRET.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Webhook } from 'standardwebhooks'
import { type Installation, makeOAuthClient, type OAuthClient } from './oauth.ts'

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
const ownUrl = `http://${host}:${port}`
const scope = 'order:read customer:read'
const bodyBytesMax = 256 * 1024

/** The event's body: CloudEvents 1.0 in JSON. */
interface StoaEvent {
  readonly id: string
  readonly type: string
  readonly subject: string
  readonly merchantid: string
  readonly data: unknown
}

// A real backend keeps both in its database.
const installations = new Map<string, Installation>()
const seen = new Set<string>()

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
  const response = await fetch(`${stoaUrl}/v1/orders/${orderId}`, {
    headers: { authorization: `Bearer ${live.accessToken}` },
  })
  if (!response.ok) throw new Error(`GET /v1/orders answered ${response.status}`)
  return response.json()
}

async function receive(
  oauth: OAuthClient,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
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
  // At least once means sometimes twice: the webhook-id is the same then.
  if (!seen.has(event.id)) {
    const order = event.type === 'order.paid' ? await readOrder(oauth, event.merchantid, event.subject) : null
    seen.add(event.id)
    print({ printed: event.type, subject: event.subject, webhookId: event.id, signature: 'verified', order })
  }
  response.writeHead(204).end()
}

async function route(oauth: OAuthClient, request: IncomingMessage, response: ServerResponse): Promise<void> {
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
      await receive(oauth, request, response)
      return
    default:
      response.writeHead(404).end()
  }
}

async function main(): Promise<void> {
  const oauth = await makeOAuthClient({
    stoaUrl,
    clientId: setting('CLIENT_ID'),
    clientSecret: setting('CLIENT_SECRET'),
    redirectUri: `${ownUrl}/callback`,
  })
  const server = createServer((request, response) => {
    route(oauth, request, response).catch((error: unknown) => {
      print({ failed: error instanceof Error ? error.message : String(error) })
      if (!response.headersSent) response.writeHead(500)
      response.end()
    })
  })
  server.listen(port, host, () => process.stdout.write(`order-printer listening on ${ownUrl}\n`))
  process.once('SIGTERM', () => {
    server.close()
    server.closeAllConnections()
  })
}

main().catch((error: unknown) => {
  process.stderr.write(`order-printer: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
})
