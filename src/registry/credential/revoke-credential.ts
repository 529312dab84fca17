import type { Transaction } from '../../kernel/index.ts'
import { RegistryErrors } from '../errors.ts'
import { findOwnApp } from '../store.ts'
import { revokeCredential } from './store.ts'

interface RevokeCredential {
  readonly publisherIds: readonly string[]
  readonly appId: string
  readonly credentialId: string
  readonly nowMs: number
}

/**
 * Ends a secret or key at once. The last one too: a leaked secret must be ended before another is deployed.
 * @throws registry.app_not_found, registry.credential_not_found
 */
export async function revokeOwnCredential(
  tx: Transaction,
  { publisherIds, appId, credentialId, nowMs }: RevokeCredential,
): Promise<void> {
  const app = await findOwnApp(tx, publisherIds, appId)
  if (app === null) throw RegistryErrors.app_not_found()
  if (await revokeCredential(tx, app.id, credentialId, nowMs)) return
  throw RegistryErrors.credential_not_found()
}
