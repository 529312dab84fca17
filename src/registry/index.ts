export type { AppView } from './app.ts'
export { manifestSchemaDocument } from './check-manifest-schema.ts'
export { RegistryErrors } from './errors.ts'
export { moveVersion } from './move-version.ts'
export { registryCapability } from './operations.ts'
export { readPackageContent } from './read-package-content.ts'
export { type PackageFiles, readPackageFiles } from './read-package-files.ts'
export {
  findApp,
  findOffered,
  findOwnVersion,
  findReleasedVersions,
  findVersion,
  listMarket,
  lockVersion,
  type MarketEntry,
} from './store.ts'
export type { VersionView } from './version.ts'
export { PackageContent, toWireVersion, Version } from './wire.ts'
