import { makeProblem, type PackageErrorCode, type Problem, quote } from '../errors.ts'
import { packageLimits } from '../limits.ts'
import { flagUtf8, isDirectory, type ZipEntry } from './central-directory.ts'
import { checkPath, pathKey } from './check-path.ts'
import { judgeExtra } from './extra-field.ts'

/** A rule about one entry, told by the sentence for which it is refused. */
interface EntryRule {
  readonly code: PackageErrorCode
  readonly says: string
  readonly isBroken: (entry: ZipEntry) => boolean
}

export const methodStore = 0
const methodDeflate = 8

/** Bit 0 encryption, 6 strong encryption, 13 hidden headers. */
const flagsOfEncryption = (1 << 0) | (1 << 6) | (1 << 13)
/** Bits 1 and 2 tell how hard deflate tried, 3 announces a data descriptor. */
const flagsKnown = (1 << 1) | (1 << 2) | (1 << 3) | flagUtf8 | flagsOfEncryption

const typeMask = 0o170000
const typeLink = 0o120000
const typeFile = 0o100000
const typeDirectory = 0o040000
const dosDirectory = 0x10

const entryRules: readonly EntryRule[] = [
  { code: 'package.zip64', says: 'uses ZIP64', isBroken: isZip64 },
  {
    code: 'package.multi_disk',
    says: 'is on another disk',
    isBroken: (e) => e.disk !== 0 && e.disk !== 0xffff,
  },
  { code: 'package.encrypted', says: 'is encrypted', isBroken: (e) => (e.flags & flagsOfEncryption) !== 0 },
  {
    code: 'package.flags_unsupported',
    says: 'uses features of ZIP that are not supported',
    isBroken: (e) => (e.flags & ~flagsKnown) !== 0,
  },
  {
    code: 'package.method_unsupported',
    says: 'is compressed by another method than deflate',
    isBroken: (e) => e.method !== methodStore && e.method !== methodDeflate,
  },
  {
    code: 'package.extra_field_unsupported',
    says: 'carries an extra field that is not supported',
    isBroken: (e) => judgeExtra(e.extra) === 'unsupported',
  },
  { code: 'package.comment_present', says: 'has a comment', isBroken: (e) => e.commentBytes > 0 },
  { code: 'package.symlink', says: 'is a symbolic link', isBroken: (e) => typeOf(e) === typeLink },
  { code: 'package.special_file', says: 'is neither a file nor a directory', isBroken: isSpecial },
  {
    code: 'package.directory_with_content',
    says: 'is a directory and has contents',
    isBroken: (e) => isDirectory(e) && (e.size > 0 || e.packedSize > 0),
  },
  {
    code: 'package.ratio_too_high',
    says: `unpacks to more than ${packageLimits.ratioMax} times its size`,
    isBroken: (e) => isRatioTooHigh(e.size, e.packedSize),
  },
]

/** Checks what the directory says about all entries, before anything of them is read. */
export function checkEntries(entries: readonly ZipEntry[], packageBytes: number): readonly Problem[] {
  return [
    ...entries.flatMap(checkEntry),
    ...checkRepeatedPaths(entries),
    ...checkFilesAsDirectories(entries),
    ...checkTotalSize(entries),
    ...checkTotalRatio(entries, packageBytes),
  ]
}

function checkEntry(entry: ZipEntry): readonly Problem[] {
  const at = { path: entry.path }
  const broken = entryRules
    .filter((rule) => rule.isBroken(entry))
    .map((rule) => makeProblem(rule.code, `${quote(entry.path)} ${rule.says}.`, at))
  if (!entry.isUtf8) {
    return [
      ...broken,
      makeProblem('package.path_not_utf8', `The path ${quote(entry.path)} is not UTF-8.`, at),
    ]
  }
  return [...broken, ...checkPath(entry.path)]
}

function checkRepeatedPaths(entries: readonly ZipEntry[]): readonly Problem[] {
  const seen = new Map<string, string>()
  const problems: Problem[] = []
  for (const { path } of entries) {
    const key = pathKey(path)
    const other = seen.get(key)
    if (other !== undefined) {
      const message = `${quote(path)} and ${quote(other)} are one path when case is ignored.`
      problems.push(makeProblem('package.path_repeated', message, { path }))
    }
    seen.set(key, path)
  }
  return problems
}

function checkFilesAsDirectories(entries: readonly ZipEntry[]): readonly Problem[] {
  const directories = new Set(entries.flatMap((entry) => parentKeys(entry.path)))
  return entries
    .filter((entry) => !isDirectory(entry) && directories.has(pathKey(entry.path)))
    .map(({ path }) => {
      return makeProblem('package.file_is_directory', `${quote(path)} is a file and a directory.`, { path })
    })
}

/** Keys of all directories above a path, and of the directory itself when the path is one. */
function parentKeys(path: string): readonly string[] {
  const names = pathKey(path).split('/').slice(0, -1)
  return names.map((_name, index) => names.slice(0, index + 1).join('/'))
}

function checkTotalSize(entries: readonly ZipEntry[]): readonly Problem[] {
  const size = totalSize(entries)
  if (size <= packageLimits.unpackedBytesMax) return []
  const message = `The files have ${size} bytes together; ${packageLimits.unpackedBytesMax} are allowed.`
  return [makeProblem('package.unpacked_too_large', message)]
}

/** For bombs of many small files; a single file that is one has been named already. */
function checkTotalRatio(entries: readonly ZipEntry[], packageBytes: number): readonly Problem[] {
  if (!isRatioTooHigh(totalSize(entries), packageBytes)) return []
  if (entries.some((entry) => isRatioTooHigh(entry.size, entry.packedSize))) return []
  const message = `The package unpacks to more than ${packageLimits.ratioMax} times its size.`
  return [makeProblem('package.ratio_too_high', message)]
}

function totalSize(entries: readonly ZipEntry[]): number {
  return entries.reduce((sum, entry) => sum + entry.size, 0)
}

function isRatioTooHigh(size: number, packedSize: number): boolean {
  return size > packageLimits.ratioFreeBytes && size > packageLimits.ratioMax * packedSize
}

function isZip64(entry: ZipEntry): boolean {
  const isFull =
    [entry.size, entry.packedSize, entry.headerOffset].includes(0xffffffff) || entry.disk === 0xffff
  return isFull || judgeExtra(entry.extra) === 'zip64'
}

function typeOf(entry: ZipEntry): number {
  return (entry.attributes >>> 16) & typeMask
}

/** Devices, pipes and sockets, and entries whose name and attributes disagree on whether they are a directory. */
function isSpecial(entry: ZipEntry): boolean {
  const type = typeOf(entry)
  if (type === typeLink) return false
  const isMarkedDirectory = type === typeDirectory || (type === 0 && (entry.attributes & dosDirectory) !== 0)
  if (isMarkedDirectory) return !isDirectory(entry)
  return type !== 0 && (type !== typeFile || isDirectory(entry))
}
