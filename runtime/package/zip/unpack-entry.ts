import { makeProblem, type Problem, quote, type Result } from '../errors.ts'
import { methodStore } from './check-entries.ts'
import type { PlacedEntry } from './check-layout.ts'
import { crc32 } from './crc32.ts'
import { type Inflated, inflateExactly } from './inflate.ts'

/** Unpacks one checked entry into a copy of its own; size and checksum must be the listed ones. */
export async function unpackEntry(
  archive: Uint8Array<ArrayBuffer>,
  { entry, dataOffset }: PlacedEntry,
): Promise<Result<Uint8Array>> {
  const packed = archive.subarray(dataOffset, dataOffset + entry.packedSize)
  const unpacked =
    entry.method === methodStore ? store(packed, entry.size) : await inflateExactly(packed, entry.size)
  const at = { path: entry.path }
  if (unpacked.kind === 'broken') {
    return refuse(makeProblem('package.data_broken', `${quote(entry.path)} cannot be unpacked.`, at))
  }
  if (unpacked.kind === 'size_differs') {
    const message = `${quote(entry.path)} does not have the listed ${entry.size} bytes.`
    return refuse(makeProblem('package.size_differs', message, at))
  }
  if (crc32(unpacked.bytes) !== entry.crc32) {
    return refuse(makeProblem('package.crc_differs', `The checksum of ${quote(entry.path)} is wrong.`, at))
  }
  return { ok: true, value: unpacked.bytes }
}

function store(packed: Uint8Array, size: number): Inflated {
  return packed.length === size ? { kind: 'whole', bytes: packed.slice() } : { kind: 'size_differs' }
}

function refuse(problem: Problem): Result<never> {
  return { ok: false, problems: [problem] }
}
