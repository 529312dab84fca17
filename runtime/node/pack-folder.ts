import { Buffer } from 'node:buffer'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import yazl from 'yazl'

// ZIP knows no time zone and begins in 1980. One time for all files: the same files are the same package.
// biome-ignore lint/style/noRestrictedGlobals: yazl asks for a date object; this one is a constant
const packedAt = new Date(1980, 0, 1)

/** A package of these files, by path; the same files give the same bytes. */
export async function packFiles(files: ReadonlyMap<string, string | Uint8Array>): Promise<Uint8Array> {
  const zip = new yazl.ZipFile()
  for (const name of [...files.keys()].toSorted()) {
    const content = Buffer.from(files.get(name) ?? '')
    zip.addBuffer(content, name, { mtime: packedAt, mode: 0o100644, forceDosTimestamp: true })
  }
  zip.end()
  const chunks: Buffer[] = []
  for await (const chunk of zip.outputStream) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

/** Packs what is in a folder, not the folder itself. Markdown files stay at home. */
export async function packFolder(folder: string): Promise<Uint8Array> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = new Map<string, Uint8Array>()
  for (const entry of entries) {
    if (!entry.isFile() || entry.name.endsWith('.md')) continue
    const file = path.join(entry.parentPath, entry.name)
    files.set(path.relative(folder, file).replaceAll(path.sep, '/'), await readFile(file))
  }
  return packFiles(files)
}
