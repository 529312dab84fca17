import type { Queries, Transaction } from '../kernel/index.ts'
import type { EndpointView } from './endpoint.ts'
import { WebhooksErrors } from './errors.ts'
import { listEndpoints, lockEndpoint } from './store.ts'

export interface OneEndpoint {
  readonly appId: string
  readonly endpointId: string
  readonly nowMs: number
}

/** One endpoint of an app of these publishers. @throws webhooks.endpoint_not_found */
export async function findEndpoint(
  q: Queries,
  publisherIds: readonly string[],
  search: OneEndpoint,
): Promise<EndpointView> {
  const [endpoint] = await listEndpoints(q, publisherIds, search)
  if (endpoint === undefined) throw WebhooksErrors.endpoint_not_found()
  return endpoint
}

/** The same, read under a lock: nobody changes it until the transaction ends. @throws webhooks.endpoint_not_found */
export async function lockOwnEndpoint(
  tx: Transaction,
  publisherIds: readonly string[],
  search: OneEndpoint,
): Promise<EndpointView> {
  await lockEndpoint(tx, publisherIds, search.endpointId)
  return findEndpoint(tx, publisherIds, search)
}
