import {
  isBindingElement,
  isFunctionDeclaration,
  isIdentifier,
  isInterfaceDeclaration,
  isMethodSignature,
  isParameter,
  isPropertyDeclaration,
  isPropertySignature,
  isTypeAliasDeclaration,
  isVariableDeclaration,
  type Node,
} from 'typescript'
import { expect, test } from 'vitest'
import { readFiles } from '../support/repository.ts'
import { nodesOf, type ParsedFile, parseFolders, parseText, placeOf } from '../support/syntax.ts'

/** Words in `code` in the last column of the glossary's tables: wrong in every context. */
function bannedWords(): string[] {
  const glossary = readFiles('docs', /^glossary[.]md$/)[0]?.text ?? ''
  const rows = glossary.split('\n').filter((line) => line.startsWith('|') && !line.startsWith('|---'))
  return rows.flatMap((row) =>
    [...(row.split('|').at(-2) ?? '').matchAll(/`([^`]+)`/g)].map(([, word = '']) => word),
  )
}

/** appKeyId, AppKeyID and app_key_id are all `-app-key-id-`. */
function normalise(name: string): string {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1-$2')
    .split(/[^A-Za-z0-9]+/)
  return `-${words.join('-').toLowerCase()}-`
}

/** Only names we declare: a library's own member (`pino.destination`) is not ours to choose. */
function declaredName(node: Node): string | null {
  const declares =
    isVariableDeclaration(node) ||
    isParameter(node) ||
    isBindingElement(node) ||
    isFunctionDeclaration(node) ||
    isInterfaceDeclaration(node) ||
    isTypeAliasDeclaration(node) ||
    isPropertySignature(node) ||
    isMethodSignature(node) ||
    isPropertyDeclaration(node)
  return declares && node.name !== undefined && isIdentifier(node.name) ? node.name.text : null
}

function wrongNames(files: readonly ParsedFile[], banned: readonly string[]): string[] {
  const words = new Map(banned.map((word) => [normalise(word).slice(1, -1), word]))
  const pattern = new RegExp(`-(${[...words.keys()].join('|')})s?-`)
  return files.flatMap((file) =>
    nodesOf(file).flatMap((node) => {
      const name = declaredName(node)
      const hit = name === null ? undefined : pattern.exec(normalise(name))?.[1]
      return hit === undefined
        ? []
        : [`${placeOf(file, node)}: ${name} (the glossary says: not ${words.get(hit)})`]
    }),
  )
}

test('the glossary names words to avoid', () => {
  expect(bannedWords()).toEqual(
    expect.arrayContaining(['appKey', 'topic', 'destination', 'bridge', 'errcode']),
  )
})

test.each(['appKey', 'previousAppKeys', 'app_key', 'DestinationRow', 'eventTopic', 'apiKeyHash'])(
  'a declaration of %s is reported',
  (name) => {
    expect(wrongNames([parseText('src/a.ts', `export const ${name} = 1`)], bannedWords())).toHaveLength(1)
  },
)

test.each(['const log = pino.destination({ fd: 1 })', 'const happy = 1', 'const apiKeyed = 1'])(
  'nothing is said about: %s',
  (text) => {
    expect(wrongNames([parseText('src/a.ts', text)], bannedWords())).toEqual([])
  },
)

test('no name in src/ or runtime/ uses a word the glossary replaces', () => {
  expect(wrongNames(parseFolders('src', 'runtime'), bannedWords())).toEqual([])
})
