import type { Transaction } from '../kernel/index.ts'
import type { EndpointView } from './endpoint.ts'
import { lockOwnEndpoint, type OneEndpoint } from './find-endpoint.ts'
import { saveEndpoint } from './store.ts'
import { cleared, takeStep } from './take-step.ts'

/**
 * Ends a pause, whoever began it: what has waited is sent within a second. Its 72 hours begin anew.
 * @throws webhooks.endpoint_not_found, webhooks.endpoint_not_verified, webhooks.endpoint_stopped
 */
export async function resumeEndpoint(
  tx: Transaction,
  publisherIds: readonly string[],
  search: OneEndpoint,
): Promise<EndpointView> {
  const endpoint = await lockOwnEndpoint(tx, publisherIds, search)
  const after = takeStep(endpoint, 'resume')
  if (endpoint.state === after.state) return endpoint
  const resumed = cleared(after)
  await saveEndpoint(tx, resumed)
  return resumed
}
