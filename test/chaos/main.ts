/**
 * Kills what can be killed while events are published, and counts what arrives: `npm run chaos -- --help`.
 * The last line is one JSON object; the exit code is 0 only when every promise was kept.
 */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { endAll } from '../process/support/stoa.ts'
import { limitMsOf, playScenario } from './run.ts'
import { divide, type ScenarioName, scenarioNames, scenarios } from './scenarios.ts'

const help = `npm run chaos -- [options]

  --scenario NAME   one of ${scenarioNames.join(', ')}; may be repeated. Default: all of them
  --events N        events to publish, divided among the scenarios. Default: 100000
  --kills N         times that a worker or the API is killed, divided likewise. Default: 20
  --seed TEXT       draws the same faults again. Default: a new one
  --keep FOLDER     copies the files of publisher, receiver and faults and the logs there
  --log LEVEL       what the processes log: warn, info, debug. Default: warn

${scenarioNames.map((name) => `  ${name.padEnd(12)} ${scenarios[name].title}`).join('\n')}
`

const print = (line: string) => process.stdout.write(`${line}\n`)

interface Options {
  readonly names: readonly ScenarioName[]
  readonly events: number
  readonly kills: number
  readonly seed: string
  readonly logLevel: string
  readonly keep: string | null
}

function isScenario(name: string): name is ScenarioName {
  return (scenarioNames as readonly string[]).includes(name)
}

function readCount(name: string, text: string): number {
  if (!/^\d{1,7}$/.test(text)) throw new Error(`--${name}: ${text} is no count`)
  return Number(text)
}

/** Null: only the help was asked for. */
function readOptions(): Options | null {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    options: {
      scenario: { ...text, multiple: true },
      events: { ...text, default: '100000' },
      kills: { ...text, default: '20' },
      seed: text,
      keep: text,
      log: { ...text, default: 'warn' },
      help: { type: 'boolean' },
    },
  })
  if (values.help === true) return null
  const asked = values.scenario ?? scenarioNames
  const unknown = asked.filter((name) => !isScenario(name))
  if (unknown.length > 0)
    throw new Error(`--scenario: ${unknown.join(', ')} is none of ${scenarioNames.join(', ')}`)
  return {
    names: asked.filter(isScenario),
    events: readCount('events', values.events),
    kills: readCount('kills', values.kills),
    seed: values.seed ?? randomBytes(6).toString('hex'),
    logLevel: values.log,
    keep: values.keep ?? null,
  }
}

const closers: (() => Promise<void>)[] = []

/** Ends everything that was started, by its own id. */
async function closeAll(): Promise<void> {
  await endAll()
  for (const close of closers.splice(0).reverse()) await close()
}

// The checker is a program of its own: it sees the files and nothing else of what happened here.
function check(folders: readonly string[]): boolean {
  const program = path.join(import.meta.dirname, 'check.ts')
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', program, ...folders], {
    stdio: 'inherit',
  })
  return status === 0
}

async function play(options: Options, folder: string): Promise<boolean> {
  const events = divide(options.events, options.names)
  const kills = divide(options.kills, options.names)
  const folders: string[] = []
  for (const name of options.names) {
    const own = path.join(folder, name)
    const part = { ...options, name, events: events.get(name) ?? 0, kills: kills.get(name) ?? 0, folder: own }
    const limit = setTimeout(() => {
      print(`${name}: stopped, it takes too long`)
      void end(1)
    }, limitMsOf(part))
    folders.push(own)
    try {
      await playScenario({ ...part, print, atEnd: (close) => closers.push(close) })
    } finally {
      clearTimeout(limit)
      await closeAll()
    }
  }
  print('')
  return check(folders)
}

/** Publisher’s, receiver’s and faults’ files and the logs; what the servers wrote is theirs. */
function keepEvidence(folder: string, to: string): void {
  for (const name of scenarioNames.filter((one) => existsSync(path.join(folder, one)))) {
    const files = readdirSync(path.join(folder, name)).filter((file) => /\.(jsonl|log)$/.test(file))
    for (const file of files) cpSync(path.join(folder, name, file), path.join(to, name, file))
  }
}

let ending = false

async function end(code: number): Promise<never> {
  ending = true
  await closeAll()
  process.exit(code)
}

async function main(): Promise<void> {
  const options = readOptions()
  if (options === null) return void print(help)
  const folder = mkdtempSync(path.join(tmpdir(), 'stoa-chaos-'))
  // PostgreSQL's own user goes through it.
  chmodSync(folder, 0o755)
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end(130))
  try {
    process.exitCode = (await play(options, folder)) ? 0 : 1
  } finally {
    if (options.keep !== null) keepEvidence(folder, options.keep)
  }
}

main().catch((error: unknown) => {
  if (ending) return
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
  process.exitCode = 1
})
