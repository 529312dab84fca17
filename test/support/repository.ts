import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Absolute path of the folder that holds package.json. */
export const repositoryRoot = join(dirname(fileURLToPath(import.meta.url)), '../..')

export type PartName = string

interface ImportConfig {
  readonly forbidden: readonly { readonly name: string; readonly comment: string }[]
  /** The tables the rules are made from. */
  readonly tables: {
    readonly parts: Readonly<Record<PartName, readonly string[]>>
    readonly runtimeFolders: Readonly<Record<string, readonly string[]>>
    /** [packages, the only files or folders that may import them]. */
    readonly gates: readonly (readonly [readonly string[], ...string[]])[]
  }
}

const importConfig = createRequire(import.meta.url)('../../.dependency-cruiser.cjs') as ImportConfig

export const importRules = importConfig.forbidden
export const importTables = importConfig.tables

export interface SourceFile {
  /** From the repository root, with forward slashes. */
  readonly path: string
  readonly text: string
}

const skipped = new Set(['node_modules', 'generated', 'dist', '.git'])

/** The text files below a folder whose name matches, sorted by path; none when the folder is not there. */
export function readFiles(folder: string, name: RegExp): SourceFile[] {
  return listFiles(join(repositoryRoot, folder), name)
    .sort()
    .map((path) => ({
      path: relative(repositoryRoot, path).split(sep).join('/'),
      text: readFileSync(path, 'utf8'),
    }))
}

function listFiles(folder: string, name: RegExp): string[] {
  const files: string[] = []
  for (const entry of readDirectory(folder)) {
    const path = join(folder, entry.name)
    if (entry.isDirectory() && !skipped.has(entry.name)) files.push(...listFiles(path, name))
    else if (entry.isFile() && name.test(entry.name)) files.push(path)
  }
  return files
}

function readDirectory(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}
