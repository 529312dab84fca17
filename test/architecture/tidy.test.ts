import { describe, expect, test } from 'vitest'
import { parseFolders, parseText } from '../support/syntax.ts'
import * as rules from '../support/tidy-rules.ts'

const production = parseFolders('src', 'runtime')
const source = parseFolders('src')
const everything = parseFolders('src', 'runtime', 'test', 'examples', 'docs', 'prisma')

interface Case {
  readonly rule: rules.TidyRule
  readonly files: typeof production
  /** Path and text of a file that breaks the rule. */
  readonly wrong: readonly [string, string]
  readonly right: readonly [string, string]
}

const cases: Readonly<Record<string, Case>> = {
  'the database is queried only in store.ts': {
    rule: rules.queriesOnlyInStores,
    files: source,
    wrong: ['src/events/relay.ts', 'await tx.delivery.createMany({ data })'],
    right: ['src/events/store.ts', 'await sql<Row>(tx, "select 1")'],
  },
  'a raw query is a query too': {
    rule: rules.queriesOnlyInStores,
    files: source,
    wrong: ['src/events/relay.ts', 'await sql<Row>(q, "select 1")'],
    right: ['src/events/relay.ts', 'const found = list.find((row) => row.id === id)'],
  },
  'a raw statement is a query too': {
    rule: rules.queriesOnlyInStores,
    files: source,
    wrong: ['src/events/relay.ts', `await execute(tx, 'update delivery set attempts = 0')`],
    right: ['src/events/relay.ts', 'await relay.execute(batch)'],
  },
  'a queue is worked only in jobs.ts': {
    rule: rules.queuesOnlyInJobs,
    files: source,
    wrong: ['src/events/drain.ts', `import { makeQueue } from '../queue/index.ts'`],
    right: ['src/events/drain.ts', `import type { Queue } from '../queue/index.ts'`],
  },
  'error codes are declared in errors.ts': {
    rule: rules.errorTablesInErrorFiles,
    files: source,
    wrong: ['src/events/relay.ts', 'const E = defineErrors("events", {})'],
    right: ['src/events/errors.ts', 'const E = defineErrors("events", {})'],
  },
  'chance is an argument': {
    rule: rules.chanceIsAnArgument,
    files: production,
    wrong: ['src/events/retry.ts', 'const jitter = Math.random()'],
    right: ['src/events/retry.ts', 'const jitter = random.fraction()'],
  },
  'a denied global is not reached through globalThis': {
    rule: rules.noGlobalsByTheBackDoor,
    files: production,
    wrong: ['src/events/retry.ts', 'const now = globalThis.Date.now()'],
    right: ['src/events/retry.ts', 'const nowMs = clock.nowMs()'],
  },
  'the environment is read only in config.ts': {
    rule: rules.environmentOnlyInConfig,
    files: source,
    wrong: ['src/db/open.ts', `const url = process.env['DATABASE_URL']`],
    right: ['src/config.ts', `const url = process.env['DATABASE_URL']`],
  },
  'pages are made in console': {
    rule: rules.pagesOnlyInConsole,
    files: production,
    wrong: ['src/oauth/sign-in.tsx', 'export const page = 1'],
    right: ['src/console/sign-in.tsx', 'export const page = 1'],
  },
  'a suppression has a reason': {
    rule: rules.suppressionsHaveReasons,
    files: everything,
    wrong: ['src/a.ts', '// biome-ignore lint/suspicious/noExplicitAny:\nconst a = 1'],
    right: [
      'src/a.ts',
      '// biome-ignore lint/suspicious/noExplicitAny: the list is heterogeneous\nconst a = 1',
    ],
  },
  'an expected type error has a reason': {
    rule: rules.suppressionsHaveReasons,
    files: everything,
    wrong: ['src/a.ts', '// @ts-expect-error\nconst a = 1'],
    right: ['src/a.ts', '// @ts-expect-error: a scope must be one of the catalogue\nconst a = 1'],
  },
  'type errors are never ignored unseen': {
    rule: rules.suppressionsHaveReasons,
    files: everything,
    wrong: ['src/a.ts', '// @ts-ignore: it works, believe me\nconst a = 1'],
    right: ['src/a.ts', 'const a = 1'],
  },
  'work that is left is an issue, not a comment': {
    rule: rules.noLeftovers,
    files: production,
    wrong: ['src/a.ts', '// TODO later'],
    right: ['src/a.ts', '// The sweeper does the rest.'],
  },
  'a store function asks for its tenant first': {
    rule: rules.storesAskForTheTenant,
    files: source,
    wrong: [
      'src/install/store.ts',
      'export function findGrant(q: Queries, id: string, merchantId: string) {}',
    ],
    right: [
      'src/install/store.ts',
      'export function findGrant(q: Queries, merchantId: string, id: string) {}',
    ],
  },
  'a row that carries its tenant will do': {
    rule: rules.storesAskForTheTenant,
    files: source,
    wrong: [
      'src/install/store.ts',
      'interface Row { id: string }\nexport function insert(tx: Transaction, row: Row) {}',
    ],
    right: [
      'src/install/store.ts',
      'interface Row { merchantId: string }\nexport function insert(tx: Transaction, rows: readonly Row[]) {}',
    ],
  },
  'a store function across tenants says why': {
    rule: rules.storesAskForTheTenant,
    files: source,
    wrong: [
      'src/events/store.ts',
      '/** Due streams. */\nexport function listDue(q: Queries, nowMs: number) {}',
    ],
    right: [
      'src/events/store.ts',
      '/** Across tenants: the sweeper wakes all. */\nexport function listDue(q: Queries, nowMs: number) {}',
    ],
  },
  'a public function has a docstring': {
    rule: rules.publicFunctionsAreDocumented,
    files: production,
    wrong: ['src/a.ts', '// Why.\nexport function a() {}'],
    right: ['src/a.ts', '/** What. */\nexport async function a() {}'],
  },
  'a class only extends another': {
    rule: rules.noClassesButErrors,
    files: production,
    wrong: ['src/a.ts', 'export class ReviewService {}'],
    right: ['src/a.ts', 'export class StoaError extends Error {}'],
  },
  'code from text runs only in the sandbox': {
    rule: rules.noCodeFromText,
    files: production,
    wrong: ['src/a.ts', 'const f = new Function("return 1")'],
    right: ['src/a.ts', 'const f = () => 1'],
  },
}

describe.each(Object.entries(cases))('%s', (_name, { rule, files, wrong, right }) => {
  test('the tree keeps the rule', () => expect(rule(files)).toEqual([]))
  test('a violation is reported', () => expect(rule([parseText(...wrong)])).toHaveLength(1))
  test('what is allowed is not', () => expect(rule([parseText(...right)])).toEqual([]))
})

test('every rule has a case', () => {
  const tested = new Set(Object.values(cases).map(({ rule }) => rule))
  expect(Object.values(rules).filter((rule) => !tested.has(rule))).toEqual([])
})
