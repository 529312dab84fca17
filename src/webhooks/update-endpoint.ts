import type { Transaction } from '../kernel/index.ts'
import { isThisMachine, requireEndpointUrl } from './check-url.ts'
import type { WebhooksDependencies } from './dependencies.ts'
import type { EndpointSettings, EndpointView } from './endpoint.ts'
import { WebhooksErrors } from './errors.ts'
import { lockOwnEndpoint, type OneEndpoint } from './find-endpoint.ts'
import { saveEndpoint } from './store.ts'
import { cleared, takeStep } from './take-step.ts'

/** What is not given stays as it is. */
export interface EndpointChange extends Partial<EndpointSettings> {
  readonly url?: string
}

/** Another URL is another receiver: it is proven anew, and what was known of the old one's health is forgotten. */
function moved(endpoint: EndpointView, url: string): EndpointView {
  if (url === endpoint.url) return endpoint
  const after = takeStep(endpoint, isThisMachine(url) ? 'move_here' : 'move')
  return { ...cleared(after), url, verifiedAtMs: null }
}

/**
 * Changes where and how an endpoint is sent to.
 * @throws webhooks.endpoint_not_found, webhooks.url_refused, webhooks.endpoint_stopped
 */
export async function updateEndpoint(
  tx: Transaction,
  { allowLoopback }: Pick<WebhooksDependencies, 'allowLoopback'>,
  { publisherIds, ...search }: OneEndpoint & { readonly publisherIds: readonly string[] },
  { url, ...settings }: EndpointChange,
): Promise<EndpointView> {
  const endpoint = await lockOwnEndpoint(tx, publisherIds, search)
  if (endpoint.state === 'stopped') throw WebhooksErrors.endpoint_stopped()
  if (url !== undefined) requireEndpointUrl(url, allowLoopback)
  const updated = { ...moved(endpoint, url ?? endpoint.url), ...settings }
  await saveEndpoint(tx, updated)
  return updated
}
