import { type IdSource, newId, type Transaction } from '../kernel/index.ts'
import { RegistryErrors } from './errors.ts'
import { moveVersion } from './move-version.ts'
import { everyone, type ReleaseView } from './release.ts'
import { endActiveReleases, insertRelease, lockOwnApp, lockVersion } from './store.ts'

interface ReleaseVersion extends IdSource {
  readonly publisherIds: readonly string[]
  readonly appId: string
  readonly versionId: string
  readonly personId: string
}

/**
 * Makes an approved version the one that installations may run; the release before it ends in the same transaction.
 * @throws registry.app_not_found, registry.version_not_found, registry.version_not_approved
 */
export async function releaseVersion(tx: Transaction, input: ReleaseVersion): Promise<ReleaseView> {
  // The app's row is held, so that of two releases at once exactly one is active in the end.
  const app = await lockOwnApp(tx, input.publisherIds, input.appId)
  if (app === null) throw RegistryErrors.app_not_found()
  const version = await lockVersion(tx, app.id, input.versionId)
  if (version === null) throw RegistryErrors.version_not_found()
  const nowMs = input.clock.nowMs()
  await moveVersion(tx, version, { action: 'release', nowMs })
  await endActiveReleases(tx, app.id, everyone, nowMs)
  const release: ReleaseView = {
    id: newId('release', input),
    appId: app.id,
    versionId: version.id,
    cohort: everyone,
    percentage: 100,
    state: 'active',
    createdBy: input.personId,
    createdAtMs: nowMs,
    endedAtMs: null,
  }
  await insertRelease(tx, app.publisherId, release)
  return release
}
