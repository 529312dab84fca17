/**
 * The beginning of a text that came from outside, at most `bytesMax` bytes of UTF-8, in a form that PostgreSQL stores:
 * without NUL, and whole characters only.
 */
export function keepText(text: string, bytesMax: number): string {
  // Most are a few plain characters; one of UTF-16 has three bytes at most.
  if (text.length * 3 <= bytesMax && !text.includes('\u0000') && text.isWellFormed()) return text
  // Half a surrogate pair has no bytes either; this makes it U+FFFD.
  const bytes = Buffer.from(text.replaceAll('\u0000', '\ufffd'))
  if (bytes.length <= bytesMax) return bytes.toString('utf8')
  // A continuation byte (10xxxxxx) at the cut belongs to a character that would be halved.
  let end = bytesMax
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return bytes.toString('utf8', 0, end)
}
