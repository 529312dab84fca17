import { describe, expect, it } from 'vitest'
import type { Invocation, Program } from '../../../runtime/abi/index.ts'
import { boot, checkProgram, type Engine } from '../../../runtime/engine/index.ts'
import { makeMeter } from '../../../runtime/engine/meter.ts'
import { bootstrapSource } from '../../../runtime/guest/index.ts'
import { nodeClock } from '../../../runtime/node/clock.ts'
import { compileEngine } from '../../../runtime/node/wasm.ts'

const memoryBytesMax = 32 * 1024 * 1024
const wasmModule = compileEngine()

async function bootEngine(): Promise<Engine> {
  return boot({
    wasmModule: await wasmModule,
    guestSource: bootstrapSource,
    clock: nodeClock,
    loadLimits: { fuelMax: 200_000_000, wallMsMax: 2_000 },
    memoryBytesMax,
  })
}

function program(source: string, more: Partial<Program> = {}): Program {
  return { id: source, source, fileName: 'handlers.js', hostFunctions: ['order.get'], ...more }
}

const invocation: Invocation = {
  runId: 'run-1',
  entry: { kind: 'event', type: 'test' },
  payload: { n: 1 },
  seed: 'seed',
  nowMs: 0,
  limits: {
    memoryBytesMax,
    fuelMax: 50_000_000,
    wallMsMax: 1_000,
    hostCallsMax: 3,
    logBytesMax: 1_000,
    resultBytesMax: 10_000,
  },
}

describe('boot → snapshot → invoke → restore', () => {
  it('runs any number of times from the same state', async () => {
    const engine = await bootEngine()
    const loaded = await engine.snapshot(
      program("let n = 0; on('test', (event) => { n += event.n; return n })"),
    )
    if (!loaded.ok) throw new Error(loaded.problem.message)
    const outcomes = []
    for (let i = 0; i < 5; i += 1) {
      outcomes.push(
        (await engine.invoke(loaded.snapshot, invocation, () => Promise.reject(new Error('no')))).outcome,
      )
      if (i % 2 === 0) await engine.restore(loaded.snapshot)
    }
    expect(outcomes).toEqual(Array.from({ length: 5 }, () => ({ kind: 'completed', value: 1 })))
  })

  it('keeps programs apart when their runs alternate', async () => {
    const engine = await bootEngine()
    const snapshots = []
    for (const name of ['a', 'b', 'c']) {
      const loaded = await engine.snapshot(
        program(`globalThis.mine = '${name}'; on('test', () => [mine, globalThis.other])`),
      )
      if (loaded.ok) snapshots.push(loaded.snapshot)
    }
    for (const snapshot of [...snapshots, ...snapshots]) {
      const { outcome } = await engine.invoke(snapshot, invocation, () => Promise.reject(new Error('no')))
      expect(outcome).toEqual({ kind: 'completed', value: [snapshot.program.source.slice(19, 20), null] })
    }
  })

  it('survives more worlds than one instance is used for', async () => {
    const engine = await bootEngine()
    const loaded = await engine.snapshot(program("on('test', () => 1)"))
    if (!loaded.ok) throw new Error(loaded.problem.message)
    for (let i = 0; i < 1_050; i += 1) {
      const { outcome } = await engine.invoke(loaded.snapshot, invocation, () =>
        Promise.reject(new Error('no')),
      )
      if (outcome.kind === 'failed') throw new Error(`${i}: ${outcome.message}`)
    }
  })
})

describe('a run', () => {
  const invoke = async (
    body: string,
    onHostCall = () => Promise.resolve({ ok: true, value: 'yes' } as const),
  ) => {
    const engine = await bootEngine()
    const loaded = await engine.snapshot(program(`on('test', async (event, stoa) => { ${body} })`))
    if (!loaded.ok) throw new Error(loaded.problem.message)
    return engine.invoke(loaded.snapshot, invocation, onHostCall)
  }

  it('reports its result, its logs and its host calls', async () => {
    const report = await invoke(`
      console.log('text', 1, { a: [1] }, null, undefined, true, 2n, Symbol('s'), () => 1, new TypeError('oops'))
      console.warn('w'); console.error('e'); console.info('i'); console.debug('d')
      return [await stoa.order.get(1), await stoa.order.get(2)]`)
    expect(report).toMatchObject({
      runId: 'run-1',
      outcome: { kind: 'completed', value: ['yes', 'yes'] },
      logsTruncated: false,
      hostCalls: [
        { name: 'order.get', ok: true, durationMs: expect.any(Number) },
        { name: 'order.get', ok: true, durationMs: expect.any(Number) },
      ],
      durationMs: expect.any(Number),
    })
    expect(report.logs).toBe(
      'info text 1 {"a":[1]} null undefined true 2 Symbol(s) [function] TypeError: oops\nwarn w\nerror e\ninfo i\ndebug d\n',
    )
  })

  it('says where the handler threw', async () => {
    expect((await invoke("\n\n  throw new TypeError('bad order')")).outcome).toEqual({
      kind: 'failed',
      code: 'sandbox.handler_threw',
      message: 'TypeError: bad order',
      stack: expect.stringMatching(/^ {4}at <anonymous> \(handlers\.js:3:\d+\)$/),
    })
  })

  it('says who asked when a refused host call is not caught', async () => {
    const refuse = () =>
      Promise.resolve({ ok: false, error: { code: 'order.not_found', message: 'No such order' } } as const)
    const report = await invoke('\n await stoa.order.get(1)', refuse as never)
    expect(report.outcome).toMatchObject({
      message: 'Error [order.not_found]: No such order',
      stack: expect.stringMatching(/handlers\.js:2:/),
    })
    expect(report.hostCalls).toMatchObject([{ ok: false, code: 'order.not_found' }])
  })

  it('ends at one host call too many, and the first ones are recorded', async () => {
    const report = await invoke('for (;;) await stoa.order.get(1)')
    expect(report.outcome).toMatchObject({ code: 'sandbox.too_many_host_calls' })
    expect(report.hostCalls).toHaveLength(3)
    const atOnce = await invoke('for (let i = 0; i < 1e6; i += 1) stoa.order.get(1)')
    expect(atOnce.outcome).toMatchObject({ code: 'sandbox.too_many_host_calls' })
    expect(atOnce.hostCalls).toMatchObject([{ ok: true }, { ok: true }, { ok: true }])
  })

  it('waits for host calls that its handler did not wait for', async () => {
    const slowly = () =>
      new Promise<{ ok: true; value: 'yes' }>((resolve) =>
        setTimeout(() => resolve({ ok: true, value: 'yes' }), 20),
      )
    const report = await invoke('void stoa.order.get(1); return "at once"', slowly)
    expect(report.outcome).toEqual({ kind: 'completed', value: 'at once' })
    expect(report.hostCalls).toMatchObject([{ name: 'order.get', ok: true }])
  })

  it('ends at once when its promise can never settle', async () => {
    const report = await invoke('await new Promise(() => {})')
    expect(report.outcome).toMatchObject({ code: 'sandbox.never_settled' })
    expect(report.durationMs).toBeLessThan(500)
  })

  it('answers a host that answers with what is not JSON as one that failed', async () => {
    const report = await invoke('try { await stoa.order.get(1) } catch (e) { return e.code }', (() =>
      Promise.resolve({ ok: true, value: 1n })) as never)
    expect(report.outcome).toEqual({ kind: 'completed', value: 'sandbox.host_failed' })
  })
})

describe('checkProgram', () => {
  const check = async (source: string, more: Partial<Program> = {}) =>
    checkProgram(await bootEngine(), program(source, more))

  it('lists the handlers in their order, and what loading printed', async () => {
    expect(await check("on('b', () => 1); console.log('loading'); on('a', () => 1)")).toEqual({
      ok: true,
      handlerTypes: ['b', 'a'],
      logs: 'info loading\n',
    })
    expect(await check('')).toEqual({ ok: true, handlerTypes: [], logs: '' })
  })

  it.each([
    ["on('a', () => 1)\n\nlet x = ;", /SyntaxError/, 3, 9],
    ['on("a", () => {\n  return (1\n})', /SyntaxError/, 3, 1],
    ['\n\n  missing()', /ReferenceError: 'missing' is not defined/, 3, 3],
    ['const f = () => {\n  throw new Error("at load")\n}\nf()', /Error: at load/, 2, 18],
    ["on('a', () => 1)\non('a', () => 1)", /already a handler for a/, 2, 3],
    ["on('a', 5)", /handler is not a function/, 1, 3],
    ['on(5, () => 1)', /type is not an event type/, 1, 3],
    ["for (let i = 0; i < 300; i += 1)\n  on('t' + i, () => 1)", /more than 256/, 2, 5],
    ['let a = "x\0y"', /NUL/, 1, 11],
    ['\nlet a = "\ud800"', /surrogate/, 2, 10],
  ])('says what is wrong and where: %j', async (source, message, line, column) => {
    expect(await check(source)).toMatchObject({
      ok: false,
      problem: { code: 'sandbox.load_failed', message: expect.stringMatching(message), line, column },
    })
  })

  it.each([
    'throw null',
    'throw "text"',
    'throw { get message() { throw 1 } }',
    'import "x"',
    'await 1',
    'export {}',
  ])('refuses %s', async (source) => {
    expect(await check(source)).toMatchObject({ ok: false, problem: { code: 'sandbox.load_failed' } })
  })

  it('refuses names that cannot be shown or called', async () => {
    for (const fileName of ['', 'a:b.js', 'a(b).js', 'a\nb.js']) {
      expect(await check('', { fileName })).toMatchObject({ ok: false })
    }
    for (const name of [
      'order',
      'order.',
      '.get',
      'order.get now',
      '__proto__.x',
      'order.__proto__',
      'order..get',
    ]) {
      expect(await check('', { hostFunctions: [name] })).toMatchObject({ ok: false })
    }
  })
})

describe('makeMeter', () => {
  it('trips once, and the first reason stays', () => {
    let nowMs = 0
    const meter = makeMeter({ fuelMax: 340_000 * 2, wallMsMax: 100 }, () => nowMs)
    expect([meter.poll(), meter.poll(), meter.tripped]).toEqual([false, false, undefined])
    expect([meter.poll(), meter.tripped]).toEqual([true, 'sandbox.fuel_exhausted'])
    nowMs = 1_000
    expect([meter.isLate(), meter.tripped, meter.remainingMs()]).toEqual([true, 'sandbox.fuel_exhausted', 0])
  })

  it('counts time without interrupts too', () => {
    let nowMs = 0
    const meter = makeMeter({ fuelMax: 1e9, wallMsMax: 100 }, () => nowMs)
    nowMs = 100
    expect([meter.isLate(), meter.remainingMs()]).toEqual([false, 0])
    nowMs = 101
    expect([meter.isLate(), meter.tripped]).toEqual([true, 'sandbox.time_exceeded'])
  })
})
