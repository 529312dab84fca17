import { type FileHandle, open } from 'node:fs/promises'

/** A file of JSON lines that are on the disk when `append` resolves. */
export interface Journal {
  append(...lines: readonly object[]): Promise<void>
  close(): Promise<void>
}

/** Opens it for appending. Lines that come while one fsync runs share the next. */
export async function openJournal(file: string): Promise<Journal> {
  const handle: FileHandle = await open(file, 'a')
  let waiting: string[] = []
  let written: Promise<void> = Promise.resolve()
  let next: Promise<void> | null = null

  async function write(): Promise<void> {
    next = null
    const text = waiting.join('')
    waiting = []
    await handle.appendFile(text)
    await handle.datasync()
  }

  return {
    append(...lines) {
      for (const line of lines) waiting.push(`${JSON.stringify(line)}\n`)
      if (next === null) {
        next = written.then(write)
        written = next
      }
      return next
    },
    close: () => handle.close(),
  }
}
