import type { Outcome } from '../../events/index.ts'
import type { WebhookSinkDependencies } from '../dependencies.ts'
import { resumeByItself } from './change-by-itself.ts'
import { isFault } from './judge-results.ts'
import { probeDelayMs } from './probe-delay.ts'
import type { TriedEndpoint } from './store.ts'

export interface ProbeResult {
  /** What is to be recorded of the delivery that was tried. */
  readonly outcome: Outcome
  readonly resumed: boolean
}

function errorOf(outcome: Outcome): string | null {
  return outcome.kind === 'deferred' ? outcome.reason : outcome.error
}

/**
 * Draws the conclusion from the one delivery that tried whether a paused endpoint is back. A failed probe costs the
 * delivery no attempt: it is put off, and the endpoint says when it is tried next. A delivery that its receiver refuses
 * on purpose ends, and the next one is the probe.
 */
export async function concludeProbe(
  deps: WebhookSinkDependencies,
  endpoint: TriedEndpoint & { readonly probeFailures: number },
  outcome: Outcome,
): Promise<ProbeResult> {
  if (outcome.kind === 'delivered') {
    await resumeByItself(deps, endpoint)
    return { outcome, resumed: true }
  }
  if (!isFault(outcome)) return { outcome, resumed: false }
  const failures = endpoint.probeFailures + 1
  const retryAfterMs = outcome.kind === 'failed' ? outcome.retryAfterMs : null
  const probeAtMs = deps.clock.nowMs() + probeDelayMs(failures, retryAfterMs)
  await deps.endpoints.postponeProbe(endpoint, { failuresBefore: endpoint.probeFailures, probeAtMs })
  const error = errorOf(outcome)
  const { endpointId, streamId } = endpoint
  deps.log.info({ endpointId, streamId, failures, probeAtMs, error }, 'webhooks.probe_failed')
  return {
    outcome: { kind: 'deferred', delayMs: 0, reason: error ?? 'webhooks.probe_failed' },
    resumed: false,
  }
}
