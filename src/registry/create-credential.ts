import { type IdSource, limits, mintToken, newId, type Transaction } from '../kernel/index.ts'
import { type AppView, mayHoldSecret } from './app.ts'
import type { RegistryDependencies } from './dependencies.ts'
import { RegistryErrors } from './errors.ts'
import { insertCredential, listLiveCredentials, lockOwnApp, type NewCredential } from './store.ts'

type Minting = IdSource &
  Pick<RegistryDependencies, 'hashClientSecret'> & {
    readonly personId: string
  }

/** A new secret of the app with the row that keeps its hash. */
export function mintCredential(
  app: AppView,
  minting: Minting,
): { readonly credential: NewCredential; readonly clientSecret: string } {
  const clientSecret = mintToken('clientSecret', minting.random)
  const credential = {
    id: newId('credential', minting),
    appId: app.id,
    publisherId: app.publisherId,
    secretHash: minting.hashClientSecret(clientSecret),
    hint: clientSecret.slice(-4),
    createdBy: minting.personId,
    createdAtMs: minting.clock.nowMs(),
  }
  return { credential, clientSecret }
}

/**
 * Gives the app another secret beside the one it has, so that it can be changed without an outage.
 * @throws registry.app_not_found, registry.secret_not_for_class, registry.too_many_credentials
 */
export async function createCredential(
  tx: Transaction,
  publisherIds: readonly string[],
  appId: string,
  minting: Minting,
): Promise<{ readonly credential: NewCredential; readonly clientSecret: string }> {
  const app = await lockOwnApp(tx, publisherIds, appId)
  if (app === null) throw RegistryErrors.app_not_found()
  if (!mayHoldSecret(app.appClass)) throw RegistryErrors.secret_not_for_class()
  const live = await listLiveCredentials(tx, app.id, minting.clock.nowMs())
  if (live.length >= limits.liveSecretsMax) throw RegistryErrors.too_many_credentials()
  const minted = mintCredential(app, minting)
  await insertCredential(tx, minted.credential)
  return minted
}
