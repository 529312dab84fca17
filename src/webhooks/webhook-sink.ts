import {
  neverDueMs,
  type Outcome,
  type OutgoingDelivery,
  type Receiver,
  type RecordedResult,
  type Sink,
} from '../events/index.ts'
import { limits } from '../kernel/index.ts'
import type { WebhookSinkDependencies } from './dependencies.ts'
import { openSecret } from './secret.ts'
import { sendDelivery, type Target } from './send-delivery.ts'
import { signerOf } from './sign.ts'
import { pauseByItself, stopByItself } from './state/change-by-itself.ts'
import { isFault, pauseReasonOf } from './state/judge-results.ts'
import { concludeProbe } from './state/probe.ts'
import type { ReceiverRow } from './store.ts'

// How exact "last success" is: one write in ten seconds, not one per batch.
const healthMs = 10_000

/** What this batch's receiver knows beyond the row that it was opened from. */
interface Mood {
  probing: boolean
  /** Nothing more is sent by it: the endpoint was paused, stopped or is not back yet. The next batch opens anew. */
  closed: 'no' | 'paused' | 'stopped'
  /** Whether the row says so too that it has stopped: the database may have failed. */
  rowStopped: Promise<boolean>
  /** What its row has last been told: a batch is recorded in parts, and one word is enough. */
  noted: 'success' | 'failure' | null
}

/** The delivery is left where it is, to whoever opens the endpoint next; or to be pulled, when it has stopped. */
function leftAlone(closed: 'paused' | 'stopped', nowMs: number): Outcome {
  const delayMs = closed === 'stopped' ? neverDueMs - nowMs : 0
  return { kind: 'deferred', delayMs, reason: `webhooks.endpoint_${closed}` }
}

async function deliver(
  deps: WebhookSinkDependencies,
  { endpoint, target, mood }: { endpoint: ReceiverRow; target: Target; mood: Mood },
  delivery: OutgoingDelivery,
): Promise<Outcome> {
  if (mood.closed !== 'no') {
    // Left to be pulled for ever only if that is where everything else is left.
    const isLeftToPull = mood.closed === 'stopped' && (await mood.rowStopped)
    return leftAlone(isLeftToPull ? 'stopped' : 'paused', deps.clock.nowMs())
  }
  const { outcome, stop } = await sendDelivery(deps, target, delivery)
  // Both before it is recorded: no further batch may find the endpoint as it was.
  if (stop !== null) {
    mood.closed = 'stopped'
    const stopped = stopByItself(deps, endpoint, stop)
    mood.rowStopped = stopped.then(
      () => true,
      () => false,
    )
    await stopped
    return outcome
  }
  if (!mood.probing) return outcome
  const probe = await concludeProbe(deps, endpoint, outcome)
  mood.probing = !probe.resumed
  if (probe.outcome.kind === 'deferred') mood.closed = 'paused'
  return probe.outcome
}

function isWorthNoting(endpoint: ReceiverRow, delivered: boolean, nowMs: number): boolean {
  if (!delivered) return endpoint.failingSinceMs === null
  return endpoint.failingSinceMs !== null || nowMs - (endpoint.lastSuccessAtMs ?? 0) > healthMs
}

async function note(
  { endpoints, clock }: WebhookSinkDependencies,
  { endpoint, mood }: { readonly endpoint: ReceiverRow; readonly mood: Mood },
  results: readonly RecordedResult[],
): Promise<void> {
  const delivered = results.some(({ outcome }) => outcome.kind === 'delivered')
  if (!delivered && !results.some(({ outcome }) => isFault(outcome))) return
  const nowMs = clock.nowMs()
  const word = delivered ? 'success' : 'failure'
  const isNew = mood.noted === null ? isWorthNoting(endpoint, delivered, nowMs) : mood.noted !== word
  if (!isNew) return
  mood.noted = word
  await endpoints.noteHealth(endpoint, { delivered, nowMs })
}

/** The way out to HTTPS endpoints: Standard Webhooks 1.0.0, one POST per attempt. */
export function webhookSink(deps: WebhookSinkDependencies): Sink {
  const { endpoints, clock, secretKey } = deps
  return {
    async open({ streamId }): Promise<Receiver | null> {
      const endpoint = await endpoints.findReceiver(streamId, clock.nowMs())
      if (endpoint === null) return null
      const signers = endpoint.secrets.map(({ id, sealed }) => signerOf(openSecret(secretKey, id, sealed)))
      const target = { url: endpoint.url, signers }
      const mood: Mood = {
        ...{ probing: endpoint.probing, closed: 'no', noted: null, rowStopped: Promise.resolve(false) },
      }
      return {
        concurrencyMax: endpoint.probing ? 1 : limits.drainConcurrencyMax,
        adaptive: true,
        fifo: endpoint.fifo,
        ratePerSecond: endpoint.ratePerSecond,
        probing: endpoint.probing,
        startSequence: endpoint.startSequence,
        deliver: (delivery) => deliver(deps, { endpoint, target, mood }, delivery),
        async recorded(results) {
          await note(deps, { endpoint, mood }, results)
          const { failingSinceMs } = endpoint
          const reason = pauseReasonOf(results, { failingSinceMs, nowMs: clock.nowMs() })
          if (reason === null) return
          // It looks at what is recorded, not at what is in flight: what has been sent ends as it ends.
          if (mood.closed === 'no') mood.closed = 'paused'
          await pauseByItself(deps, endpoint, reason)
        },
      }
    },
  }
}
