import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { limits } from '../../../src/kernel/index.ts'
import { repositoryRoot } from '../../support/repository.ts'

/** A Stoa that was started the way `npm start` does it, as a process of its own. */
export interface StoaProcess {
  readonly pid: number
  /** Lines of standard output and standard error, as they come. */
  readonly stdout: readonly string[]
  readonly stderr: readonly string[]
  /** The printed address; fails when the process ends before it prints one. */
  listening(): Promise<string>
  /** Resolves when a printed line matches; fails when the process ends first. */
  printed(pattern: RegExp): Promise<RegExpMatchArray>
  isRunning(): boolean
  /** Sends the signal to exactly this process. */
  signal(name: NodeJS.Signals): void
  /** What it ended with. */
  ended(): Promise<Ending>
  /** kill -9, and waits until it is gone. */
  kill(): Promise<void>
}

/** How a process ended; null where it was the other way. */
export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

type Environment = Readonly<Record<string, string>>

const startMs = 45_000

/** From the signal to the end; half a second for hearing of it on a machine that is busy with other things. */
export const promisedMs = limits.shutdownMs + 500

const folders = new Set<string>()
const processes = new Set<ChildProcess>()

/** A folder that is removed by `endAll`. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'stoa-process-'))
  folders.add(folder)
  return folder
}

/** Kills whatever a test has left running and removes its folders; for `afterEach` and `afterAll`. */
export async function endAll(): Promise<void> {
  await Promise.all(
    [...processes].map(
      (child) =>
        new Promise<void>((resolve) => {
          child.once('exit', () => resolve())
          child.kill('SIGKILL')
        }),
    ),
  )
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  folders.clear()
}

// Nothing of what the tests were started with: a DATABASE_URL of the shell must not reach a test of the embedded mode.
function cleanEnvironment(env: Environment): NodeJS.ProcessEnv {
  const kept = ['PATH', 'HOME', 'TMPDIR'].flatMap((name) => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value]]
  })
  return { ...Object.fromEntries(kept), HOST: '127.0.0.1', PORT: '0', ...env }
}

interface Waiter {
  readonly pattern: RegExp
  readonly resolve: (match: RegExpMatchArray) => void
}

/** Starts a program of this repository; `endAll` ends it at the latest. */
export function startProgram(file: string, env: Environment, args: readonly string[] = []): StoaProcess {
  const child = spawn(process.execPath, ['--import', 'tsx', file, ...args], {
    cwd: repositoryRoot,
    env: cleanEnvironment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  processes.add(child)
  const lines = { stdout: [] as string[], stderr: [] as string[] }
  const waiters = new Set<Waiter>()
  for (const name of ['stdout', 'stderr'] as const) {
    createInterface({ input: child[name] }).on('line', (line) => {
      lines[name].push(line)
      for (const waiter of waiters) {
        const match = waiter.pattern.exec(line)
        if (match !== null) waiter.resolve(match)
      }
    })
  }
  // close, not exit: by then everything it printed has been read.
  const closed = new Promise<Ending>((resolve) => {
    child.once('close', (code, signal) => {
      processes.delete(child)
      resolve({ code, signal })
    })
  })
  const tail = () => [...lines.stdout.slice(-20), ...lines.stderr.slice(-20)].join('\n')

  async function printed(pattern: RegExp): Promise<RegExpMatchArray> {
    const all = [...lines.stdout, ...lines.stderr]
    const seen = all.map((line) => pattern.exec(line)).find((match) => match !== null)
    if (seen !== undefined && seen !== null) return seen
    const timeout = new AbortController()
    try {
      return await new Promise((resolve, reject) => {
        waiters.add({ pattern, resolve })
        const timer = setTimeout(
          () => reject(new Error(`no ${pattern} in ${startMs} ms:\n${tail()}`)),
          startMs,
        )
        timeout.signal.addEventListener('abort', () => clearTimeout(timer))
        void closed.then(() => reject(new Error(`it ended before it printed ${pattern}:\n${tail()}`)))
      })
    } finally {
      timeout.abort()
    }
  }

  return {
    pid: child.pid ?? 0,
    ...lines,
    listening: async () => (await printed(/^listening on (\S+)$/))[1] ?? '',
    printed,
    isRunning: () => processes.has(child),
    signal: (name) => void child.kill(name),
    ended: () => closed,
    async kill() {
      child.kill('SIGKILL')
      await closed
    },
  }
}

/** Starts Stoa in a folder, on a free port. */
export function startStoa(dataDir: string, env: Environment = {}): StoaProcess {
  return startProgram('src/main.ts', { STOA_DATA_DIR: dataDir, ...env })
}
