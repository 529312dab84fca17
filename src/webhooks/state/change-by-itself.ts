import { leaveToPull, lockStream } from '../../events/index.ts'
import { limits, type Transaction } from '../../kernel/index.ts'
import { type NoticeData, notifyPublisher } from '../../notices/index.ts'
import type { WebhookSinkDependencies } from '../dependencies.ts'
import type { PauseReason, StopReason } from '../endpoint.ts'
import { probeDelayMs } from './probe-delay.ts'
import { type ChangedEndpoint, markPaused, markResumed, markStopped, type TriedEndpoint } from './store.ts'

type EndpointKind = 'endpoint.paused' | 'endpoint.resumed' | 'endpoint.stopped'

function dataOf(
  { appId, appName, endpointId, url }: ChangedEndpoint,
  reason: string,
): NoticeData[EndpointKind] {
  // Not the URL: some receivers keep a secret in it.
  return { appId, appName, endpointId, host: new URL(url).host, reason }
}

/** Makes the change once, with its notice in the same transaction; of two nodes one says so. */
async function change(
  deps: WebhookSinkDependencies,
  kind: EndpointKind,
  reason: string,
  mark: (tx: Transaction) => Promise<ChangedEndpoint | null>,
): Promise<void> {
  const changed = await deps.db.tx(async (tx) => {
    const endpoint = await mark(tx)
    if (endpoint === null) return null
    await notifyPublisher(tx, endpoint.publisherId, { kind, data: dataOf(endpoint, reason) }, deps)
    return endpoint
  })
  if (changed === null) return
  const { endpointId, appId } = changed
  deps.log.warn({ endpointId, appId, reason }, `webhooks.${kind.replace('.', '_')}`)
}

/** The endpoint fails: its deliveries wait, and probes look whether it is back. */
export async function pauseByItself(
  deps: WebhookSinkDependencies,
  endpoint: TriedEndpoint,
  reason: PauseReason,
): Promise<void> {
  const nowMs = deps.clock.nowMs()
  const failingSinceMsMax = reason === 'failing' ? nowMs - limits.webhookFailingMsMax : null
  const pause = { reason, nowMs, probeAtMs: nowMs + probeDelayMs(0, null), failingSinceMsMax }
  await change(deps, 'endpoint.paused', reason, (tx) => markPaused(tx, endpoint, pause))
}

/** A probe was answered with 2xx: everything that waits is sent. */
export async function resumeByItself(deps: WebhookSinkDependencies, endpoint: TriedEndpoint): Promise<void> {
  const nowMs = deps.clock.nowMs()
  await change(deps, 'endpoint.resumed', 'probe', (tx) => markResumed(tx, endpoint, nowMs))
}

/** The receiver is done with us: nothing is sent any more, what is left waits to be pulled. */
export async function stopByItself(
  deps: WebhookSinkDependencies,
  endpoint: TriedEndpoint,
  reason: StopReason,
): Promise<void> {
  await change(deps, 'endpoint.stopped', reason, async (tx) => {
    await lockStream(tx, endpoint.streamId)
    const stopped = await markStopped(tx, endpoint, reason)
    if (stopped !== null) await leaveToPull(tx, endpoint.streamId)
    return stopped
  })
}
