import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'

/** A process this program started and will end. */
export interface Started {
  readonly child: ChildProcess
  /** Every line it has printed so far. */
  readonly lines: readonly string[]
  /** The first line that matches, now or later; fails when the process ends first or time is up. */
  line(pattern: RegExp, timeoutMs: number): Promise<RegExpMatchArray>
  /** SIGTERM, then SIGKILL after 6 s. */
  stop(): Promise<void>
}

interface Waiter {
  readonly pattern: RegExp
  readonly resolve: (match: RegExpMatchArray) => void
}

/** Starts a TypeScript program of this repository with tsx. */
export function startProgram(file: string, env: Readonly<Record<string, string>>): Started {
  const child = spawn(process.execPath, ['--import', 'tsx', file], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const lines: string[] = []
  const waiters = new Set<Waiter>()
  const onLine = (line: string) => {
    lines.push(line)
    for (const waiter of waiters) {
      const match = waiter.pattern.exec(line)
      if (match !== null) waiter.resolve(match)
    }
  }
  if (child.stdout !== null) createInterface({ input: child.stdout }).on('line', onLine)
  if (child.stderr !== null) createInterface({ input: child.stderr }).on('line', onLine)
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
  })

  return {
    child,
    lines,
    async line(pattern, timeoutMs) {
      const seen = lines.map((line) => pattern.exec(line)).find((match) => match !== null)
      if (seen !== undefined && seen !== null) return seen
      let waiter: Waiter | undefined
      let timer: NodeJS.Timeout | undefined
      const found = new Promise<RegExpMatchArray>((resolve, reject) => {
        waiter = { pattern, resolve }
        waiters.add(waiter)
        const fail = (why: string) =>
          reject(new Error(`${file} ${why}; it printed:\n${lines.slice(-20).join('\n')}`))
        timer = setTimeout(() => fail(`did not print ${pattern} in ${timeoutMs} ms`), timeoutMs)
        void ended.then(() => fail(`ended before it printed ${pattern}`))
      })
      try {
        return await found
      } finally {
        clearTimeout(timer)
        if (waiter !== undefined) waiters.delete(waiter)
      }
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 6_000)
      await ended
      clearTimeout(timer)
    },
  }
}

/** A port nobody listens on right now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}
