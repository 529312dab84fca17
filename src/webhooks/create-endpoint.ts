import { ensureAppStream, lockStream } from '../events/index.ts'
import { type IdSource, newId, type Transaction } from '../kernel/index.ts'
import { checkEndpointUrl } from './check-url.ts'
import type { WebhooksDependencies } from './dependencies.ts'
import type { EndpointView } from './endpoint.ts'
import { WebhooksErrors } from './errors.ts'
import { mintSecret, sealSecret } from './secret.ts'
import { findOwnApp, insertEndpoint, insertSecret } from './store.ts'

export interface CreateEndpoint {
  readonly publisherIds: readonly string[]
  readonly appId: string
  readonly url: string
  readonly personId: string
}

function checkUrl(url: string, allowLoopback: boolean): void {
  const problem = checkEndpointUrl(url, allowLoopback)
  if (problem === null) return
  throw WebhooksErrors.url_refused(`url ${problem}`, {
    errors: [{ pointer: '/url', code: 'url', message: problem }],
  })
}

/**
 * Gives the app's backend an endpoint and its first secret. It gets what is published from now on; what came before
 * stays to be pulled.
 * @throws webhooks.app_not_found, webhooks.app_has_no_backend, webhooks.url_refused, webhooks.endpoint_exists
 */
export async function createEndpoint(
  tx: Transaction,
  { secretKey, allowLoopback }: WebhooksDependencies,
  input: CreateEndpoint,
  ids: IdSource,
): Promise<{ readonly endpoint: EndpointView; readonly secret: string }> {
  const app = await findOwnApp(tx, input.publisherIds, input.appId)
  if (app === null) throw WebhooksErrors.app_not_found()
  if (app.appClass === 'mini-program') throw WebhooksErrors.app_has_no_backend()
  checkUrl(input.url, allowLoopback)

  const nowMs = ids.clock.nowMs()
  const { id: appId, publisherId } = app
  const streamId = await ensureAppStream(tx, { appId, sink: 'backend' }, ids)
  // Locked, so that a delivery is either numbered before this endpoint or sees it.
  const startSequence = await lockStream(tx, streamId)
  const row = { id: newId('endpoint', ids), publisherId, appId, streamId, url: input.url, startSequence }
  if (!(await insertEndpoint(tx, { ...row, createdBy: input.personId }, nowMs)))
    throw WebhooksErrors.endpoint_exists()

  const secret = mintSecret(ids.random)
  const secretId = newId('endpointSecret', ids)
  const sealed = sealSecret(secretKey, secretId, secret)
  await insertSecret(tx, { id: secretId, endpointId: row.id, sealed }, nowMs)
  const health = { state: 'active', stateReason: null, lastSuccessAtMs: null, failingSinceMs: null } as const
  const secrets = [{ id: secretId, createdAtMs: nowMs, expiresAtMs: null }]
  return { endpoint: { ...row, ...health, createdAtMs: nowMs, secrets }, secret }
}
