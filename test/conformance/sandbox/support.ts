import { afterAll, beforeAll, expect } from 'vitest'
import {
  type HostCall,
  type Invocation,
  type Json,
  makeSandboxPool,
  type OnHostCall,
  type Program,
  type RunLimits,
  type RunOutcome,
  type RunReport,
  type SandboxPool,
} from '../../../runtime/node/index.ts'

const mib = 1024 * 1024

const testLimits: RunLimits = {
  memoryBytesMax: 32 * mib,
  fuelMax: 50_000_000,
  wallMsMax: 5_000,
  hostCallsMax: 8,
  logBytesMax: 4_096,
  resultBytesMax: 64 * 1024,
}

/** A bundle as a program; its id is only as unique as the bundle. */
export function program(source: string, hostFunctions: readonly string[] = ['order.get']): Program {
  return { id: `test-${source}`, source, fileName: 'handlers.js', hostFunctions }
}

/** A bundle with one handler whose body is `body`, with `event` and `stoa` in reach. */
export function handler(body: string): string {
  return `on('test', async (event, stoa) => { ${body} })`
}

function invocation(more: Partial<Invocation> & { readonly limits?: Partial<RunLimits> } = {}): Invocation {
  return {
    runId: 'run-1',
    entry: { kind: 'event', type: 'test' },
    payload: null,
    seed: 'seed',
    nowMs: 1_700_000_000_000,
    ...more,
    limits: { ...testLimits, ...more.limits },
  }
}

/** Answers every call with what it was called with. */
const echo: OnHostCall = ({ name, input }) => Promise.resolve({ ok: true, value: { name, input } })

export function failureCode(outcome: RunOutcome): string {
  return outcome.kind === 'failed' ? outcome.code : 'completed'
}

interface Sandbox {
  pool(): SandboxPool
  /** Runs a bundle and returns the whole report. */
  run(source: string, more?: RunMore): Promise<RunReport>
  /** Runs a handler's body and returns its result; fails the test when the run did. */
  result(body: string, more?: RunMore): Promise<Json>
}

interface RunMore {
  readonly payload?: Json
  readonly seed?: string
  readonly nowMs?: number
  readonly limits?: Partial<RunLimits>
  readonly hostFunctions?: readonly string[]
  readonly onHostCall?: (call: HostCall) => ReturnType<OnHostCall>
}

/** One pool for the tests of a file. */
export function useSandbox(workers = 1): Sandbox {
  let pool: SandboxPool | undefined
  beforeAll(async () => {
    pool = await makeSandboxPool({ workers })
  })
  afterAll(async () => {
    await pool?.close()
  })
  const started = (): SandboxPool => {
    if (pool === undefined) throw new Error('only inside tests')
    return pool
  }
  const run = (source: string, more: RunMore = {}): Promise<RunReport> => {
    const { hostFunctions, onHostCall = echo, limits = {}, ...rest } = more
    return started().run(
      program(source, hostFunctions),
      invocation({ ...rest, limits } as Partial<Invocation>),
      onHostCall,
    )
  }
  return {
    pool: started,
    run,
    async result(body, more) {
      const { outcome } = await run(handler(body), more)
      expect(outcome).toMatchObject({ kind: 'completed' })
      return outcome.kind === 'completed' ? outcome.value : null
    },
  }
}
