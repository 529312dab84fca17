import { makeProblem, type Problem, quote } from '../errors.ts'
import type { ZipEntry } from './central-directory.ts'
import { judgeExtra } from './extra-field.ts'

/** An entry with the place of its bytes in the archive. */
export interface PlacedEntry {
  readonly entry: ZipEntry
  readonly dataOffset: number
}

/** The entries' places and what is wrong with them. */
export interface Layout {
  readonly placed: readonly PlacedEntry[]
  readonly problems: readonly Problem[]
}

const headerSignature = 0x04034b50
const headerBytes = 30
const descriptorSignature = 0x08074b50
const flagDescriptor = 1 << 3

/**
 * Checks that local headers, data and data descriptors lie end to end from the first byte to the central directory.
 * Then nothing overlaps (a bomb of overlapping entries needs no large file), nothing precedes the archive, nothing is
 * hidden between entries, and a reader that goes by local headers sees the same files as one that goes by the directory.
 */
export function checkLayout(
  bytes: Uint8Array,
  entries: readonly ZipEntry[],
  directoryOffset: number,
): Layout {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const inOrder = entries.toSorted((a, b) => a.headerOffset - b.headerOffset)
  const placed: PlacedEntry[] = []
  const problems: Problem[] = []
  let end = 0
  for (const [index, entry] of inOrder.entries()) {
    const next = inOrder[index + 1]?.headerOffset ?? directoryOffset
    const place = placeEntry(view, entry, { begin: end, next, directoryOffset })
    problems.push(...place.problems)
    if (place.dataOffset !== null) placed.push({ entry, dataOffset: place.dataOffset })
    end = Math.max(end, place.end)
  }
  if (problems.length === 0 && end !== directoryOffset) {
    problems.push(gap(end === 0, directoryOffset - end))
  }
  return { placed, problems }
}

interface Bounds {
  /** Where the entries before this one end. */
  readonly begin: number
  /** Where the next entry, or the directory, begins. */
  readonly next: number
  readonly directoryOffset: number
}

interface Place {
  /** null: there is no usable local header. */
  readonly dataOffset: number | null
  readonly end: number
  readonly problems: readonly Problem[]
}

function placeEntry(view: DataView, entry: ZipEntry, bounds: Bounds): Place {
  const { headerOffset, path } = entry
  if (headerOffset < bounds.begin) return { dataOffset: null, end: bounds.begin, problems: [overlap(path)] }
  const isHeader =
    headerOffset + headerBytes <= bounds.directoryOffset &&
    view.getUint32(headerOffset, true) === headerSignature
  if (!isHeader) {
    const problem = makeProblem('package.local_header_differs', `${quote(path)} has no header of its own.`, {
      path,
    })
    return { dataOffset: null, end: bounds.begin, problems: [problem] }
  }
  const problems: Problem[] = []
  if (headerOffset > bounds.begin) problems.push(gap(bounds.begin === 0, headerOffset - bounds.begin))
  const nameLength = view.getUint16(headerOffset + 26, true)
  const dataOffset = headerOffset + headerBytes + nameLength + view.getUint16(headerOffset + 28, true)
  const dataEnd = dataOffset + entry.packedSize
  if (dataEnd > bounds.directoryOffset)
    return { dataOffset: null, end: dataEnd, problems: [...problems, overlap(path)] }
  problems.push(...checkLocalHeader(view, entry, dataOffset))
  if ((entry.flags & flagDescriptor) === 0 || dataEnd > bounds.next)
    return { dataOffset, end: dataEnd, problems }
  problems.push(...checkDescriptor(view, entry, { dataEnd, next: bounds.next }))
  return { dataOffset, end: bounds.next, problems }
}

function checkLocalHeader(view: DataView, entry: ZipEntry, dataOffset: number): readonly Problem[] {
  const { headerOffset, path } = entry
  const nameLength = view.getUint16(headerOffset + 26, true)
  const header = new Uint8Array(view.buffer, view.byteOffset + headerOffset, dataOffset - headerOffset)
  const name = header.subarray(headerBytes, headerBytes + nameLength)
  const isSame =
    view.getUint16(headerOffset + 6, true) === entry.flags &&
    view.getUint16(headerOffset + 8, true) === entry.method &&
    name.length === entry.nameBytes.length &&
    name.every((byte, index) => byte === entry.nameBytes[index]) &&
    areSizesSame(view, entry)
  if (!isSame) {
    const message = `The header of ${quote(path)} differs from the list of files.`
    return [makeProblem('package.local_header_differs', message, { path })]
  }
  // Most tools write the field in both places; one problem is enough.
  if (judgeExtra(entry.extra) !== 'harmless') return []
  if (judgeExtra(header.subarray(headerBytes + nameLength)) === 'harmless') return []
  const message = `${quote(path)} carries an extra field that is not supported.`
  return [makeProblem('package.extra_field_unsupported', message, { path })]
}

/** APPNOTE 4.4.4: with bit 3 set, checksum and sizes are zero here and follow the data; some writers fill them anyway. */
function areSizesSame(view: DataView, entry: ZipEntry): boolean {
  const local = [14, 18, 22].map((field) => view.getUint32(entry.headerOffset + field, true))
  const listed = [entry.crc32, entry.packedSize, entry.size]
  const mayBeZero = (entry.flags & flagDescriptor) !== 0
  return local.every((value, index) => value === listed[index] || (mayBeZero && value === 0))
}

/** APPNOTE 4.3.9: 12 bytes, or 16 with the signature that “may or may not” be there; the next header tells which. */
function checkDescriptor(
  view: DataView,
  entry: ZipEntry,
  at: { readonly dataEnd: number; readonly next: number },
): readonly Problem[] {
  const length = at.next - at.dataEnd
  const hasSignature = length === 16 && view.getUint32(at.dataEnd, true) === descriptorSignature
  const fields = hasSignature ? at.dataEnd + 4 : at.dataEnd
  const isSame =
    (length === 12 || hasSignature) &&
    view.getUint32(fields, true) === entry.crc32 &&
    view.getUint32(fields + 4, true) === entry.packedSize &&
    view.getUint32(fields + 8, true) === entry.size
  if (isSame) return []
  const message = `The sizes after the data of ${quote(entry.path)} differ from the list of files.`
  return [makeProblem('package.data_descriptor_differs', message, { path: entry.path })]
}

function overlap(path: string): Problem {
  return makeProblem('package.overlapping_entries', `${quote(path)} shares bytes with another entry.`, {
    path,
  })
}

function gap(isAtBegin: boolean, byteCount: number): Problem {
  return isAtBegin
    ? makeProblem('package.prepended_data', `${byteCount} bytes precede the first file.`)
    : makeProblem('package.hidden_data', `${byteCount} bytes of the archive belong to no listed file.`)
}
