import { makeProblem, type Result } from '../errors.ts'
import type { EndRecord } from './end-record.ts'

/** One entry as the central directory lists it (APPNOTE 4.3.12). Nothing in it is checked yet. */
export interface ZipEntry {
  /** Decoded name, in Unicode NFC. When `isUtf8` is false, only good enough for a message. */
  readonly path: string
  readonly isUtf8: boolean
  readonly nameBytes: Uint8Array
  readonly extra: Uint8Array
  readonly flags: number
  readonly method: number
  readonly crc32: number
  /** Bytes in the archive. */
  readonly packedSize: number
  /** Bytes after unpacking, as declared. */
  readonly size: number
  readonly headerOffset: number
  readonly disk: number
  readonly commentBytes: number
  /** Unix mode in the upper half, DOS attributes in the lower. */
  readonly attributes: number
}

export const flagUtf8 = 1 << 11

const headerSignature = 0x02014b50
const headerBytes = 46

/** Whether an entry stands for a directory: by convention a name that ends with a slash. */
export function isDirectory(entry: ZipEntry): boolean {
  return entry.path.endsWith('/')
}

/** Reads all entries; they must fill the directory exactly. */
export function readCentralDirectory(bytes: Uint8Array, end: EndRecord): Result<readonly ZipEntry[]> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const entries: ZipEntry[] = []
  let offset = end.directoryOffset
  for (let index = 0; index < end.entryCount; index += 1) {
    const next = entryEnd(view, { offset, limit: end.directoryEnd })
    if (next === null) return broken(`Entry ${index + 1} of ${end.entryCount} is cut off or is none.`)
    entries.push(readEntry(bytes, view, offset))
    offset = next
  }
  if (offset !== end.directoryEnd) return broken('It holds more than the listed entries.')
  return { ok: true, value: entries }
}

function entryEnd(view: DataView, at: { readonly offset: number; readonly limit: number }): number | null {
  if (at.offset + headerBytes > at.limit) return null
  if (view.getUint32(at.offset, true) !== headerSignature) return null
  const variable = [28, 30, 32].map((field) => view.getUint16(at.offset + field, true))
  const end = variable.reduce((sum, length) => sum + length, at.offset + headerBytes)
  return end <= at.limit ? end : null
}

function readEntry(bytes: Uint8Array, view: DataView, offset: number): ZipEntry {
  const nameLength = view.getUint16(offset + 28, true)
  const extraLength = view.getUint16(offset + 30, true)
  const extraOffset = offset + headerBytes + nameLength
  const nameBytes = bytes.subarray(offset + headerBytes, extraOffset)
  const flags = view.getUint16(offset + 8, true)
  return {
    ...decodeName(nameBytes, flags),
    nameBytes,
    extra: bytes.subarray(extraOffset, extraOffset + extraLength),
    flags,
    method: view.getUint16(offset + 10, true),
    crc32: view.getUint32(offset + 16, true),
    packedSize: view.getUint32(offset + 20, true),
    size: view.getUint32(offset + 24, true),
    commentBytes: view.getUint16(offset + 32, true),
    disk: view.getUint16(offset + 34, true),
    attributes: view.getUint32(offset + 38, true),
    headerOffset: view.getUint32(offset + 42, true),
  }
}

/** APPNOTE appendix D: without flag 11 a name is in code page 437, which agrees with UTF-8 on ASCII only. */
function decodeName(name: Uint8Array, flags: number): { readonly path: string; readonly isUtf8: boolean } {
  const isAscii = name.every((byte) => byte < 0x80)
  const isMarked = (flags & flagUtf8) !== 0
  try {
    const path = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(name)
    return { path: path.normalize('NFC'), isUtf8: isAscii || isMarked }
  } catch {
    return { path: new TextDecoder('utf-8').decode(name), isUtf8: false }
  }
}

function broken(message: string): Result<never> {
  return { ok: false, problems: [makeProblem('package.directory_broken', message)] }
}
