import type { Json } from '../abi/index.ts'

/** Deeper JSON is an attack on recursive code outside the sandbox. */
const depthMax = 64

/** UTF-8 length of `text` in bytes; a lone surrogate counts as the three bytes of its replacement. */
export function utf8Length(text: string): number {
  let bytes = 0
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) bytes += 1
    else if (unit < 0x800) bytes += 2
    else if (isPairAt(text, i)) {
      bytes += 4
      i += 1
    } else bytes += 3
  }
  return bytes
}

function isPairAt(text: string, index: number): boolean {
  return (text.codePointAt(index) ?? 0) > 0xffff
}

/** The longest beginning of `text` that has at most `bytesMax` UTF-8 bytes. */
export function cutToBytes(text: string, bytesMax: number): string {
  let kept = text.slice(0, bytesMax)
  while (utf8Length(kept) > bytesMax) kept = kept.slice(0, -Math.ceil((utf8Length(kept) - bytesMax) / 4))
  return kept.replace(/[\ud800-\udbff]$/, '')
}

/**
 * `text` safe to print and to store: control characters, directional overrides and lone surrogates are written as
 * `\x1b`, `\u202e`, `\ud800`; LF and TAB stay.
 */
export function printable(text: string): string {
  return text.replaceAll(/(?![\n\t])[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u202a-\u202e\u2066-\u2069]/gu, (character) => {
    const unit = character.charCodeAt(0).toString(16)
    return unit.length > 2 ? `\\u${unit}` : `\\x${unit.padStart(2, '0')}`
  })
}

function isShallow(value: unknown, depthLeft: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (depthLeft === 0) return false
  for (const member of Object.values(value)) if (!isShallow(member, depthLeft - 1)) return false
  return true
}

/** What a guest's JSON text says, or undefined when it is too deep. Own `__proto__` members are dropped. */
export function parseGuestJson(text: string): { readonly value: Json } | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (!isShallow(value, depthMax)) return undefined
    // An own __proto__ member would replace the prototype of whatever the host assigns it into.
    const clean: unknown = /__proto__|\\u00/i.test(text)
      ? JSON.parse(text, (key, member: unknown) => (key === '__proto__' ? undefined : member))
      : value
    return { value: clean as Json }
  } catch {
    return undefined
  }
}
