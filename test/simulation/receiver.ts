import { type HttpClient, type HttpOutcome, limits } from '../../src/kernel/index.ts'
import type { Lease } from './leases.ts'
import { type Owner, type Sim, type Step, timersOf } from './sim.ts'

/** One request on its way to a receiver. */
export interface Sent {
  readonly owner: Owner
  /** The lease under which it was sent; null: a person's resend. */
  readonly lease: Lease | null
  readonly url: string
  readonly eventId: string
  readonly sequence: number
  readonly attempt: number
  readonly body: string
  readonly sentAtMs: number
  readonly replayed: boolean
  /** The receiver has it and wants to say so. */
  taken: boolean
  /** Its answer has reached the sender. */
  answered: boolean
}

export interface Watcher {
  sent(request: Sent): void
  /** It is at the receiver; `taken` says whether it was taken. */
  arrived(request: Sent): Promise<void>
}

const moods = {
  well: { ok: 90, slow: 10, error: 0, busy: 0, hang: 0, hangTaken: 0, reset: 0, lost: 0, final: 0 },
  poor: { ok: 45, slow: 15, error: 12, busy: 8, hang: 5, hangTaken: 5, reset: 4, lost: 5, final: 1 },
  down: { ok: 3, slow: 2, error: 40, busy: 20, hang: 20, hangTaken: 5, reset: 8, lost: 2, final: 0 },
} as const

export type Mood = keyof typeof moods
type Deed = keyof (typeof moods)['well']

const finals = [
  { status: 410, headers: {} },
  { status: 500, headers: { 'webhook-delivery': 'disable' } },
  { status: 200, headers: { 'webhook-delivery': 'disable' } },
  { status: 400, headers: { 'webhook-delivery': 'abort-message' } },
] as const

function response(status: number, headers: Readonly<Record<string, string>> = {}): HttpOutcome {
  return { kind: 'response', status, headers, body: '', bodyTruncated: false, durationMs: 1 }
}

function failure(reason: 'timeout' | 'reset'): HttpOutcome {
  return { kind: 'failed', reason, message: reason, durationMs: 1 }
}

/** What the receiver answers; null: nothing, until the sender gives up. */
function answerOf(sim: Sim, deed: Deed): HttpOutcome | null {
  if (deed === 'ok' || deed === 'slow') return response(200)
  if (deed === 'error') return response(sim.chance.pick([500, 503, 302]))
  if (deed === 'busy') return response(429, { 'retry-after': sim.chance.pick(['0', '3', '90', 'soon']) })
  if (deed === 'hang' || deed === 'hangTaken') return null
  if (deed === 'reset' || deed === 'lost') return failure('reset')
  const { status, headers } = sim.chance.pick(finals)
  return response(status, headers)
}

function drawDeed(sim: Sim, mood: Mood): Deed {
  return sim.faulty ? sim.chance.weighted<Deed>(moods[mood]) : 'ok'
}

function nobodys(label: string, run: () => void): Step {
  return { label, owner: null, mayRun: () => true, run }
}

function isTaken(deed: Deed, outcome: HttpOutcome | null): boolean {
  if (outcome?.kind === 'response') return outcome.status === 200
  return deed === 'hangTaken' || deed === 'lost'
}

/** The way from one process to all receivers. `mood` says how they are at the moment. */
export function flakyHttp(
  sim: Sim,
  owner: Owner,
  has: {
    readonly mood: () => Mood
    readonly leaseAt: (url: string) => Lease | null
    /** Rows can be read. */
    readonly mayArrive: () => boolean
    readonly watcher: Watcher
  },
): HttpClient {
  async function arrive(sent: Sent, label: string, answer: (outcome: HttpOutcome) => void): Promise<void> {
    const deed = drawDeed(sim, has.mood())
    const outcome = answerOf(sim, deed)
    sent.taken = isTaken(deed, outcome)
    sim.note(`${label}: ${deed}`)
    await has.watcher.arrived(sent)
    if (outcome === null) return
    const give = () => answer(outcome)
    if (deed === 'slow') sim.steps.push(nobodys(`answer to ${label}`, give))
    else give()
  }

  function send(request: Parameters<HttpClient['send']>[0]): Promise<HttpOutcome> {
    const { url, headers, body = '' } = request
    const replayed = headers['webhook-replay'] !== undefined
    const sent: Sent = {
      ...{ owner, url, body, replayed, lease: replayed ? null : has.leaseAt(url), sentAtMs: sim.nowMs },
      eventId: headers['webhook-id'] ?? '',
      sequence: Number(headers['webhook-sequence']),
      attempt: Number(headers['webhook-attempt']),
      ...{ taken: false, answered: false },
    }
    has.watcher.sent(sent)
    return new Promise((resolve) => {
      let waits = true
      function answer(outcome: HttpOutcome): void {
        if (!waits || !owner.alive) return
        waits = false
        cancel()
        sent.answered = outcome.kind === 'response'
        resolve(outcome)
      }
      const cancel = timersOf(sim, owner).after(limits.webhookRequestMs, () => answer(failure('timeout')))
      const label = `request ${sent.sequence} attempt ${sent.attempt} at ${url} by ${owner.name}`
      // Its sender has gone: it may have left the machine, or not.
      const isLeft = () => (!waits || !owner.alive) && sim.chance.is(0.5)
      const run = async () => {
        if (!isLeft()) await arrive(sent, label, answer)
      }
      sim.steps.push({ label, owner: null, mayRun: has.mayArrive, run })
    })
  }
  return { send, close: () => Promise.resolve() }
}
