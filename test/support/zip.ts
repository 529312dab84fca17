import { Buffer } from 'node:buffer'
import { Readable } from 'node:stream'
import { deflateRawSync } from 'node:zlib'
import yauzl from 'yauzl'
import yazl from 'yazl'
import { crc32 } from '../../runtime/package/zip/crc32.ts'

/** Contents by path; text is UTF-8. */
export type FileContents = Readonly<Record<string, string | Uint8Array>>

/** A valid ZIP as an ordinary tool makes it. `streamed` uses data descriptors. */
export async function makeZip(
  files: FileContents,
  options: { readonly streamed?: boolean; readonly compress?: boolean } = {},
): Promise<Uint8Array> {
  const zip = new yazl.ZipFile()
  for (const [path, content] of Object.entries(files)) {
    const bytes = Buffer.from(toBytes(content))
    const entry = { compress: options.compress ?? true }
    if (options.streamed)
      zip.addReadStreamLazy(path, entry, (callback) => callback(null, Readable.from([bytes])))
    else zip.addBuffer(bytes, path, entry)
  }
  zip.end()
  const chunks: Uint8Array[] = []
  for await (const chunk of zip.outputStream) chunks.push(Buffer.from(chunk))
  return concat(chunks)
}

/** What yauzl, an independent reader, finds in a ZIP: contents by name, directories left out. */
export async function readWithYauzl(bytes: Uint8Array): Promise<ReadonlyMap<string, Uint8Array>> {
  const zip = await yauzl.fromBufferPromise(Buffer.from(bytes))
  const files = new Map<string, Uint8Array>()
  for await (const entry of zip.eachEntry()) {
    if (entry.fileName.endsWith('/')) continue
    const chunks: Uint8Array[] = []
    for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(Buffer.from(chunk))
    files.set(entry.fileName, concat(chunks))
  }
  return files
}

/** The fields that the central directory and a local header both have. */
interface HeaderFields {
  readonly flags: number
  readonly method: number
  readonly crc32: number
  readonly packedSize: number
  readonly size: number
}

interface CentralFields extends HeaderFields {
  readonly headerOffset: number
  readonly disk: number
}

/** One entry, byte by byte; what is left out is what an honest archive would have. */
export interface RawEntry {
  readonly name: string | Uint8Array
  readonly content?: string | Uint8Array
  /** 0 store, 8 deflate. */
  readonly method?: number
  /** Replaces the compressed bytes. */
  readonly packed?: Uint8Array
  readonly flags?: number
  readonly descriptor?: 'none' | 'signed' | 'plain'
  readonly descriptorLies?: Partial<Pick<HeaderFields, 'crc32' | 'packedSize' | 'size'>>
  readonly extra?: Uint8Array
  readonly localExtra?: Uint8Array
  readonly comment?: string
  readonly attributes?: number
  readonly centralLies?: Partial<CentralFields>
  readonly localLies?: Partial<HeaderFields> & { readonly name?: string | Uint8Array }
  /** Bytes in front of the local header. */
  readonly gapBefore?: Uint8Array
}

export interface RawArchive {
  readonly prefix?: Uint8Array
  /** Bytes between the last entry and the central directory. */
  readonly beforeDirectory?: Uint8Array
  /** Bytes between the central directory and the end record. */
  readonly beforeEnd?: Uint8Array
  readonly suffix?: Uint8Array
  readonly comment?: string
  readonly endLies?: {
    readonly disk?: number
    readonly entriesHere?: number
    readonly entryCount?: number
    readonly directorySize?: number
    readonly directoryOffset?: number
  }
}

const flagUtf8 = 1 << 11
const flagDescriptor = 1 << 3

/** Unix mode for `attributes`. */
export function unixMode(mode: number): number {
  return (mode << 16) >>> 0
}

/** An extra field with the given id. */
export function extraField(id: number, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  return concat([u16(id), u16(data.length), data])
}

/** Writes an archive by bytes, honest where nothing else is asked for. */
export function makeRawZip(entries: readonly RawEntry[], archive: RawArchive = {}): Uint8Array {
  const parts: Uint8Array[] = [archive.prefix ?? new Uint8Array(0)]
  const central: Uint8Array[] = []
  for (const entry of entries) {
    parts.push(entry.gapBefore ?? new Uint8Array(0))
    const headerOffset = lengthOf(parts)
    const fields = fieldsOf(entry)
    parts.push(localHeader(entry, fields), fields.packed, descriptor(entry, fields))
    central.push(centralHeader(entry, { ...fields, headerOffset, disk: 0, ...entry.centralLies }))
  }
  parts.push(archive.beforeDirectory ?? new Uint8Array(0))
  const directoryOffset = lengthOf(parts)
  const end = {
    disk: 0,
    entriesHere: entries.length,
    entryCount: entries.length,
    directorySize: lengthOf(central),
    directoryOffset,
    ...archive.endLies,
  }
  const comment = toBytes(archive.comment ?? '')
  return concat([
    ...parts,
    ...central,
    archive.beforeEnd ?? new Uint8Array(0),
    ...[u32(0x06054b50), u16(end.disk), u16(end.disk), u16(end.entriesHere), u16(end.entryCount)],
    ...[u32(end.directorySize), u32(end.directoryOffset), u16(comment.length), comment],
    archive.suffix ?? new Uint8Array(0),
  ])
}

function fieldsOf(entry: RawEntry): HeaderFields & { readonly packed: Uint8Array } {
  const content = toBytes(entry.content ?? '')
  const method = entry.method ?? 0
  const packed = entry.packed ?? (method === 8 ? new Uint8Array(deflateRawSync(content)) : content)
  const hasDescriptor = (entry.descriptor ?? 'none') !== 'none'
  const flags = entry.flags ?? flagUtf8 | (hasDescriptor ? flagDescriptor : 0)
  return { flags, method, crc32: crc32(content), packedSize: packed.length, size: content.length, packed }
}

function localHeader(entry: RawEntry, honest: HeaderFields): Uint8Array {
  const isDeferred = (entry.descriptor ?? 'none') !== 'none'
  const deferred = isDeferred ? { crc32: 0, packedSize: 0, size: 0 } : {}
  const fields = { ...honest, ...deferred, ...entry.localLies }
  const name = toBytes(entry.localLies?.name ?? entry.name)
  const extra = entry.localExtra ?? entry.extra ?? new Uint8Array(0)
  return concat([
    ...[u32(0x04034b50), u16(20), u16(fields.flags), u16(fields.method), u32(0)],
    ...[u32(fields.crc32), u32(fields.packedSize), u32(fields.size)],
    ...[u16(name.length), u16(extra.length), name, extra],
  ])
}

function descriptor(entry: RawEntry, honest: HeaderFields): Uint8Array {
  const kind = entry.descriptor ?? 'none'
  if (kind === 'none') return new Uint8Array(0)
  const fields = { ...honest, ...entry.descriptorLies }
  const signature = kind === 'signed' ? [u32(0x08074b50)] : []
  return concat([...signature, u32(fields.crc32), u32(fields.packedSize), u32(fields.size)])
}

function centralHeader(entry: RawEntry, fields: CentralFields): Uint8Array {
  const name = toBytes(entry.name)
  const extra = entry.extra ?? new Uint8Array(0)
  const comment = toBytes(entry.comment ?? '')
  return concat([
    ...[u32(0x02014b50), u16(0x0314), u16(20), u16(fields.flags), u16(fields.method), u32(0)],
    ...[u32(fields.crc32), u32(fields.packedSize), u32(fields.size)],
    ...[u16(name.length), u16(extra.length), u16(comment.length), u16(fields.disk), u16(0)],
    ...[u32(entry.attributes ?? 0), u32(fields.headerOffset), name, extra, comment],
  ])
}

export function toBytes(content: string | Uint8Array): Uint8Array {
  return typeof content === 'string' ? new TextEncoder().encode(content) : content
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}

function lengthOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0)
}

function u16(value: number): Uint8Array {
  const bytes = new Uint8Array(2)
  new DataView(bytes.buffer).setUint16(0, value, true)
  return bytes
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return bytes
}
