import { type IdSource, limits, type Transaction } from '../kernel/index.ts'
import type { WebhooksDependencies } from './dependencies.ts'
import type { SignatureScheme } from './endpoint.ts'
import { lockOwnEndpoint } from './find-endpoint.ts'
import { type CreatedSecret, createSecret } from './secrets/create-secret.ts'
import { expireSecrets } from './secrets/store.ts'

export interface RotateSecret {
  readonly publisherIds: readonly string[]
  readonly appId: string
  readonly endpointId: string
  /** How long the present secret signs beside the new one; `limits.secretOverlapMs` when not given. */
  readonly overlapMs: number | null
  /** Of the new secret; the present one's when not given. */
  readonly scheme: SignatureScheme | null
}

export interface RotatedSecret extends CreatedSecret {
  readonly previousExpiresAtMs: number
}

/**
 * Gives the endpoint a new secret, of another scheme where asked. Until the present one expires both sign every
 * attempt; a still older one ends now.
 * @throws webhooks.endpoint_not_found
 */
export async function rotateSecret(
  tx: Transaction,
  deps: Pick<WebhooksDependencies, 'secretKey'>,
  input: RotateSecret,
  ids: IdSource,
): Promise<RotatedSecret> {
  const nowMs = ids.clock.nowMs()
  const endpoint = await lockOwnEndpoint(tx, input.publisherIds, { ...input, nowMs })
  const previousExpiresAtMs = nowMs + (input.overlapMs ?? limits.secretOverlapMs)
  await expireSecrets(tx, endpoint.id, { nowMs, expiresAtMs: previousExpiresAtMs })
  const scheme = input.scheme ?? endpoint.secrets[0]?.scheme ?? 'v1'
  const created = await createSecret(tx, deps, { endpointId: endpoint.id, scheme }, ids)
  return { ...created, previousExpiresAtMs }
}
