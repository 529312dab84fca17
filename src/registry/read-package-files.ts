import { readPackage } from '../../runtime/package/index.ts'
import { getBlob } from '../db/index.ts'
import { assert, limits, present, type Queries } from '../kernel/index.ts'

/** Contents by path, manifest.json included. */
export type PackageFiles = ReadonlyMap<string, Uint8Array>

/** The least recently used first. By content, so an entry can never be out of date. */
const cache = new Map<string, { readonly files: PackageFiles; readonly sizeBytes: number }>()
let cachedBytes = 0

function remember(sha256: string, files: PackageFiles): void {
  const sizeBytes = [...files.values()].reduce((sum, content) => sum + content.length, 0)
  cache.set(sha256, { files, sizeBytes })
  cachedBytes += sizeBytes
  for (const [oldest, entry] of cache) {
    if (cachedBytes <= limits.packageCacheBytesMax) return
    cache.delete(oldest)
    cachedBytes -= entry.sizeBytes
  }
}

/**
 * The files of a stored package, unpacked, by the SHA-256 of its bytes. The last ones read are kept in memory, up to
 * `limits.packageCacheBytesMax`.
 * @throws Error when there is no such package: every version's was stored with it
 */
export async function readPackageFiles(q: Queries, packageSha256: string): Promise<PackageFiles> {
  const cached = cache.get(packageSha256)
  if (cached !== undefined) {
    cache.delete(packageSha256)
    cache.set(packageSha256, cached)
    return cached.files
  }
  const bytes = present(await getBlob(q, packageSha256), `the package ${packageSha256}`)
  const read = await readPackage(bytes)
  assert(read.ok, `the stored package ${packageSha256} can be read`)
  if (!cache.has(packageSha256)) remember(packageSha256, read.package.files)
  return read.package.files
}
