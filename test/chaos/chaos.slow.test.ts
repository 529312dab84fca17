import { spawn, spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { repositoryRoot } from '../support/repository.ts'
import { hasPostgresql } from './cluster.ts'

const timeoutMs = 12 * 60_000

// Without Debian's packages the embedded database takes all of it.
const hasServers = hasPostgresql() && spawnSync('redis-server', ['--version']).status === 0
const scenarios = hasServers ? [] : ['--scenario', 'pglite']

interface Finished {
  readonly code: number | null
  readonly output: string
}

/** Plays a run as `npm run chaos` does; SIGTERM lets it end what it has started. */
function runChaos(args: readonly string[]): Promise<Finished> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'test/chaos/main.ts', ...args], {
    cwd: repositoryRoot,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const limit = setTimeout(() => child.kill('SIGTERM'), timeoutMs - 20_000)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8')
    })
  }
  return new Promise((resolve) => {
    child.once('close', (code) => {
      clearTimeout(limit)
      resolve({ code, output })
    })
  })
}

test(
  '5,000 events and four kills, crashes and failing receivers between them: nothing lost, nothing out of order, nothing twice without a cause',
  async () => {
    const { code, output } = await runChaos(['--events', '5000', '--kills', '4', ...scenarios])
    const last = output.trim().split('\n').at(-1) ?? ''
    expect(code, output).toBe(0)
    const { recovery_p50_ms, recovery_p99_ms, duplicates, ...counts } = JSON.parse(last) as Record<
      string,
      number
    >
    expect(counts).toEqual({ published: 5_000, delivered: 5_000, lost: 0, order_violations: 0 })
    // What was in flight at a kill came again: a run without it has killed nothing worth it.
    expect(duplicates).toBeGreaterThan(0)
    expect(recovery_p50_ms).toBeLessThanOrEqual(recovery_p99_ms ?? 0)
    expect(recovery_p99_ms).toBeLessThanOrEqual(10_000)
  },
  timeoutMs,
)
