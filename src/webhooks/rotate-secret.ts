import { type IdSource, limits, newId, type Transaction } from '../kernel/index.ts'
import type { WebhooksDependencies } from './dependencies.ts'
import { WebhooksErrors } from './errors.ts'
import { findEndpoint } from './find-endpoint.ts'
import { mintSecret, sealSecret } from './secret.ts'
import { expireSecrets, insertSecret, lockEndpoint } from './store.ts'

export interface RotateSecret {
  readonly publisherIds: readonly string[]
  readonly appId: string
  readonly endpointId: string
  /** How long the present secret signs beside the new one; `limits.secretOverlapMs` when not given. */
  readonly overlapMs: number | null
}

export interface RotatedSecret {
  readonly id: string
  readonly secret: string
  readonly createdAtMs: number
  readonly previousExpiresAtMs: number
}

/**
 * Gives the endpoint a new secret. Until the present one expires both sign every attempt; a still older one ends now.
 * @throws webhooks.endpoint_not_found
 */
export async function rotateSecret(
  tx: Transaction,
  { secretKey }: Pick<WebhooksDependencies, 'secretKey'>,
  input: RotateSecret,
  ids: IdSource,
): Promise<RotatedSecret> {
  const nowMs = ids.clock.nowMs()
  const endpoint = await findEndpoint(tx, input.publisherIds, { ...input, nowMs })
  if (!(await lockEndpoint(tx, endpoint.publisherId, endpoint.id))) throw WebhooksErrors.endpoint_not_found()
  const previousExpiresAtMs = nowMs + (input.overlapMs ?? limits.secretOverlapMs)
  await expireSecrets(tx, endpoint.id, { nowMs, expiresAtMs: previousExpiresAtMs })
  const id = newId('endpointSecret', ids)
  const secret = mintSecret(ids.random)
  await insertSecret(tx, { id, endpointId: endpoint.id, sealed: sealSecret(secretKey, id, secret) }, nowMs)
  return { id, secret, createdAtMs: nowMs, previousExpiresAtMs }
}
