import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import {
  type Invocation,
  makeSandboxPool,
  type OnHostCall,
  type Program,
  type SandboxPool,
  type SandboxPoolOptions,
} from '../../../runtime/node/index.ts'

const pools: SandboxPool[] = []

async function makePool(options: SandboxPoolOptions): Promise<SandboxPool> {
  const pool = await makeSandboxPool(options)
  pools.push(pool)
  return pool
}

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()))
})

function program(body: string): Program {
  const source = `on('test', async (event, stoa) => { ${body} })`
  return { id: source, source, fileName: 'handlers.js', hostFunctions: ['order.get'] }
}

function invocation(wallMsMax = 2_000): Invocation {
  return {
    runId: 'run-1',
    entry: { kind: 'event', type: 'test' },
    payload: null,
    seed: 'seed',
    nowMs: 0,
    limits: {
      memoryBytesMax: 32 * 1024 * 1024,
      fuelMax: 50_000_000,
      wallMsMax,
      hostCallsMax: 10,
      logBytesMax: 1_000,
      resultBytesMax: 10_000,
    },
  }
}

const never: OnHostCall = () => new Promise(() => undefined)
const yes: OnHostCall = () => Promise.resolve({ ok: true, value: 'yes' })

/** The sandbox threads of this process. */
function threadCount(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length
}

describe('the pool', () => {
  it('queues up to its bound and refuses the next', async () => {
    const pool = await makePool({ workers: 1, queueMax: 2 })
    let release: () => void = () => undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const slow: OnHostCall = async (call) => {
      await held
      return yes(call)
    }
    const runs = Array.from({ length: 3 }, () =>
      pool.run(program('return stoa.order.get(1)'), invocation(), slow),
    )
    const refused = await pool.run(program('return 1'), invocation(), yes)
    expect(refused.outcome).toMatchObject({ kind: 'failed', code: 'sandbox.pool_full' })
    expect(await pool.check(program('return 1'))).toMatchObject({
      ok: false,
      problem: { code: 'sandbox.pool_full' },
    })
    release()
    for (const { outcome } of await Promise.all(runs))
      expect(outcome).toEqual({ kind: 'completed', value: 'yes' })
  })

  it('runs as many at once as it has workers, and no more', async () => {
    const pool = await makePool({ workers: 2 })
    let running = 0
    let most = 0
    const counting: OnHostCall = async () => {
      running += 1
      most = Math.max(most, running)
      await new Promise((resolve) => setTimeout(resolve, 20))
      running -= 1
      return { ok: true, value: null }
    }
    await Promise.all(
      Array.from({ length: 6 }, () => pool.run(program('await stoa.order.get(1)'), invocation(), counting)),
    )
    expect(most).toBe(2)
  })

  it('answers what is running and waiting when it closes, and leaves no thread', async () => {
    const before = threadCount()
    const pool = await makePool({ workers: 1 })
    expect(threadCount()).toBeGreaterThan(before)
    const running = pool.run(program('console.log("hi"); await stoa.order.get(1)'), invocation(), never)
    const native = pool.run(program('return String(new Array(1e9))'), invocation(), never)
    const waiting = pool.check(program('return 1'))
    await new Promise((resolve) => setTimeout(resolve, 200))
    const startedMs = performance.now()
    await pool.close()
    expect(performance.now() - startedMs).toBeLessThan(1_000)
    expect(await running).toMatchObject({
      outcome: { code: 'sandbox.closed' },
      logs: 'info hi\n',
      hostCalls: [{ name: 'order.get', ok: false, code: 'sandbox.call_abandoned' }],
    })
    expect((await native).outcome).toMatchObject({ code: 'sandbox.closed' })
    expect(await waiting).toMatchObject({ ok: false, problem: { code: 'sandbox.closed' } })
    expect((await pool.run(program('return 1'), invocation(), yes)).outcome).toMatchObject({
      code: 'sandbox.closed',
    })
    await pool.close()
    expect(threadCount()).toBe(before)
  })

  it('replaces every thread that it kills', async () => {
    const pool = await makePool({ workers: 1, graceMs: 20 })
    for (let i = 0; i < 3; i += 1) {
      const stuck = await pool.run(program('return String(new Array(1e9))'), invocation(50), yes)
      expect(stuck.outcome).toMatchObject({ code: 'sandbox.time_exceeded' })
      const next = await pool.run(program('return stoa.order.get(1)'), invocation(), yes)
      expect(next.outcome).toEqual({ kind: 'completed', value: 'yes' })
    }
  })

  it('kills a thread that is stuck in loading', async () => {
    const pool = await makePool({ workers: 1, graceMs: 20, loadLimits: { fuelMax: 1e9, wallMsMax: 100 } })
    const source = 'String(new Array(1e9))'
    const stuck: Program = { id: 'stuck', source, fileName: 'handlers.js', hostFunctions: [] }
    expect(await pool.check(stuck)).toMatchObject({ ok: false, problem: { code: 'sandbox.load_failed' } })
    expect((await pool.run(stuck, invocation(), yes)).outcome).toMatchObject({ code: 'sandbox.load_failed' })
    expect(await pool.check(program('return 1'))).toEqual({ ok: true, handlerTypes: ['test'], logs: '' })
  })

  it('does not kill a run because the main thread was busy', async () => {
    const pool = await makePool({ workers: 1, graceMs: 10 })
    const run = pool.run(program('return 1'), invocation(50), yes)
    const busyUntilMs = performance.now() + 300
    while (performance.now() < busyUntilMs);
    expect((await run).outcome).toEqual({ kind: 'completed', value: 1 })
  })

  it('tells its owner, not the program, why a host call failed', async () => {
    const errors: unknown[] = []
    const pool = await makePool({ workers: 1, onError: (error) => errors.push(error) })
    const body = 'try { await stoa.order.get(1) } catch (e) { return [e.code, e.message] }'
    const defect = new Error('password=secret')
    const hosts: OnHostCall[] = [
      () => Promise.reject(defect),
      () => {
        throw defect
      },
      () => Promise.resolve({ ok: true, value: (() => 1) as never }),
      () => Promise.resolve(undefined as never),
    ]
    for (const host of hosts) {
      const { outcome, hostCalls } = await pool.run(program(body), invocation(), host)
      expect(outcome).toEqual({
        kind: 'completed',
        value: ['sandbox.host_failed', 'The platform could not answer'],
      })
      expect(hostCalls).toMatchObject([{ ok: false, code: 'sandbox.host_failed' }])
    }
    expect(errors.slice(0, 2)).toEqual([defect, defect])
    expect(errors.length).toBeGreaterThanOrEqual(3)
  })

  it('starts under tsx, with nothing of the environment in its threads', async () => {
    const script = `
      import { makeSandboxPool } from ${JSON.stringify(resolve('runtime/node/index.ts'))}
      const pool = await makeSandboxPool({ workers: 1 })
      const source = "on('a', () => 1)"
      process.stdout.write(JSON.stringify(await pool.check({ id: '1', source, fileName: 'a.js', hostFunctions: [] })))
      await pool.close()`
    const tsx = resolve('node_modules/tsx/dist/cli.mjs')
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [tsx, '--input-type=module', '--eval', script],
      { timeout: 20_000 },
    )
    expect(JSON.parse(stdout)).toEqual({ ok: true, handlerTypes: ['a'], logs: '' })
  })
})
