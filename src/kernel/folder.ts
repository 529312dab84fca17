import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes a folder, with those above it, for this user alone; one that exists stays as it is. Not mkdir's own `recursive`:
 * where a folder cannot be made although the one above it exists (/proc), Node 20 tries for ever.
 * @throws the error of the first folder that cannot be made
 */
export function makeFolder(path: string): void {
  if (existsSync(path)) return
  makeFolder(dirname(path))
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    // Another process may have made it meanwhile.
    if (!existsSync(path)) throw error
  }
}
