// npx tsx examples/pack.ts FOLDER FILE: packs a folder with a manifest.json into the ZIP that a version is uploaded as.
import { writeFile } from 'node:fs/promises'
import { packFolder } from '../runtime/node/index.ts'

const [folder, file] = process.argv.slice(2)
if (folder === undefined || file === undefined) {
  console.error('usage: npx tsx examples/pack.ts FOLDER FILE')
  process.exit(2)
}
const bytes = await packFolder(folder)
await writeFile(file, bytes)
console.log(`${file}: ${bytes.length} bytes`)
