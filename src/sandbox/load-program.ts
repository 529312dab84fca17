import type { Program } from '../../runtime/node/index.ts'
import { limits, present, sha256Hex } from '../kernel/index.ts'
import type { VersionView } from '../registry/index.ts'
import type { SandboxDependencies } from './dependencies.ts'

/** Gives the program of a version; null when its manifest names no handlers. */
export type ProgramLoader = (version: VersionView) => Promise<Program | null>

/**
 * Makes a loader that keeps the programs used last. Every host function of the platform is listed: whether an
 * installation may call one is decided at the door, where a refusal names the missing scope.
 */
export function makeProgramLoader(
  deps: Pick<SandboxDependencies, 'catalog' | 'readPackageFiles'>,
): ProgramLoader {
  /** Least recently used first. By the package's hash, so an entry can never be out of date. */
  const cache = new Map<string, Program>()
  const hostFunctions = [...deps.catalog.hostFunctions.keys()].sort()

  async function load(packageSha256: string, fileName: string): Promise<Program> {
    const files = await deps.readPackageFiles(packageSha256)
    const bytes = present(files.get(fileName), `${fileName} in the package ${packageSha256}`)
    const source = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return { id: sha256Hex(bytes), source, fileName, hostFunctions }
  }

  return async ({ manifest, packageSha256 }) => {
    if (manifest.stoa_handlers === undefined) return null
    const program =
      cache.get(packageSha256) ?? (await load(packageSha256, manifest.stoa_handlers.normalize('NFC')))
    cache.delete(packageSha256)
    cache.set(packageSha256, program)
    const oldest = cache.size > limits.sandboxProgramsMax ? cache.keys().next().value : undefined
    if (oldest !== undefined) cache.delete(oldest)
    return program
  }
}
