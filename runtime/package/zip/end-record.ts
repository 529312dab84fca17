import { makeProblem, type PackageErrorCode, type Problem, type Result } from '../errors.ts'
import { packageLimits } from '../limits.ts'

/** Where the central directory is. It ends where the end record begins. */
export interface EndRecord {
  readonly entryCount: number
  readonly directoryOffset: number
  readonly directoryEnd: number
}

const endRecordBytes = 22
const endRecordSignature = 0x06054b50
const zip64LocatorSignature = 0x07064b50
const zip64LocatorBytes = 20
const centralHeaderSignature = 0x02014b50
const commentBytesMax = 0xffff

/**
 * Reads the end of central directory record (APPNOTE 4.3.16), which must be the last 22 bytes: searching for it
 * further up is how two readers come to see two different archives.
 */
export function readEndRecord(view: DataView): Result<EndRecord> {
  const offset = view.byteLength - endRecordBytes
  if (offset < 0) return refuse('package.not_a_zip', 'It is shorter than an empty archive.')
  if (view.getUint32(offset, true) !== endRecordSignature)
    return { ok: false, problems: [whyNotAtTheEnd(view)] }
  if (view.getUint16(offset + 20, true) !== 0)
    return refuse('package.comment_present', 'The archive comment is cut off.')
  if (isZip64(view, offset)) return refuse('package.zip64', 'The end record points to a ZIP64 record.')
  const disks = [view.getUint16(offset + 4, true), view.getUint16(offset + 6, true)]
  const entriesHere = view.getUint16(offset + 8, true)
  const entryCount = view.getUint16(offset + 10, true)
  if (disks.some((disk) => disk !== 0) || entriesHere !== entryCount) {
    return refuse('package.multi_disk', 'The end record names more than one disk.')
  }
  if (entryCount > packageLimits.filesMax) {
    return refuse(
      'package.too_many_files',
      `It has ${entryCount} entries; ${packageLimits.filesMax} are allowed.`,
    )
  }
  return locate(view, { offset, entryCount })
}

function locate(
  view: DataView,
  end: { readonly offset: number; readonly entryCount: number },
): Result<EndRecord> {
  const size = view.getUint32(end.offset + 12, true)
  const directoryOffset = view.getUint32(end.offset + 16, true)
  if (directoryOffset + size === end.offset) {
    return { ok: true, value: { entryCount: end.entryCount, directoryOffset, directoryEnd: end.offset } }
  }
  const begin = end.offset - size
  const isShifted = begin >= 0 && size >= 4 && view.getUint32(begin, true) === centralHeaderSignature
  if (isShifted && begin > directoryOffset) {
    return refuse('package.prepended_data', `The archive begins ${begin - directoryOffset} bytes late.`)
  }
  return refuse('package.directory_broken', 'The list of files is not where the end record says.')
}

function isZip64(view: DataView, offset: number): boolean {
  const locator = offset - zip64LocatorBytes
  if (locator >= 0 && view.getUint32(locator, true) === zip64LocatorSignature) return true
  const isFull16 = [8, 10].some((field) => view.getUint16(offset + field, true) === 0xffff)
  const isFull32 = [12, 16].some((field) => view.getUint32(offset + field, true) === 0xffffffff)
  return isFull16 || isFull32
}

/** Tells “something follows the archive” from “there is no archive”, for the sake of a useful message only. */
function whyNotAtTheEnd(view: DataView): Problem {
  const last = view.byteLength - endRecordBytes
  for (let offset = last; offset >= Math.max(0, last - commentBytesMax); offset -= 1) {
    if (view.getUint32(offset, true) !== endRecordSignature) continue
    const rest = view.byteLength - offset - endRecordBytes
    return view.getUint16(offset + 20, true) === rest
      ? makeProblem('package.comment_present', `The archive has a comment of ${rest} bytes.`)
      : makeProblem('package.trailing_data', `${rest} bytes follow the end of the archive.`)
  }
  return makeProblem(
    'package.not_a_zip',
    'It has no end record, so it is no ZIP archive or an incomplete one.',
  )
}

function refuse(code: PackageErrorCode, message: string): Result<never> {
  return { ok: false, problems: [makeProblem(code, message)] }
}
