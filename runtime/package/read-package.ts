import { makeProblem, type PackageErrorCode, type Problem, type Result } from './errors.ts'
import { packageLimits } from './limits.ts'
import { readManifestText } from './manifest-text.ts'
import { isDirectory, readCentralDirectory } from './zip/central-directory.ts'
import { checkEntries } from './zip/check-entries.ts'
import { checkLayout, type PlacedEntry } from './zip/check-layout.ts'
import { readEndRecord } from './zip/end-record.ts'
import { unpackEntry } from './zip/unpack-entry.ts'

/** A package whose container is sound. Its manifest is JSON and nothing more is known of it. */
export interface MiniAppPackage {
  /** SHA-256 of the whole ZIP in lower-case hex: the package's identity, to which review decisions are bound. */
  readonly sha256: string
  /** Size of the ZIP in bytes. */
  readonly sizeBytes: number
  /** Contents by path (NFC, separated by “/”), sorted by path, manifest.json included, directories left out. */
  readonly files: ReadonlyMap<string, Uint8Array>
  readonly manifest: unknown
}

export type ReadPackageResult =
  | { readonly ok: true; readonly package: MiniAppPackage }
  | { readonly ok: false; readonly problems: readonly Problem[] }

const manifestPath = 'manifest.json'

/**
 * Reads a ZIP (W3C MiniApp Packaging §5: store and deflate only, no encryption, no spanning, UTF-8 names) and refuses
 * everything unusual, because what two readers see differently cannot be reviewed. Works on a copy of `bytes`, keeps
 * everything in memory and writes nothing. Never throws for what is in `bytes`; see errors.ts for all codes.
 */
export async function readPackage(bytes: Uint8Array): Promise<ReadPackageResult> {
  if (bytes.length > packageLimits.packageBytesMax) {
    return refuseOne(
      'package.too_large',
      `It has ${bytes.length} bytes; ${packageLimits.packageBytesMax} are allowed.`,
    )
  }
  const archive = new Uint8Array(bytes)
  const layout = readLayout(archive)
  if (!layout.ok) return refuse(layout.problems)
  const unpacked = await unpackFiles(archive, layout.value)
  if (!unpacked.ok) return refuse(unpacked.problems)
  const manifestBytes = unpacked.value.get(manifestPath)
  if (manifestBytes === undefined)
    return refuseOne('package.manifest_not_found', whereTheManifestIs(unpacked.value))
  const manifest = readManifestText(manifestBytes)
  if (!manifest.ok) return refuse(manifest.problems)
  const sha256 = await sha256Hex(archive)
  const sizeBytes = archive.length
  return { ok: true, package: { sha256, sizeBytes, files: unpacked.value, manifest: manifest.value } }
}

/** The places of all entries, after every check that needs no unpacking. */
function readLayout(archive: Uint8Array): Result<readonly PlacedEntry[]> {
  const end = readEndRecord(new DataView(archive.buffer, archive.byteOffset, archive.byteLength))
  if (!end.ok) return end
  const entries = readCentralDirectory(archive, end.value)
  if (!entries.ok) return entries
  const layout = checkLayout(archive, entries.value, end.value.directoryOffset)
  const problems = [...checkEntries(entries.value, archive.length), ...layout.problems]
  return problems.length === 0 ? { ok: true, value: layout.placed } : { ok: false, problems }
}

/** One entry after the other: together they are bounded, so there is nothing to gain from doing it at once. */
async function unpackFiles(
  archive: Uint8Array<ArrayBuffer>,
  placed: readonly PlacedEntry[],
): Promise<Result<ReadonlyMap<string, Uint8Array>>> {
  const files: (readonly [string, Uint8Array])[] = []
  const problems: Problem[] = []
  for (const entry of placed) {
    const unpacked = await unpackEntry(archive, entry)
    if (!unpacked.ok) problems.push(...unpacked.problems)
    else if (!isDirectory(entry.entry)) files.push([entry.entry.path, unpacked.value])
  }
  if (problems.length > 0) return { ok: false, problems }
  return { ok: true, value: new Map(files.toSorted(([a], [b]) => (a < b ? -1 : 1))) }
}

/** Packing the folder instead of its contents is the most common mistake, so it is named. */
function whereTheManifestIs(files: ReadonlyMap<string, Uint8Array>): string {
  const nested = [...files.keys()].some((path) => path.endsWith(`/${manifestPath}`))
  return nested ? 'manifest.json is in a folder, not in the root.' : 'manifest.json is not in the package.'
}

async function sha256Hex(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', bytes)
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function refuseOne(code: PackageErrorCode, message: string): ReadPackageResult {
  return refuse([makeProblem(code, message)])
}

function refuse(problems: readonly Problem[]): ReadPackageResult {
  return { ok: false, problems: problems.slice(0, packageLimits.problemsMax) }
}
