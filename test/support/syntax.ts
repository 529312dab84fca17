import {
  createSourceFile,
  forEachChild,
  type Node,
  ScriptKind,
  ScriptTarget,
  type SourceFile,
} from 'typescript'
import { readFiles } from './repository.ts'

export interface ParsedFile {
  readonly path: string
  readonly text: string
  readonly tree: SourceFile
}

const parsed = new Map<string, ParsedFile>()

function parse(path: string, text: string): ParsedFile {
  const known = parsed.get(path)
  if (known?.text === text) return known
  const kind = path.endsWith('x') ? ScriptKind.TSX : ScriptKind.TS
  const file = { path, text, tree: createSourceFile(path, text, ScriptTarget.Latest, true, kind) }
  parsed.set(path, file)
  return file
}

/** The syntax trees of every .ts and .tsx file below the folders. Generated files are left out. */
export function parseFolders(...folders: readonly string[]): ParsedFile[] {
  return folders.flatMap((folder) => readFiles(folder, /\.tsx?$/)).map(({ path, text }) => parse(path, text))
}

/** The same for one text, which lets a rule be tested on a deliberate violation. */
export function parseText(path: string, text: string): ParsedFile {
  return parse(path, text)
}

const nodesByFile = new WeakMap<ParsedFile, Node[]>()

/** Every node of the file, parents first. */
export function nodesOf(file: ParsedFile): readonly Node[] {
  const known = nodesByFile.get(file)
  if (known !== undefined) return known
  const nodes: Node[] = []
  const visit = (node: Node) => {
    nodes.push(node)
    forEachChild(node, visit)
  }
  visit(file.tree)
  nodesByFile.set(file, nodes)
  return nodes
}

/** `src/oauth/store.ts:12`: what an editor opens. */
export function placeOf(file: ParsedFile, node: Node): string {
  return `${file.path}:${file.tree.getLineAndCharacterOfPosition(node.getStart(file.tree)).line + 1}`
}
