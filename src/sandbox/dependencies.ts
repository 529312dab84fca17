import type { SandboxPool } from '../../runtime/node/index.ts'
import type { Catalog, Door } from '../capability/index.ts'
import type { Db } from '../db/index.ts'
import type { Clock, Log, Random } from '../kernel/index.ts'
import type { PackageFiles, VersionView } from '../registry/index.ts'

export interface SandboxDependencies {
  readonly db: Pick<Db, 'queries'>
  readonly catalog: Pick<Catalog, 'hostFunctions'>
  readonly door: Door
  readonly pool: Pick<SandboxPool, 'run'>
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** The version an installation runs now; null when it is gone or no release fits its grant. */
  resolveInstalledVersion(merchantId: string, installationId: string): Promise<VersionView | null>
  /** The files of a stored package. */
  readPackageFiles(packageSha256: string): Promise<PackageFiles>
}
