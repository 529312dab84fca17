import {
  type CallExpression,
  type FunctionDeclaration,
  isCallExpression,
  isElementAccessExpression,
  isFunctionDeclaration,
  isIdentifier,
  isImportDeclaration,
  isInterfaceDeclaration,
  isNewExpression,
  isPropertyAccessExpression,
  isStringLiteral,
  isTypeAliasDeclaration,
  type Node,
  type ParameterDeclaration,
  SyntaxKind,
} from 'typescript'
import { nodesOf, type ParsedFile, placeOf } from './syntax.ts'

/** Looks at all files at once (types are declared in one and used in another); answers `place: what is wrong`. */
export type TidyRule = (files: readonly ParsedFile[]) => string[]

const modelCalls = new Set(
  ['find', 'create', 'update', 'delete'].flatMap((verb) => [verb, `${verb}Many`, `${verb}ManyAndReturn`]),
)
for (const name of ['findFirst', 'findFirstOrThrow', 'findUnique', 'findUniqueOrThrow', 'upsert', 'count']) {
  modelCalls.add(name)
}
modelCalls.add('aggregate').add('groupBy')
const rawCalls = /^\$(queryRaw|executeRaw)(Unsafe)?$/

function isDatabaseCall(call: CallExpression): boolean {
  const callee = call.expression
  if (isIdentifier(callee)) return callee.text === 'sql' || callee.text === 'execute'
  if (!isPropertyAccessExpression(callee)) return false
  if (rawCalls.test(callee.name.text)) return true
  // tx.order.create(…), q.order.findFirst(…), db.queries.order.count(…)
  return (
    modelCalls.has(callee.name.text) &&
    isPropertyAccessExpression(callee.expression) &&
    /(^|[.])(tx|q|queries)$/.test(callee.expression.expression.getText())
  )
}

const inFolder = (path: string, folder: string) => path.startsWith(`${folder}/`)
const fileName = (path: string) => path.slice(path.lastIndexOf('/') + 1)

function report(files: readonly ParsedFile[], message: string, isWrong: (node: Node) => boolean): string[] {
  return files.flatMap((file) =>
    nodesOf(file)
      .filter(isWrong)
      .map((node) => `${placeOf(file, node)}: ${message}`),
  )
}

/** `store.ts` is the only file of a part that queries the database; everything else passes `tx` on. */
export const queriesOnlyInStores: TidyRule = (files) =>
  report(
    files.filter(({ path }) => !inFolder(path, 'src/db') && fileName(path) !== 'store.ts'),
    'only a store.ts queries the database',
    (node) => isCallExpression(node) && isDatabaseCall(node),
  )

/** `jobs.ts` is the only file of a part that works a queue; the composition root opens it. */
export const queuesOnlyInJobs: TidyRule = (files) =>
  report(
    files.filter(
      ({ path }) =>
        /^src\/[^/]+\//.test(path) && !inFolder(path, 'src/queue') && fileName(path) !== 'jobs.ts',
    ),
    'only a jobs.ts works a queue (import type is fine)',
    (node) =>
      isImportDeclaration(node) &&
      node.importClause?.phaseModifier !== SyntaxKind.TypeKeyword &&
      isStringLiteral(node.moduleSpecifier) &&
      node.moduleSpecifier.text.endsWith('/queue/index.ts'),
  )

/** Error codes are declared in one table per part. */
export const errorTablesInErrorFiles: TidyRule = (files) =>
  report(
    files.filter(({ path }) => fileName(path) !== 'errors.ts'),
    'defineErrors belongs into errors.ts',
    (node) => isCallExpression(node) && node.expression.getText() === 'defineErrors',
  )

const chance = new Set(['Math.random', 'crypto.randomUUID', 'randomUUID', 'crypto.getRandomValues'])

/** Chance is an argument (`Random` of the kernel): a run can be repeated from its seed. */
export const chanceIsAnArgument: TidyRule = (files) =>
  report(
    files.filter(({ path }) => path !== 'src/kernel/random.ts'),
    'take a Random from kernel',
    (node) => isCallExpression(node) && chance.has(node.expression.getText().replace(/^globalThis[.]/, '')),
  )

const globalObjects = new Set(['globalThis.Date', 'globalThis.fetch', 'globalThis.console'])

/** The ways round the linter's list of denied globals. */
export const noGlobalsByTheBackDoor: TidyRule = (files) =>
  report(
    files.filter(({ path }) => path !== 'src/kernel/clock.ts'),
    'take Clock, HttpClient or Log from kernel',
    (node) => isPropertyAccessExpression(node) && globalObjects.has(node.getText()),
  )

/** The environment is read once, in config.ts; the CLI is a program of its own. */
export const environmentOnlyInConfig: TidyRule = (files) =>
  report(
    files.filter(({ path }) => path !== 'src/config.ts' && !inFolder(path, 'src/cli')),
    'only config.ts reads the environment',
    (node) =>
      (isPropertyAccessExpression(node) || isElementAccessExpression(node)) &&
      node.expression.getText() === 'process.env',
  )

/** Pages are made in console (runtime/miniapp renders another way). */
export const pagesOnlyInConsole: TidyRule = (files) =>
  files
    .filter(({ path }) => path.endsWith('.tsx') && !inFolder(path, 'src/console'))
    .map(({ path }) => `${path}: .tsx belongs into src/console`)

const suppression =
  /(biome-ignore(?:-all|-start)?\b[^\n:]*|@ts-expect-error|(?:oxlint|eslint)-disable[\w-]*[^\n]*?--|@ts-ignore|@ts-nocheck):?[ \t]*([^\n]*)/g

/** A suppression says why; `@ts-ignore` hides errors that nobody has seen, so it is not used at all. */
export const suppressionsHaveReasons: TidyRule = (files) =>
  files.flatMap((file) =>
    [...file.text.matchAll(suppression)].flatMap((match) => {
      const [, kind = '', reason = ''] = match
      // In a text or a pattern (like the one above) it is no suppression.
      const lineStart = file.text.lastIndexOf('\n', match.index) + 1
      if (!/^\s*(.*\s)?(\/\/|\/?\*|\{\/\*)\s*$/.test(file.text.slice(lineStart, match.index))) return []
      const line = file.text.slice(0, match.index).split('\n').length
      if (/@ts-ignore|@ts-nocheck/.test(kind))
        return [`${file.path}:${line}: use @ts-expect-error with a reason`]
      return reason.replace(/\*\/\}?\s*$/, '').trim().length < 10
        ? [`${file.path}:${line}: a suppression needs a reason`]
        : []
    }),
  )

/** Work that is left is an issue, not a comment. */
export const noLeftovers: TidyRule = (files) =>
  files.flatMap((file) =>
    file.text
      .split('\n')
      .flatMap((line, index) =>
        /(\/\/|\*).*\b(TODO|FIXME|XXX|HACK)\b/.test(line)
          ? [`${file.path}:${index + 1}: open an issue instead`]
          : [],
      ),
  )

const tenantNames =
  /^(merchant|installation|publisher|app|stream|person|client|grant|account|owner|tenant|scope)s?(Id|Ids)?$/
const tenantMembers =
  /^(merchantId|installationId|publisherId|appId|streamId|personId|clientId|grantId|ownerId)$/

/** Interface or type name → its member names, over all files: enough to see whether a row carries its tenant. */
function membersByType(files: readonly ParsedFile[]): ReadonlyMap<string, string> {
  const members = new Map<string, string>()
  for (const file of files) {
    for (const node of nodesOf(file)) {
      if (!isInterfaceDeclaration(node) && !isTypeAliasDeclaration(node)) continue
      members.set(node.name.text, `${members.get(node.name.text) ?? ''} ${node.getText(file.tree)}`)
    }
  }
  return members
}

function typeCarriesTenant(text: string, types: ReadonlyMap<string, string>, depth = 0): boolean {
  const words: readonly string[] = text.match(/\w+/g) ?? []
  if (words.some((word) => tenantMembers.test(word))) return true
  return depth < 3 && words.some((word) => typeCarriesTenant(types.get(word) ?? '', types, depth + 1))
}

function takesTenant(
  parameter: ParameterDeclaration | undefined,
  types: ReadonlyMap<string, string>,
): boolean {
  if (parameter === undefined) return false
  return (
    tenantNames.test(parameter.name.getText()) || typeCarriesTenant(parameter.type?.getText() ?? '', types)
  )
}

function isExportedFunction(node: Node): node is FunctionDeclaration {
  return (
    isFunctionDeclaration(node) &&
    (node.modifiers?.some(({ kind }) => kind === SyntaxKind.ExportKeyword) ?? false)
  )
}

/**
 * Every exported store function asks for its tenant right after the database handle: an id, or a row or filter that
 * carries one. A function that works across tenants on purpose (relay, sweeper, keys of the platform) says so in its
 * docstring: `Across tenants: why`.
 */
export const storesAskForTheTenant: TidyRule = (files) => {
  const types = membersByType(files)
  return files
    .filter(({ path }) => fileName(path) === 'store.ts' && !inFolder(path, 'src/db'))
    .flatMap((file) =>
      nodesOf(file)
        .filter(isExportedFunction)
        .filter(
          (node) =>
            !/Across tenants:\s+\S+/.test(file.text.slice(node.getFullStart(), node.getStart(file.tree))),
        )
        .filter(({ parameters }) => /\b(Queries|Transaction|Db)\b/.test(parameters[0]?.type?.getText() ?? ''))
        .filter(({ parameters }) => !takesTenant(parameters[0], types) && !takesTenant(parameters[1], types))
        .map(
          (node) =>
            `${placeOf(file, node)}: ${node.name?.text} takes no tenant (or say "Across tenants: why")`,
        ),
    )
}

const folderOf = (path: string) => path.slice(0, path.lastIndexOf('/'))

/** What the nearest index.ts above a file shows of it; where there is none, everything. */
function isPublic(name: string, path: string, faces: ReadonlyMap<string, string>): boolean {
  let folder = folderOf(path)
  while (folder.includes('/') && !faces.has(folder)) folder = folderOf(folder)
  const face = faces.get(folder)
  return face === undefined || new RegExp(`\\b${name}\\b`).test(face)
}

/** Public functions say what they do: units, errors, source. */
export const publicFunctionsAreDocumented: TidyRule = (files) => {
  const faces = new Map(
    files.filter(({ path }) => path.endsWith('/index.ts')).map(({ path, text }) => [folderOf(path), text]),
  )
  return files
    .filter(({ path }) => !path.endsWith('.tsx'))
    .flatMap((file) =>
      nodesOf(file)
        .filter(isExportedFunction)
        .filter(({ name }) => isPublic(name?.text ?? '', file.path, faces))
        .filter((node) => !file.text.slice(node.getFullStart(), node.getStart(file.tree)).includes('/**'))
        .map((node) => `${placeOf(file, node)}: ${node.name?.text} has no docstring`),
    )
}

/** `new` is for what the platform or a library makes us construct; our own code is functions and data. */
export const noClassesButErrors: TidyRule = (files) =>
  report(files, 'functions and data; a class only extends another', (node) => {
    if (node.kind !== SyntaxKind.ClassDeclaration && node.kind !== SyntaxKind.ClassExpression) return false
    return !/^[^{]*\bextends\b/.test(node.getText())
  })

/** `new Function` and `eval` would run text as code outside the sandbox. */
export const noCodeFromText: TidyRule = (files) =>
  report(files, 'code from text runs only in the sandbox', (node) => {
    if (isNewExpression(node)) return node.expression.getText() === 'Function'
    return isCallExpression(node) && /^(eval|Function)$/.test(node.expression.getText())
  })
