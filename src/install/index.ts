export { installCapability } from './operations.ts'
export { resolveInstalledVersion } from './resolve-installed-version.ts'
