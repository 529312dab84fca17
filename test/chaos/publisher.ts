/**
 * The host's own system, a process of its own: publishes by public HTTP, repeats each request until it is acknowledged,
 * and appends what was acknowledged to a file that is on the disk before it goes on. It publishes as much as it is
 * allowed, so that a run can strike while it is at work.
 */
import { answerJson, endWithParent, readBody, serve, setting } from './control.ts'
import { openJournal } from './journal.ts'
import { eventsPerUnit, type Lane, makeSend, publishUnit } from './publish.ts'

endWithParent(Number(setting('CHAOS_LIMIT_MS')))
const journal = await openJournal(setting('CHAOS_FILE'))
const lanes = JSON.parse(setting('CHAOS_LANES')) as readonly Lane[]
const units = Math.ceil(Number(setting('CHAOS_EVENTS')) / eventsPerUnit)
const atOnce = Number(setting('CHAOS_AT_ONCE'))

let allowed = 0
let begun = 0
let acknowledged = 0
let retries = 0
let failure: string | null = null
let wake: () => void = () => undefined
let more = new Promise<void>((resolve) => {
  wake = resolve
})

const send = makeSend(setting('CHAOS_BASE_URL'), setting('CHAOS_HOST_KEY'), () => {
  retries += 1
})

async function publishOnLane(number: number): Promise<void> {
  const lane = lanes[number % lanes.length]
  if (lane === undefined) throw new Error('no lanes')
  const { endpoint, ordered, merchantId } = lane
  await publishUnit(send, { number, merchantId }, async (...events) => {
    const atMs = Date.now()
    await journal.append(...events.map((event) => ({ endpoint, ordered, ...event, atMs })))
    acknowledged += events.length
  })
}

async function work(): Promise<void> {
  while (begun < units) {
    if (begun * eventsPerUnit >= allowed) {
      await more
      continue
    }
    begun += 1
    await publishOnLane(begun - 1)
  }
}

function allow(upTo: number): void {
  allowed = Math.max(allowed, upTo)
  wake()
  more = new Promise((resolve) => {
    wake = resolve
  })
}

await serve((request, response) => {
  void readBody(request).then((body) => {
    if (request.url === '/allow') allow((JSON.parse(body) as { upTo: number }).upTo)
    answerJson(response, {
      acknowledged,
      retries,
      failure,
      isDone: acknowledged >= units * eventsPerUnit,
    })
  })
})

Promise.all(Array.from({ length: atOnce }, work)).catch((error: unknown) => {
  failure = error instanceof Error ? error.message : String(error)
})
