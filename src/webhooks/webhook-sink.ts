import { leaveToPull, lockStream, type Receiver, type RecordedResult, type Sink } from '../events/index.ts'
import { limits } from '../kernel/index.ts'
import type { WebhookSinkDependencies } from './dependencies.ts'
import { openSecret } from './secret.ts'
import { sendDelivery } from './send-delivery.ts'
import { findReceiver, markStopped, noteHealth, type ReceiverRow } from './store.ts'

// How exact "last success" is: one write in ten seconds, not one per batch.
const healthMs = 10_000

/** The endpoint is done: nothing is sent any more, what is left waits to be pulled. */
async function stopEndpoint(
  { db, log }: WebhookSinkDependencies,
  { endpointId, streamId }: ReceiverRow,
  reason: string,
): Promise<void> {
  const stopped = await db.tx(async (tx) => {
    await lockStream(tx, streamId)
    const changed = await markStopped(tx, streamId, { endpointId, reason })
    if (changed) await leaveToPull(tx, streamId)
    return changed
  })
  if (stopped) log.warn({ endpointId, streamId, reason }, 'webhooks.endpoint_stopped')
}

function isWorthNoting(endpoint: ReceiverRow, delivered: boolean, nowMs: number): boolean {
  if (!delivered) return endpoint.failingSinceMs === null
  return endpoint.failingSinceMs !== null || nowMs - (endpoint.lastSuccessAtMs ?? 0) > healthMs
}

async function note(
  { db, clock }: WebhookSinkDependencies,
  endpoint: ReceiverRow,
  results: readonly RecordedResult[],
): Promise<void> {
  const delivered = results.some(({ outcome }) => outcome.kind === 'delivered')
  if (!delivered && !results.some(({ outcome }) => outcome.kind === 'failed' || outcome.kind === 'refused'))
    return
  const nowMs = clock.nowMs()
  if (!isWorthNoting(endpoint, delivered, nowMs)) return
  await noteHealth(db.queries, endpoint.streamId, { endpointId: endpoint.endpointId, delivered, nowMs })
}

/** The way out to HTTPS endpoints: Standard Webhooks 1.0.0, one POST per attempt. */
export function webhookSink(deps: WebhookSinkDependencies): Sink {
  const { db, clock, secretKey } = deps
  return {
    async open({ streamId }): Promise<Receiver | null> {
      const endpoint = await findReceiver(db.queries, streamId, clock.nowMs())
      if (endpoint === null) return null
      const secrets = endpoint.secrets.map(({ id, sealed }) => openSecret(secretKey, id, sealed))
      return {
        concurrencyMax: limits.drainConcurrency,
        adaptive: true,
        fifo: false,
        ratePerSecond: null,
        probing: false,
        startSequence: endpoint.startSequence,
        async deliver(delivery) {
          const outcome = await sendDelivery(deps, { url: endpoint.url, secrets }, delivery)
          // Before it is recorded: no further batch may find the endpoint active.
          if (outcome.kind === 'gone') await stopEndpoint(deps, endpoint, 'gone')
          return outcome
        },
        recorded: (results) => note(deps, endpoint, results),
      }
    },
  }
}
