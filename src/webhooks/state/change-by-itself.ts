import { limits } from '../../kernel/index.ts'
import type { NoticeData } from '../../notices/index.ts'
import type { WebhookSinkDependencies } from '../dependencies.ts'
import type { PauseReason, StopReason } from '../endpoint.ts'
import type { EndpointNoticeKind, EndpointTransaction } from './endpoint-store.ts'
import { probeDelayMs } from './probe-delay.ts'
import type { ChangedEndpoint, TriedEndpoint } from './store.ts'

function dataOf(
  { appId, appName, endpointId, url }: ChangedEndpoint,
  reason: string,
): NoticeData[EndpointNoticeKind] {
  // Not the URL: some receivers keep a secret in it.
  return { appId, appName, endpointId, host: new URL(url).host, reason }
}

/** Makes the change once, with its notice in the same transaction; of two nodes one says so. */
async function change(
  deps: WebhookSinkDependencies,
  kind: EndpointNoticeKind,
  reason: string,
  mark: (tx: EndpointTransaction) => Promise<ChangedEndpoint | null>,
): Promise<void> {
  const changed = await deps.endpoints.tx(async (tx) => {
    const endpoint = await mark(tx)
    if (endpoint === null) return null
    await tx.notifyPublisher(endpoint.publisherId, { kind, data: dataOf(endpoint, reason) }, deps)
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
  await change(deps, 'endpoint.paused', reason, (tx) => tx.markPaused(endpoint, pause))
}

/** A probe was answered with 2xx: everything that waits is sent. */
export async function resumeByItself(deps: WebhookSinkDependencies, endpoint: TriedEndpoint): Promise<void> {
  const nowMs = deps.clock.nowMs()
  await change(deps, 'endpoint.resumed', 'probe', (tx) => tx.markResumed(endpoint, nowMs))
}

/** The receiver is done with us: nothing is sent any more, what is left waits to be pulled. */
export async function stopByItself(
  deps: WebhookSinkDependencies,
  endpoint: TriedEndpoint,
  reason: StopReason,
): Promise<void> {
  await change(deps, 'endpoint.stopped', reason, async (tx) => {
    await tx.lockStream(endpoint.streamId)
    const stopped = await tx.markStopped(endpoint, reason)
    if (stopped !== null) await tx.leaveToPull(endpoint.streamId)
    return stopped
  })
}
