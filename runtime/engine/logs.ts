import { cutToBytes, printable, utf8Length } from './text.ts'

export interface LogBuffer {
  /** Takes one entry; the answer is the text as kept, empty when there is no room left. */
  append(entry: string): string
  isFull(): boolean
  readonly text: string
  readonly truncated: boolean
}

/** Keeps at most `bytesMax` bytes of printable lines; a line that continues is indented, so none can be forged. */
export function makeLogBuffer(bytesMax: number): LogBuffer {
  let text = ''
  let bytes = 0
  let truncated = false
  return {
    append(entry) {
      if (truncated) return ''
      const line = `${printable(entry).replaceAll('\n', '\n  ')}\n`
      const kept = cutToBytes(line, bytesMax - bytes)
      truncated = kept.length < line.length
      bytes += utf8Length(kept)
      text += kept
      return kept
    },
    isFull: () => truncated,
    get text() {
      return text
    },
    get truncated() {
      return truncated
    },
  }
}
