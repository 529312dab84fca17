/** What became of compressed bytes that were said to hold `size` bytes. */
export type Inflated =
  | { readonly kind: 'whole'; readonly bytes: Uint8Array }
  | { readonly kind: 'size_differs' }
  | { readonly kind: 'broken' }

/** Fed in slices, so that one slice cannot unpack to more than 16 MB (deflate's best is 1032:1) before we look. */
const sliceBytes = 16 * 1024

/**
 * Unpacks raw deflate data that must hold exactly `size` bytes and end exactly where `packed` ends.
 * Never holds more than `size` bytes and one chunk, whatever the data claims.
 */
export async function inflateExactly(packed: Uint8Array<ArrayBuffer>, size: number): Promise<Inflated> {
  const whole = await inflate(packed, size)
  if (whole.kind !== 'whole') return whole
  // Node 20 ignores bytes after the end of a deflate stream, Node 24 and browsers refuse them. The answer must not
  // depend on where it is computed: a stream that is still complete without its last byte hides bytes behind its end.
  const shortened = await inflate(packed.subarray(0, -1), size)
  return shortened.kind === 'broken' ? whole : { kind: 'broken' }
}

async function inflate(packed: Uint8Array<ArrayBuffer>, size: number): Promise<Inflated> {
  const stream = new DecompressionStream('deflate-raw')
  const reader = stream.readable.getReader()
  // A failure to write is the same failure that read() reports; it is handled there.
  feed(stream.writable.getWriter(), packed).catch(() => undefined)
  const bytes = new Uint8Array(size)
  let length = 0
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      if (length + value.length > size) {
        await reader.cancel()
        return { kind: 'size_differs' }
      }
      bytes.set(value, length)
      length += value.length
    }
  } catch {
    return { kind: 'broken' }
  }
  return length === size ? { kind: 'whole', bytes } : { kind: 'size_differs' }
}

async function feed(
  writer: WritableStreamDefaultWriter<BufferSource>,
  packed: Uint8Array<ArrayBuffer>,
): Promise<void> {
  for (let offset = 0; offset < packed.length; offset += sliceBytes) {
    await writer.write(packed.subarray(offset, offset + sliceBytes))
  }
  await writer.close()
}
