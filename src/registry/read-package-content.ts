import { getBlob } from '../db/index.ts'
import { present, type Queries } from '../kernel/index.ts'
import type { VersionView } from './version.ts'

/** A version's package as it was uploaded, for an answer that is JSON. */
export async function readPackageContent(q: Queries, { packageSha256 }: Pick<VersionView, 'packageSha256'>) {
  const bytes = present(await getBlob(q, packageSha256), `the package ${packageSha256}`)
  const contentBase64 = Buffer.from(bytes).toString('base64')
  return { packageSha256, sizeBytes: bytes.length, mediaType: 'application/zip' as const, contentBase64 }
}
