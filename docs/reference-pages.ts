import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { hostCallFailures, runFailures } from '../runtime/engine/index.ts'
import { packageErrors } from '../runtime/package/index.ts'
import { type EventType, type ListedEventType, listEventTypes, type Scope } from '../src/capability/index.ts'
import { type Setting, settings } from '../src/config.ts'
import { eventFailures } from '../src/events/errors.ts'
import { type ErrorDefinition, type Limit, limitTable, listErrors } from '../src/kernel/index.ts'
import { sandboxFailures } from '../src/sandbox/errors.ts'
import { webhookFailures } from '../src/webhooks/errors.ts'
import { clauses } from '../test/conformance/oauth/clauses.ts'
import { pending } from '../test/conformance/oauth/pending.ts'
import { importRules, importTables, readFiles, repositoryRoot } from '../test/support/repository.ts'

/** A page made from tables in code. `path` is relative to the repository. */
export interface Page {
  readonly path: string
  readonly text: string
}

const note = '<!-- Made by `npm run generate` from the code; edit the table named above, not this page. -->'

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')
}

function page(path: string, title: string, source: string, ...blocks: readonly string[]): Page {
  return { path, text: `${[`# ${title}`, source, note, ...blocks].join('\n\n')}\n` }
}

/** Loading a part's errors.ts puts its table into `listErrors`. */
async function loadErrorTables(): Promise<void> {
  for (const { path } of readFiles('src', /^errors[.]ts$/)) {
    await import(pathToFileURL(join(repositoryRoot, path)).href)
  }
}

function errorsPage(errors: readonly (readonly [string, ErrorDefinition])[]): Page {
  const parts = [...new Set(errors.map(([code]) => code.split('.')[0] ?? ''))]
  const sections = parts.map((part) => {
    const rows = errors
      .filter(([code]) => code.startsWith(`${part}.`))
      .map(([code, { status, title, fix }]) => [
        `<a id="${code}"></a>\`${code}\``,
        `${status}`,
        title,
        fix ?? '',
      ])
    return `## ${part}\n\n${table(['Code', 'Status', 'What happened', 'What to do'], rows)}`
  })
  return page(
    'docs/reference/errors.md',
    'Error codes',
    'Every code is declared in the `errors.ts` of its part. A code is a promise: programs may branch on it, texts change.',
    ...sections,
    attemptSection(new Set(errors.map(([code]) => code))),
    packageSection(),
  )
}

/** These stand in `errors[].code` of a refused upload, several at a time, so they have no status of their own. */
function packageSection(): string {
  const rows = Object.entries(packageErrors).map(([code, { title, fix }]) => [
    `<a id="${code}"></a>\`${code}\``,
    title,
    fix,
  ])
  return `## package\n\nWhy a package is refused, in \`errors[].code\` of the answer; declared in \`runtime/package/errors.ts\`.\n\n${table(['Code', 'What is wrong', 'What to do'], rows)}`
}

/** These stand in `error` of an attempt, or are what a handler catches from a host call: no status of their own. */
function attemptSection(known: ReadonlySet<string>): string {
  const failures = {
    ...webhookFailures,
    ...eventFailures,
    ...sandboxFailures,
    ...runFailures,
    ...hostCallFailures,
  }
  const rows = Object.entries<{ readonly title: string; readonly fix: string }>(failures)
    .filter(([code]) => !known.has(code))
    .map(([code, { title, fix }]) => [`<a id="${code}"></a>\`${code}\``, title, fix])
  return `## Attempts\n\nWhat a delivery’s attempt ended with, in its \`error\`, and what a handler’s host call throws; declared in the \`errors.ts\` of webhooks, events, sandbox and \`runtime/engine\`.\n\n${table(['Code', 'What happened', 'What to do'], rows)}`
}

const msUnits: readonly (readonly [number, string])[] = [
  [24 * 60 * 60 * 1000, 'd'],
  [60 * 60 * 1000, 'h'],
  [60 * 1000, 'min'],
  [1000, 's'],
  [1, 'ms'],
]
const byteUnits: readonly (readonly [number, string])[] = [
  [1024 * 1024, 'MiB'],
  [1024, 'KiB'],
  [1, 'bytes'],
]

/** 15000 ms → 15 s, 262144 bytes per run → 256 KiB per run, 1000000 rows → 1,000,000 rows. */
export function humanValue({ value, unit }: Pick<Limit, 'value' | 'unit'>): string {
  const [first = '', ...rest] = unit.split(' ')
  const units = first === 'ms' ? msUnits : first === 'bytes' ? byteUnits : []
  const fitting = units.find(([size]) => value % size === 0)
  if (fitting === undefined) return `${value.toLocaleString('en')} ${unit}`
  return [(value / fitting[0]).toLocaleString('en'), fitting[1], ...rest].join(' ')
}

function limitsPage(): Page {
  const rows = Object.entries<Limit>(limitTable).map(([name, limit]) => [
    `\`${name}\``,
    humanValue(limit),
    limit.reason,
  ])
  return page(
    'docs/reference/limits.md',
    'Limits',
    'Every bound of the system, declared in `src/kernel/limits.ts`.',
    table(['Name', 'Value', 'Why'], rows),
  )
}

function configurationPage(): Page {
  const rows = settings.map((setting: Setting) => [
    `\`${setting.name}\`${setting.secret === true ? ` or \`${setting.name}_FILE\`` : ''}`,
    /^$| /.test(setting.fallback) ? setting.fallback : `\`${setting.fallback}\``,
    setting.description,
  ])
  return page(
    'docs/reference/configuration.md',
    'Configuration',
    'Everything comes from environment variables, declared in `src/config.ts`. `NAME_FILE` is the path of a file that holds the value.',
    table(['Variable', 'Default', 'What it does'], rows),
  )
}

function isEventType(value: unknown): value is EventType {
  return typeof value === 'object' && value !== null && 'type' in value && 'fieldScopes' in value
}

function isScope(value: unknown): value is Scope {
  return typeof value === 'object' && value !== null && 'name' in value && 'sensitivity' in value
}

/** What the files of one name declare in their exported lists: event types live in events.ts, scopes in scopes.ts. */
async function loadDeclared<T>(
  fileName: RegExp,
  isOne: (value: unknown) => value is T,
): Promise<readonly T[]> {
  const found: T[] = []
  for (const { path } of readFiles('src', fileName)) {
    const module = (await import(pathToFileURL(join(repositoryRoot, path)).href)) as Record<string, unknown>
    for (const list of Object.values(module)) if (Array.isArray(list)) found.push(...list.filter(isOne))
  }
  return found
}

function eventSection(event: ListedEventType): string {
  const { type, version, summary, subject, publishedBy, scope, fields, resource, example } = event
  const facts = [
    ['Published by', publishedBy === 'host' ? 'the host' : 'the platform, to the installation it is about'],
    ['Scope', scope === null ? 'none needed' : `\`${scope.name}\``],
    ...fields.map(({ name, scope: needed }) => [`\`data.${name}\``, `only with \`${needed.name}\``]),
    ['`subject`', subject],
    ['Present state', resource === null ? 'not to be read' : `\`GET ${resource}\``],
  ]
  return [
    `## ${type}/${version}`,
    `${summary.en}. ${summary['zh-CN']}。`,
    table(['What', 'Value'], facts),
    `\`\`\`json\n${JSON.stringify(example, null, 2)}\n\`\`\``,
  ].join('\n\n')
}

async function eventsPage(): Promise<Page> {
  const scopes = await loadDeclared(/^scopes[.]ts$/, isScope)
  const listed = listEventTypes(await loadDeclared(/^events[.]ts$/, isEventType), {
    scopes: new Map(scopes.map((scope) => [scope.name, scope])),
    publicUrl: 'https://platform.example',
  })
  return page(
    'docs/reference/events.md',
    'Event types',
    'Every event type is declared in the `events.ts` of its part; the same is machine-readable at `/asyncapi.json` and `/schemas/events`, and a running platform shows it at `/docs/events`. Bodies are CloudEvents 1.0; a member of `data` that needs a further scope is left out without it.',
    ...listed.map(eventSection),
  )
}

/** The test file of each clause: the one that imports the clause's case. */
function testFiles(): ReadonlyMap<string, string> {
  const runners = readFiles('test/conformance/oauth', /^(authorization|tokens|protection)[.]test[.]ts$/)
  const cases = readFiles('test/conformance/oauth/cases', /[.]ts$/)
  return new Map(
    cases.flatMap(({ path, text }) => {
      const name = path.replace(/^.*[/]/, './cases/')
      const runner = runners.find((file) => file.text.includes(`'${name}'`))?.path ?? path
      return [...text.matchAll(/^ {2}'([\w.-]+)': \{$/gm)].map(([, id = '']) => [id, runner] as const)
    }),
  )
}

function conformancePage(): Page {
  const files = testFiles()
  const waits = new Map<string, string>(pending)
  const testOf = (id: string) => {
    const file = files.get(id)
    if (file === undefined) return `none: ${waits.get(id)}`
    return `[${file.replace(/^.*[/]/, '')}](../../${file})`
  }
  const standards = [...new Set(clauses.map(({ place }) => place.split(' §')[0] ?? ''))]
  const sections = standards.map((standard) => {
    const rows = clauses
      .filter(({ place }) => place.startsWith(`${standard} §`))
      .map(({ id, place, quotation, stoa }) => [
        `\`${id}\``,
        place.replace(`${standard} `, ''),
        `“${quotation}”`,
        stoa,
        testOf(id),
      ])
    return `## ${standard}\n\n${table(['Test', 'Place', 'Words of the standard', 'What Stoa does', 'File'], rows)}`
  })
  return page(
    'docs/reference/oauth-conformance.md',
    'OAuth conformance',
    'Every clause is declared in `test/conformance/oauth/clauses`. Its test has its name and runs twice: against the server, where it must pass, and through a proxy that breaks the clause, where it must fail.',
    `${clauses.length} clauses, ${clauses.length - pending.size} with a test.`,
    ...sections,
  )
}

function importTableText(): string {
  const packagesOf = (home: string) =>
    importTables.gates
      .filter(([, ...files]) => files.some((file) => file.startsWith(home)))
      .flatMap(([packages]) => packages)
  const row = (name: string, home: string, allowed: readonly string[]) => [
    `\`${name}\``,
    allowed.join(', ') || 'nothing',
    packagesOf(home).join(', '),
  ]
  const rows = [
    ...Object.entries(importTables.parts).map(([part, allowed]) => row(part, `src/${part}/`, allowed)),
    ...Object.entries(importTables.runtimeFolders).map(([folder, allowed]) =>
      row(
        `runtime/${folder}`,
        `runtime/${folder}/`,
        allowed.map((name) => `runtime/${name}`),
      ),
    ),
  ]
  const generated = /-imports(-runtime)?$|^gate-|^runtime-\w+-imports$/
  const rules = importRules
    .filter(({ name }) => !generated.test(name))
    .map(({ name, comment }) => [`\`${name}\``, comment])
  const planned = rows
    .map(([name = '']) => name.replaceAll('`', ''))
    .filter((name) => !existsSync(join(repositoryRoot, name.startsWith('runtime/') ? name : `src/${name}`)))
  return [
    `Rows that wait for their first file: ${planned.join(', ') || 'none'}.`,
    table(['Part', 'may import', 'npm packages only there'], rows),
    table(['Rule', 'What it says'], rules),
  ].join('\n\n')
}

function withBlock(path: string, name: string, block: string): Page {
  const text = readFileSync(join(repositoryRoot, path), 'utf8')
  const pattern = new RegExp(`(<!-- ${name}:start[^>]*-->\n)[\\s\\S]*?(<!-- ${name}:end -->)`)
  if (!pattern.test(text)) throw new Error(`${path} has no block ${name}`)
  return {
    path,
    text: text.replace(pattern, (_all, start: string, end: string) => `${start}\n${block}\n\n${end}`),
  }
}

/** Every page, and every block inside a page, that is derived from code. */
export async function referencePages(): Promise<readonly Page[]> {
  await loadErrorTables()
  return [
    errorsPage(listErrors()),
    limitsPage(),
    configurationPage(),
    await eventsPage(),
    conformancePage(),
    withBlock('docs/architecture.md', 'import-table', importTableText()),
  ]
}
