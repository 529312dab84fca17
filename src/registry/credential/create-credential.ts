import { type IdSource, limits, mintToken, newId, type Transaction } from '../../kernel/index.ts'
import { type AppView, mayHoldSecret } from '../app.ts'
import type { RegistryDependencies } from '../dependencies.ts'
import { RegistryErrors } from '../errors.ts'
import { lockOwnApp } from '../store.ts'
import { expireSecrets, insertCredential, listLiveCredentials, type NewCredential } from './store.ts'

export type Minting = IdSource &
  Pick<RegistryDependencies, 'hashClientSecret'> & {
    readonly personId: string
  }

export interface MintedCredential {
  readonly credential: NewCredential
  readonly clientSecret: string
}

/** A new secret of the app with the row that keeps its hash. */
export function mintCredential(app: AppView, minting: Minting): MintedCredential {
  const clientSecret = mintToken('clientSecret', minting.random)
  const credential: NewCredential = {
    id: newId('credential', minting),
    appId: app.id,
    publisherId: app.publisherId,
    kind: 'secret',
    secretHash: minting.hashClientSecret(clientSecret),
    hint: clientSecret.slice(-4),
    publicKey: null,
    createdBy: minting.personId,
    createdAtMs: minting.clock.nowMs(),
    expiresAtMs: null,
    lastUsedAtMs: null,
  }
  return { credential, clientSecret }
}

/**
 * Gives the app another secret beside the one it has, so that it can be changed without an outage. With `overlapMs` the
 * present one ends after that time; with null both live until one is revoked.
 * @throws registry.app_not_found, registry.secret_not_for_class, registry.too_many_credentials
 */
export async function createCredential(
  tx: Transaction,
  { publisherIds, appId, overlapMs }: CreateCredential,
  minting: Minting,
): Promise<MintedCredential> {
  const app = await lockOwnApp(tx, publisherIds, appId)
  if (app === null) throw RegistryErrors.app_not_found()
  if (!mayHoldSecret(app.appClass)) throw RegistryErrors.secret_not_for_class()
  const nowMs = minting.clock.nowMs()
  const live = await listLiveCredentials(tx, app.id, nowMs)
  if (live.filter(({ kind }) => kind === 'secret').length >= limits.liveSecretsMax)
    throw RegistryErrors.too_many_credentials()
  if (overlapMs !== null) await expireSecrets(tx, app.id, nowMs + overlapMs)
  const minted = mintCredential(app, minting)
  await insertCredential(tx, minted.credential)
  return minted
}

export interface CreateCredential {
  readonly publisherIds: readonly string[]
  readonly appId: string
  readonly overlapMs: number | null
}
