import { ensureAppStream, lockStream } from '../events/index.ts'
import { type IdSource, newId, type Transaction } from '../kernel/index.ts'
import { isThisMachine, requireEndpointUrl } from './check-url.ts'
import type { WebhooksDependencies } from './dependencies.ts'
import type { EndpointView, SignatureScheme } from './endpoint.ts'
import { WebhooksErrors } from './errors.ts'
import { findEndpoint } from './find-endpoint.ts'
import { createSecret } from './secrets/create-secret.ts'
import { findOwnApp, insertEndpoint } from './store.ts'

export interface CreateEndpoint {
  readonly publisherIds: readonly string[]
  readonly appId: string
  readonly url: string
  /** How its requests are signed; v1 when not given. */
  readonly scheme?: SignatureScheme
  readonly personId: string
}

export interface CreatedEndpoint {
  readonly endpoint: EndpointView
  /** Shown once; null for v1a, whose receiver needs the public key alone. */
  readonly secret: string | null
}

/**
 * Gives the app's backend an endpoint and its first secret. It gets what is published from now on, once it has proven
 * itself (at once on this machine); what came before stays to be pulled. Nothing is sent to it by this.
 * @throws webhooks.app_not_found, webhooks.app_has_no_backend, webhooks.url_refused, webhooks.endpoint_exists
 */
export async function createEndpoint(
  tx: Transaction,
  deps: Pick<WebhooksDependencies, 'secretKey' | 'allowLoopback'>,
  input: CreateEndpoint,
  ids: IdSource,
): Promise<CreatedEndpoint> {
  const app = await findOwnApp(tx, input.publisherIds, input.appId)
  if (app === null) throw WebhooksErrors.app_not_found()
  if (app.appClass === 'mini-program') throw WebhooksErrors.app_has_no_backend()
  requireEndpointUrl(input.url, deps.allowLoopback)

  const nowMs = ids.clock.nowMs()
  const { id: appId, publisherId } = app
  const streamId = await ensureAppStream(tx, { appId, sink: 'backend' }, ids)
  // Locked, so that a delivery is either numbered before this endpoint or sees it.
  const startSequence = await lockStream(tx, streamId)
  const endpointId = newId('endpoint', ids)
  const state = isThisMachine(input.url) ? 'active' : 'unverified'
  const row = { id: endpointId, publisherId, appId, streamId, url: input.url, state, startSequence } as const
  if (!(await insertEndpoint(tx, { ...row, createdBy: input.personId }, nowMs)))
    throw WebhooksErrors.endpoint_exists()
  const secret = await createSecret(tx, deps, { endpointId, scheme: input.scheme ?? 'v1' }, ids)
  const endpoint = await findEndpoint(tx, [publisherId], { appId, endpointId, nowMs })
  return { endpoint, secret: secret.shown }
}
