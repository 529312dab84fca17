import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { importRules, importTables, type PartName, repositoryRoot } from '../support/repository.ts'

/** What one seeded file breaks: the rule's name → the file's path and text. */
const seeds: Readonly<Record<string, readonly [path: string, text: string]>> = {
  'console-imports-types-of-capability': [
    'src/console/value.ts',
    `import { capabilityThing } from '../capability/index.ts'\nexport const pageThing = capabilityThing`,
  ],
  'registry-imports-runtime': ['src/registry/engine.ts', `import '../../runtime/engine/index.ts'`],
  'review-imports-runtime': ['src/review/engine.ts', `import '../../runtime/engine/index.ts'`],
  'cli-imports-runtime': ['src/cli/engine.ts', `import '../../runtime/engine/index.ts'`],
  'runtime-who-may-import': ['src/events/package.ts', `import '../../runtime/package/index.ts'`],
  'every-part-is-listed': ['src/helpers/strings.ts', `import '../kernel/index.ts'`],
  'every-runtime-folder-is-listed': ['runtime/helpers/strings.ts', `import '../abi/index.ts'`],
  'front-door-only': ['src/install/side-door.ts', `import '../events/relay.ts'`],
  'front-door-of-a-capability': ['src/capabilities/order/side-door.ts', `import '../storage/store.ts'`],
  'front-door-from-the-root': ['src/platform.ts', `import './events/relay.ts'`],
  'front-door-of-the-runtime': ['src/sandbox/side-door.ts', `import '../../runtime/node/pool.ts'`],
  'only-the-root-composes': ['src/http/composes.ts', `import '../config.ts'`],
  'runtime-stands-alone': ['runtime/node/knows-stoa.ts', `import '../../src/kernel/index.ts'`],
  'runtime-is-portable': ['runtime/package/reads-files.ts', `import 'node:fs'`],
  'abi-has-no-imports': ['runtime/abi/needs-url.ts', `import 'node:url'`],
  'sdk-is-portable': ['src/sdk/reads-files.ts', `import 'node:fs'`],
  'packages-are-listed': ['src/kernel/typescript-user.ts', `import 'typescript'`],
  'examples-are-outsiders': ['examples/order-printer/insider.ts', `import '../../src/kernel/index.ts'`],
  'no-test-import': ['src/kernel/fixture-user.ts', `import '../../test/support/fixture.ts'`],
  'no-circular': [
    'src/queue/left.ts',
    `import { right } from './right.ts'\nexport function left() { return right }`,
  ],
  'no-orphans': ['src/kernel/forgotten.ts', 'export const forgotten = 1'],
  ...Object.fromEntries(
    Object.keys(importTables.runtimeFolders).map((folder) => [
      `runtime-${folder}-imports`,
      [
        `runtime/${folder}/wrong-way.ts`,
        `import '../${folder === 'browser' ? 'node' : 'browser'}/index.ts'`,
      ] as const,
    ]),
  ),
}

/** Files that break nothing: what the seeds import, and the allowed way of each kind. */
const cleanFiles: Readonly<Record<string, string>> = {
  'src/config.ts': `import './kernel/index.ts'`,
  'src/main.ts': `import './config.ts'\nimport './capabilities/order/index.ts'`,
  'src/capability/index.ts': 'export const capabilityThing = 1\nexport type CapabilityThing = number',
  'src/console/page.ts': `import type { CapabilityThing } from '../capability/index.ts'\nexport type A = CapabilityThing`,
  'src/capabilities/order/index.ts': `import './../index.ts'`,
  'src/capabilities/storage/store.ts': `import './index.ts'`,
  'src/capabilities/storage/index.ts': `import '../order/index.ts'`,
  'src/events/relay.ts': `import 'node:timers'`,
  'src/queue/right.ts': `import { left } from './left.ts'\nexport function right() { return left }`,
  'src/registry/reads-package.ts': `import '../../runtime/package/index.ts'`,
  'src/sandbox/pool.ts': `import '../../runtime/node/index.ts'`,
  'runtime/node/pool.ts': `import 'node:worker_threads'\nimport '../engine/index.ts'`,
  'test/support/fixture.ts': 'export const fixture = 1',
  'examples/order-printer/outsider.ts': `import '../../src/sdk/index.ts'\nimport '../../runtime/node/index.ts'`,
}

function packageNames(patterns: readonly string[]): string[] {
  return patterns.map((pattern) => pattern.replace('*', 'client'))
}

/** One file at home and one elsewhere for every gated package. */
function gateFiles(): Record<string, string> {
  const files: Record<string, string> = {}
  for (const [patterns, ...homes] of importTables.gates) {
    for (const name of packageNames(patterns)) {
      const slug = name.replace(/\W/g, '-')
      for (const home of homes) files[fileAt(home, slug)] = `import '${name}'`
      files[`${gateOutside(homes)}takes-${slug}.ts`] = `import '${name}'`
    }
  }
  return files
}

function fileAt(home: string, slug: string): string {
  return home.endsWith('/') ? `${home}uses-${slug}.ts` : home
}

function gateOutside(homes: readonly string[]): string {
  return homes.some((home) => home.startsWith('src/audit/')) ? 'src/policy/' : 'src/audit/'
}

const partNames = Object.keys(importTables.parts) as PartName[]
const pairs = partNames.flatMap((from) =>
  partNames.filter((to) => to !== from).map((to) => [from, to] as const),
)

function writeTree(root: string): void {
  const files: Record<string, string> = {}
  for (const part of partNames) files[`src/${part}/index.ts`] = 'export const part = 1'
  for (const folder of Object.keys(importTables.runtimeFolders))
    files[`runtime/${folder}/index.ts`] = 'export {}'
  for (const [from, to] of pairs) {
    files[`src/${from}/to-${to}.ts`] =
      `import type { part } from '../${to}/index.ts'\nexport type A = typeof part`
  }
  Object.assign(files, gateFiles(), cleanFiles, Object.fromEntries(Object.values(seeds)))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), `${text}\n`)
  }
  for (const name of ['.dependency-cruiser.cjs', 'tsconfig.json', 'package.json']) {
    copyFileSync(join(repositoryRoot, name), join(root, name))
  }
  symlinkSync(join(repositoryRoot, 'node_modules'), join(root, 'node_modules'))
}

interface CruiseReport {
  readonly summary: {
    readonly violations: readonly { readonly from: string; readonly rule: { readonly name: string } }[]
  }
}

interface RunResult {
  readonly code: number
  readonly text: string
}

/** Runs the command of `npm run imports` over folders of the seeded tree. */
function cruise(root: string, folders: readonly string[], outputType: 'json' | 'err'): Promise<RunResult> {
  const bin = join(repositoryRoot, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs')
  const args = [bin, ...folders, '--config', '.dependency-cruiser.cjs', '--output-type', outputType]
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { cwd: root, maxBuffer: 64 << 20 }, (error, stdout) => {
      if (error !== null && typeof error.code !== 'number') reject(error)
      else resolve({ code: error === null ? 0 : Number(error.code), text: stdout })
    })
  })
}

let root = ''
const broken = new Set<string>()
const rulesBrokenBy = (path: string) => [...broken].filter((entry) => entry.endsWith(` ${path}`))

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'stoa-imports-'))
  writeTree(root)
  const { text } = await cruise(root, ['src', 'runtime', 'examples'], 'json')
  const report = JSON.parse(text) as CruiseReport
  for (const { rule, from } of report.summary.violations) broken.add(`${rule.name} ${from}`)
}, 60_000)

afterAll(() => rmSync(root, { recursive: true, force: true }))

describe('the import table', () => {
  test('a broken rule makes `npm run imports` fail', async () => {
    const { code, text } = await cruise(root, ['examples'], 'err')
    expect(text).toContain('examples-are-outsiders')
    expect(code).toBeGreaterThan(0)
  })

  test('every rule has a file here that breaks it', () => {
    const generated = [
      ...partNames.map((part) => `${part}-imports`),
      ...importRules.filter(({ name }) => name.startsWith('gate-')).map(({ name }) => name),
    ]
    const all = importRules.map(({ name }) => name)
    expect([...new Set([...Object.keys(seeds), ...generated])].sort()).toEqual([...all].sort())
    const found = new Set([...broken].map((entry) => entry.split(' ')[0]))
    expect(all.filter((name) => !found.has(name))).toEqual([])
  })

  test.each(Object.entries(seeds))('%s is reported', (rule, [path]) => {
    expect(rulesBrokenBy(path)).toContain(`${rule} ${path}`)
  })

  test('a part reaches exactly the parts of its row', () => {
    const reported = pairs.filter(([from, to]) => broken.has(`${from}-imports src/${from}/to-${to}.ts`))
    const forbidden = pairs.filter(
      ([from, to]) => !(importTables.parts[from] ?? []).some((name) => name.split(' ')[0] === to),
    )
    expect(reported).toEqual(forbidden)
  })

  test('a gated package is reported outside its home and allowed at home', () => {
    for (const [patterns, ...homes] of importTables.gates) {
      for (const name of packageNames(patterns)) {
        const slug = name.replace(/\W/g, '-')
        const outside = `${gateOutside(homes)}takes-${slug}.ts`
        expect(rulesBrokenBy(outside), name).toEqual([expect.stringMatching(/^gate-/)])
        for (const home of homes) expect(rulesBrokenBy(fileAt(home, slug)), name).toEqual([])
      }
    }
  })

  test.each(Object.keys(cleanFiles))('%s breaks no rule', (path) => {
    // The other half of the circle and the orphan rule's subject are reported by design.
    const byDesign = new Set(['no-circular src/queue/right.ts'])
    expect(rulesBrokenBy(path).filter((entry) => !byDesign.has(entry))).toEqual([])
  })

  test('the walls that the design names stand', () => {
    const mayImport = (from: PartName, to: string) => (importTables.parts[from] ?? []).includes(to)
    expect(mayImport('capabilities', 'oauth')).toBe(false)
    expect(mayImport('capabilities', 'events')).toBe(false)
    expect(mayImport('registry', 'install')).toBe(false)
    expect(mayImport('oauth', 'registry')).toBe(false)
    expect(importTables.parts['kernel']).toEqual([])
    expect(importTables.parts['sdk']).toEqual([])
    expect(importTables.parts['capability']).toEqual(['kernel'])
  })
})
