/**
 * The third party's backend, a process of its own: verifies each delivery and appends it to a file that is on the disk
 * before the answer goes out. `/deliveries/NAME` is an endpoint; the rest is how the run controls it.
 */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { Webhook } from 'standardwebhooks'
import { act, calm, chanceOf, goneEndpoint, type Mood } from './behaviour.ts'
import { answerJson, endWithParent, readBody, serve, setting } from './control.ts'
import { openJournal } from './journal.ts'
import type { Answer, ReceivedLine } from './lines.ts'

endWithParent(Number(setting('CHAOS_LIMIT_MS')))
const journal = await openJournal(setting('CHAOS_FILE'))
const seed = setting('CHAOS_SEED')

const webhooks = new Map<string, Webhook>()
/** Requests that will be answered `ok` and are not yet. */
const open = new Map<string, { readonly id: string; readonly port: number }>()
/** Events answered `ok`, with the time; the last minute of them. */
let answered: { readonly id: string; readonly atMs: number }[] = []
const taken = new Set<string>()
const failed = new Set<string>()
let mood: Mood = calm
let failuresLeft = 0
const answeredKeptMs = 60_000

interface Arrived {
  readonly endpoint: string
  readonly id: string
  readonly type: string
  readonly subject: string
  readonly sequence: number
  readonly attempt: number
  readonly arrivedMs: number
}

interface EventBody {
  readonly id: string
  readonly type: string
  readonly subject: string
}

/** Null: not signed by the endpoint's secret, or the body is another event's. */
function verify(endpoint: string, body: string, headers: IncomingMessage['headers']): EventBody | null {
  try {
    const event = webhooks.get(endpoint)?.verify(body, headers as Record<string, string>) as
      | EventBody
      | undefined
    return event !== undefined && event.id === headers['webhook-id'] ? event : null
  } catch {
    return null
  }
}

function chooseAnswer({ endpoint, id, attempt }: Arrived): Answer {
  if (endpoint === goneEndpoint) return 'gone'
  const { failing } = mood
  if (failing === null || failuresLeft === 0 || attempt > 1 || failed.has(id)) return 'ok'
  failuresLeft -= 1
  failed.add(id)
  return failing
}

async function takeIn(arrived: Arrived, port: number): Promise<void> {
  const request = randomUUID()
  open.set(request, { id: arrived.id, port })
  const [least, most] = mood.answerMs
  await sleep(least + (most - least) * chanceOf(seed, arrived.id))
  const atMs = Date.now()
  const line: ReceivedLine = { ...arrived, atMs, answer: 'ok' }
  await journal.append(line)
  taken.add(arrived.id)
  answered.push({ id: arrived.id, atMs })
  open.delete(request)
}

async function receive(endpoint: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await readBody(request)
  const arrivedMs = Date.now()
  const event = verify(endpoint, body, request.headers)
  const number = (name: string) => Number(request.headers[name])
  const arrived: Arrived = {
    endpoint,
    id: String(request.headers['webhook-id']),
    type: event?.type ?? '',
    subject: event?.subject ?? '',
    sequence: number('webhook-sequence'),
    attempt: number('webhook-attempt'),
    arrivedMs,
  }
  const answer = event === null ? 'refused' : chooseAnswer(arrived)
  if (answer === 'ok') await takeIn(arrived, request.socket.remotePort ?? 0)
  else await journal.append({ ...arrived, atMs: arrivedMs, answer } satisfies ReceivedLine)
  act(response, answer)
}

function inFlightSince(sinceMs: number) {
  answered = answered.filter(({ atMs }) => atMs > Date.now() - answeredKeptMs)
  const late = answered.filter(({ atMs }) => atMs >= sinceMs).map(({ id }) => id)
  const now = new Set([...open.values()].map(({ id }) => id))
  return { seenMs: Date.now(), open: now.size, ids: [...new Set([...now, ...late])] }
}

async function control(url: URL, request: IncomingMessage): Promise<unknown> {
  switch (url.pathname) {
    case '/state':
      return { ports: [...open.values()].map(({ port }) => port), taken: taken.size, failuresLeft }
    case '/in-flight':
      return inFlightSince(Number(url.searchParams.get('since')))
    case '/mood':
      mood = JSON.parse(await readBody(request)) as Mood
      failuresLeft = mood.failuresMax
      return {}
    case '/secret': {
      const { endpoint, secret } = JSON.parse(await readBody(request)) as { endpoint: string; secret: string }
      webhooks.set(endpoint, new Webhook(secret))
      return {}
    }
    default:
      throw new Error(`nothing is at ${url.pathname}`)
  }
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://receiver')
  const endpoint = /^\/deliveries\/([\w-]+)$/.exec(url.pathname)?.[1]
  if (endpoint === undefined) answerJson(response, await control(url, request))
  else await receive(endpoint, request, response)
}

await serve((request, response) => {
  handle(request, response).catch((error: unknown) => {
    // The sender was killed in the middle of its request; anything else is a defect of this program.
    if (request.destroyed && !request.complete) return
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
    response.destroy()
  })
})
