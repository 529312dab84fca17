import { describe, expect, it } from 'vitest'
import { permittedGlobals } from '../../../runtime/guest/index.ts'
import { failureCode, handler, program, useSandbox } from './support.ts'

const sandbox = useSandbox()

describe('what a program finds', () => {
  it('is the permitted globals, on and console', async () => {
    const found = await sandbox.result('return Object.getOwnPropertyNames(globalThis).sort()')
    expect(found).toEqual([...permittedGlobals, 'console', 'on'].sort())
  })

  it.each([
    'eval("1")',
    '(0, globalThis.eval)("1")',
    'Function("return 1")()',
    'new Function("return 1")()',
    '(() => {}).constructor("return 1")()',
    '(async () => {}).constructor("return 1")()',
    '(function* () {}).constructor("return 1")()',
    '(async function* () {}).constructor("return 1")()',
    'Object.getPrototypeOf(async () => {}).constructor("return 1")()',
    'stoa.order.get.constructor("return 1")()',
    'console.log.constructor("return 1")()',
    '[].map.constructor.constructor("return 1")()',
  ])('runs only what was reviewed: %s', async (code) => {
    const { outcome } = await sandbox.run(handler(`return ${code}`))
    expect(failureCode(outcome)).toBe('sandbox.handler_threw')
  })

  it.each(['"fs"', '"node:fs"', '"../../etc/passwd"', '"file:///etc/passwd"', '"\\0x"'])(
    'imports nothing: %s',
    async (specifier) => {
      expect(failureCode((await sandbox.run(handler(`await import(${specifier})`))).outcome)).toBe(
        'sandbox.handler_threw',
      )
    },
  )

  it('shows nothing of the host in errors', async () => {
    const onHostCall = () => Promise.reject(new Error('connect ECONNREFUSED 10.0.3.7:5432 at /work/main'))
    const body =
      'try { await stoa.order.get(1) } catch (e) { return { ...e, message: e.message, code: e.code, stack: e.stack } }'
    const value = await sandbox.result(body, { onHostCall })
    expect(value).toMatchObject({ code: 'sandbox.host_failed', message: 'The platform could not answer' })
    expect(JSON.stringify(value)).not.toMatch(/ECONNREFUSED|node:|\/work|runtime\//)
  })

  it('is a frozen facet with the granted functions and no others', async () => {
    const hostFunctions = ['order.get', 'storage.set', 'order.items.list']
    const body = `
      let tried = 'nothing'
      try { stoa.order.get = () => 'mine'; } catch (e) { tried = e.name }
      return [Object.keys(stoa), Object.keys(stoa.order), Object.keys(stoa.order.items), Object.isFrozen(stoa), Object.isFrozen(stoa.order),
        Object.getPrototypeOf(stoa) === null, typeof stoa.order.cancel, typeof stoa.constructor, tried]`
    const source = `'use strict'; ${handler(body)}`
    expect((await sandbox.run(source, { hostFunctions })).outcome).toEqual({
      kind: 'completed',
      value: [
        ['order', 'storage'],
        ['get', 'items'],
        ['list'],
        true,
        true,
        true,
        'undefined',
        'undefined',
        'TypeError',
      ],
    })
  })

  it('does not change with the functions that another installation was granted', async () => {
    const source = handler('return Object.keys(stoa)')
    for (const names of [['order.get'], ['storage.set'], [], ['order.get']]) {
      const { outcome } = await sandbox.run(source, { hostFunctions: names })
      expect(outcome).toEqual({ kind: 'completed', value: names.map((name) => name.split('.')[0]) })
    }
  })

  it('has no handlers but those of the bundle’s top level', async () => {
    expect((await sandbox.run(handler('on("late", () => 1)'))).outcome).toMatchObject({
      code: 'sandbox.handler_threw',
    })
    expect((await sandbox.run('on("other", () => 1)')).outcome).toMatchObject({
      code: 'sandbox.handler_missing',
      message: 'The bundle has no handler for test',
    })
    for (const name of ['__proto__', 'constructor', 'toString']) {
      expect(await sandbox.pool().check(program(`on(${JSON.stringify(name)}, () => 1)`))).toMatchObject({
        ok: true,
        handlerTypes: [name],
      })
    }
  })
})

describe('time and chance', () => {
  const body =
    'return [Math.random(), Math.random(), Date.now(), new Date().toISOString(), new Date(2024, 5, 1).getTime(), new Date().getTimezoneOffset(), Date()]'

  it('are the invocation’s', async () => {
    const first = await sandbox.result(body, { seed: 'a', nowMs: 1_234_567_890_123 })
    const again = await sandbox.result(body, { seed: 'a', nowMs: 1_234_567_890_123 })
    const other = await sandbox.result(body, { seed: 'b', nowMs: 1_234_567_890_123 })
    expect(again).toEqual(first)
    expect(other).not.toEqual(first)
    expect(first).toEqual([
      expect.any(Number),
      expect.any(Number),
      1_234_567_890_123,
      '2009-02-13T23:31:30.123Z',
      Date.UTC(2024, 5, 1),
      0,
      'Fri Feb 13 2009 23:31:30 GMT+0000',
    ])
  })

  it('do not pass while a handler runs or waits', async () => {
    const onHostCall = () =>
      new Promise<{ ok: true; value: null }>((resolve) =>
        setTimeout(() => resolve({ ok: true, value: null }), 30),
      )
    const waiting =
      'const before = Date.now(); for (let i = 0; i < 1e5; i += 1); await stoa.order.get(1); return Date.now() - before'
    expect(await sandbox.result(waiting, { onHostCall })).toBe(0)
  })

  it('are fixed while the bundle loads', async () => {
    const source = "const at = [Date.now(), Math.random()]; on('test', () => at)"
    const [first, second] = [
      await sandbox.run(source, { seed: 'a', nowMs: 5 }),
      await sandbox.run(source, { seed: 'b', nowMs: 6 }),
    ]
    expect(first.outcome).toEqual(second.outcome)
    expect(first.outcome).toMatchObject({ value: [0, expect.any(Number)] })
  })

  it('Math.random looks uniform', async () => {
    const body =
      'const n = 20_000; let sum = 0, low = 1, high = 0; for (let i = 0; i < n; i += 1) { const x = Math.random(); sum += x; low = Math.min(low, x); high = Math.max(high, x) } return [sum / n, low, high]'
    const [mean, low, high] = (await sandbox.result(body, { limits: { fuelMax: 500_000_000 } })) as [
      number,
      number,
      number,
    ]
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.02)
    expect(low).toBeGreaterThanOrEqual(0)
    expect(low).toBeLessThan(0.01)
    expect(high).toBeLessThan(1)
    expect(high).toBeGreaterThan(0.99)
  })
})

describe('nothing survives a run', () => {
  it('in globals, prototypes, module state, symbols or regular expressions', async () => {
    const source = `
      let count = 0
      const seen = new Map()
      const sticky = /a/g
      on('test', () => {
        count += 1
        seen.set(seen.size, 1)
        sticky.test('aaaa')
        const marks = [count, seen.size, sticky.lastIndex, globalThis.left, Array.prototype.left, Object.keys(Promise), {}.left]
        globalThis.left = 1
        Array.prototype.left = 1
        Object.prototype.left = 1
        Promise.left = 1
        JSON.parse = null
        new Promise(() => {}).then(() => { globalThis.late = 1 })
        return marks.map((mark) => mark === undefined ? 'none' : mark)
      })`
    const reports = []
    for (let i = 0; i < 6; i += 1) reports.push(await sandbox.run(source))
    for (const { outcome } of reports) {
      expect(outcome).toEqual({ kind: 'completed', value: [1, 1, 1, 'none', 'none', [], 'none'] })
    }
  })

  it('after a throw or an exhausted budget either', async () => {
    const source =
      "let count = 0; on('test', (event) => { count += 1; if (event === 'throw') throw new Error('x'); while (event === 'spin'); return count })"
    for (const payload of ['ok', 'throw', 'ok', 'spin', 'ok', 'throw', 'spin', 'ok']) {
      const { outcome } = await sandbox.run(source, { payload })
      if (payload === 'ok') expect(outcome).toEqual({ kind: 'completed', value: 1 })
      else expect(outcome.kind).toBe('failed')
    }
  })

  it('not even a late answer of the host', async () => {
    const late: (() => void)[] = []
    const onHostCall = () =>
      new Promise<{ ok: true; value: string }>((resolve) => {
        late.push(() => resolve({ ok: true, value: 'of the run before' }))
      })
    const source = handler("return stoa.order.get('mine')")
    expect(failureCode((await sandbox.run(source, { onHostCall, limits: { wallMsMax: 60 } })).outcome)).toBe(
      'sandbox.time_exceeded',
    )
    const next = sandbox.run(source, {
      onHostCall: async () => {
        for (const resolve of late) resolve()
        await new Promise((resolve) => setTimeout(resolve, 20))
        return { ok: true, value: 'mine' }
      },
    })
    expect((await next).outcome).toEqual({ kind: 'completed', value: 'mine' })
  })
})
