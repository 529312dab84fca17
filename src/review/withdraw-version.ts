import type { PageRequest } from '../capability/index.ts'
import type { Transaction } from '../kernel/index.ts'
import {
  findOwnVersion,
  lockVersion,
  moveVersion,
  RegistryErrors,
  type VersionView,
} from '../registry/index.ts'
import { allows, next } from './review-case.ts'
import { listCasesOfVersion, lockCase, updateCase } from './store.ts'

interface WithdrawVersion {
  readonly publisherIds: readonly string[]
  readonly appId: string
  readonly versionId: string
  readonly nowMs: number
}

const newestCase: PageRequest = { rowsMax: 1, after: null }

/**
 * Takes back a version that no merchant has yet, with its open review.
 * @throws registry.version_not_found, registry.version_state
 */
export async function withdrawVersion(
  tx: Transaction,
  { publisherIds, appId, versionId, nowMs }: WithdrawVersion,
): Promise<VersionView> {
  const own = await findOwnVersion(tx, publisherIds, appId, versionId)
  // The version's row is held before the case's, here as in a decision, so that the two never wait for each other.
  const version = own === null ? null : await lockVersion(tx, appId, versionId)
  if (version === null) throw RegistryErrors.version_not_found()
  const withdrawn = await moveVersion(tx, version, { action: 'withdraw', nowMs })
  const [newest] = await listCasesOfVersion(tx, version.publisherId, version.id, newestCase)
  const open = newest === undefined ? null : await lockCase(tx, newest.id)
  if (open !== null && allows(open.state, 'withdraw')) {
    await updateCase(tx, { ...open, state: next(open.state, 'withdraw') })
  }
  return withdrawn
}
