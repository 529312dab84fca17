import type { Transaction } from '../kernel/index.ts'
import { updateVersionState } from './store.ts'
import { next, type VersionAction, type VersionView } from './version.ts'

/**
 * Takes a version, held by `lockVersion` in the same transaction, one step along its diagram.
 * @throws registry.version_state, registry.version_not_approved
 */
export async function moveVersion(
  tx: Transaction,
  version: VersionView,
  { action, nowMs }: { readonly action: VersionAction; readonly nowMs: number },
): Promise<VersionView> {
  const moved = { ...version, state: next(version.state, action), stateChangedAtMs: nowMs }
  await updateVersionState(tx, moved)
  return moved
}
