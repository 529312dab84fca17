/** What an extra field (APPNOTE 4.5) says about the entry it is attached to. */
export type ExtraVerdict = 'harmless' | 'zip64' | 'unsupported'

const zip64Id = 0x0001

/**
 * Times and owners, written by common tools and ignored here. Everything else may change what an entry means
 * (another name, another size, a link target, encryption) or hides bytes, so it is refused.
 */
const harmlessIds: ReadonlySet<number> = new Set([
  0x000a, // NTFS times
  0x5455, // “UT”, Unix times
  0x5855, // “UX”, Info-ZIP Unix, old
  0x7855, // “Ux”, Info-ZIP Unix
  0x7875, // “ux”, Info-ZIP Unix, new
  0xcafe, // Java archive marker
])

/** Judges all extra fields of one header. */
export function judgeExtra(extra: Uint8Array): ExtraVerdict {
  const view = new DataView(extra.buffer, extra.byteOffset, extra.byteLength)
  let verdict: ExtraVerdict = 'harmless'
  let offset = 0
  while (offset < extra.length) {
    if (offset + 4 > extra.length) return 'unsupported'
    const id = view.getUint16(offset, true)
    if (id === zip64Id) return 'zip64'
    if (!harmlessIds.has(id)) verdict = 'unsupported'
    offset += 4 + view.getUint16(offset + 2, true)
  }
  return offset === extra.length ? verdict : 'unsupported'
}
