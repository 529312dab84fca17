import type { Transaction } from '../kernel/index.ts'
import type { EndpointView } from './endpoint.ts'
import { lockOwnEndpoint, type OneEndpoint } from './find-endpoint.ts'
import { saveEndpoint } from './store.ts'
import { takeStep } from './take-step.ts'

/**
 * Pauses an endpoint because a person wants it: deliveries wait, no probe is made, a person resumes it. One that was
 * paused by itself is not probed any more.
 * @throws webhooks.endpoint_not_found, webhooks.endpoint_not_verified, webhooks.endpoint_stopped
 */
export async function pauseEndpoint(
  tx: Transaction,
  publisherIds: readonly string[],
  search: OneEndpoint,
): Promise<EndpointView> {
  const endpoint = await lockOwnEndpoint(tx, publisherIds, search)
  const paused = {
    ...takeStep(endpoint, 'pause'),
    stateReason: 'requested',
    pausedAtMs: endpoint.pausedAtMs ?? search.nowMs,
    probeAtMs: null,
  } as const
  await saveEndpoint(tx, paused)
  return paused
}
