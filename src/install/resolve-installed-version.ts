import type { Queries } from '../kernel/index.ts'
import { findReleasedVersions, type VersionView } from '../registry/index.ts'
import { resolveVersion } from './resolve-version.ts'
import { findInstallation } from './store.ts'

/** The version an installation runs now; null when it is gone or no release fits its grant. */
export async function resolveInstalledVersion(
  q: Queries,
  merchantId: string,
  installationId: string,
): Promise<VersionView | null> {
  const installation = await findInstallation(q, [merchantId], installationId)
  if (installation === null || installation.state !== 'active') return null
  return resolveVersion(await findReleasedVersions(q, installation.app_id), new Set(installation.granted))
}
