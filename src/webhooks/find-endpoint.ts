import type { Queries } from '../kernel/index.ts'
import type { EndpointView } from './endpoint.ts'
import { WebhooksErrors } from './errors.ts'
import { listEndpoints } from './store.ts'

/** One endpoint of an app of these publishers. @throws webhooks.endpoint_not_found */
export async function findEndpoint(
  q: Queries,
  publisherIds: readonly string[],
  search: { readonly appId: string; readonly endpointId: string; readonly nowMs: number },
): Promise<EndpointView> {
  const [endpoint] = await listEndpoints(q, publisherIds, search)
  if (endpoint === undefined) throw WebhooksErrors.endpoint_not_found()
  return endpoint
}
