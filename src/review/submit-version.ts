import { type IdSource, newId, type Transaction } from '../kernel/index.ts'
import { findOwnVersion, lockVersion, moveVersion, RegistryErrors } from '../registry/index.ts'
import type { ReviewCase } from './review-case.ts'
import { insertCase } from './store.ts'

interface SubmitVersion extends IdSource {
  readonly publisherIds: readonly string[]
  readonly appId: string
  readonly versionId: string
}

/**
 * Opens the review of a draft. A version is submitted once and its bytes never change, so the same bytes of an app are
 * never reviewed twice.
 * @throws registry.version_not_found, registry.version_state
 */
export async function submitVersion(
  tx: Transaction,
  { publisherIds, appId, versionId, ...ids }: SubmitVersion,
): Promise<ReviewCase> {
  const own = await findOwnVersion(tx, publisherIds, appId, versionId)
  const version = own === null ? null : await lockVersion(tx, appId, versionId)
  if (version === null) throw RegistryErrors.version_not_found()
  const nowMs = ids.clock.nowMs()
  await moveVersion(tx, version, { action: 'submit', nowMs })
  const opened: ReviewCase = {
    id: newId('reviewCase', ids),
    appId,
    publisherId: version.publisherId,
    versionId,
    packageSha256: version.packageSha256,
    state: 'submitted',
    openedAtMs: nowMs,
    decidedBy: null,
    decidedAtMs: null,
    reasonCode: null,
    reasonText: null,
  }
  await insertCase(tx, opened)
  return opened
}
