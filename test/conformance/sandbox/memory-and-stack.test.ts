import { describe, expect, it } from 'vitest'
import { failureCode, handler, useSandbox } from './support.ts'

const sandbox = useSandbox()

async function expectGoldenRun(): Promise<void> {
  expect(await sandbox.result('return event.length', { payload: 'golden' })).toBe(6)
}

describe('memory', () => {
  it.each([
    ['many buffers', 'const all = []; for (;;) all.push(new ArrayBuffer(10_000))'],
    [
      'buffers that stay reachable',
      'globalThis.all = []; for (;;) globalThis.all.push(new ArrayBuffer(1_000_000))',
    ],
    ['one huge string', 'return "x".repeat(2 ** 29).length'],
    ['a doubling string', 'let s = "x"; for (;;) s += s + "y"'],
    ['a doubling array', 'let a = [1]; for (;;) a = a.concat(a)'],
    ['a huge typed array', 'return new Float64Array(1e8).length'],
    ['many small objects that stay', 'globalThis.all = []; for (;;) globalThis.all.push({ a: [1] })'],
  ])('%s', async (_name, body) => {
    const report = await sandbox.run(handler(body), { limits: { fuelMax: 2_000_000_000 } })
    // Doubling past the engine's own bound of a string or an array is a RangeError of the guest.
    expect(failureCode(report.outcome)).toMatch(/^sandbox[.](memory_exceeded|handler_threw)$/)
    await expectGoldenRun()
  })

  it('ends a guest that catches the want of memory for ever', async () => {
    const body = 'const all = []; for (;;) { try { for (;;) all.push(new ArrayBuffer(100_000)) } catch {} }'
    const report = await sandbox.run(handler(body), { limits: { wallMsMax: 500 } })
    // A failed allocation is slow and no loop turn: which of the two ends it depends on the machine.
    expect(failureCode(report.outcome)).toMatch(/^sandbox[.](fuel_exhausted|time_exceeded)$/)
    await expectGoldenRun()
  })

  it('says so even when nothing is left to say it with', async () => {
    const body =
      'globalThis.all = []; for (let n = 1e6; n > 8; n /= 2) { try { for (;;) all.push(new ArrayBuffer(n)) } catch {} } throw 1'
    const report = await sandbox.run(handler(body), { limits: { fuelMax: 2_000_000_000 } })
    expect(report.outcome.kind).toBe('failed')
    await expectGoldenRun()
  })

  it('is bounded by the invocation, not by the pool', async () => {
    const body = 'return new ArrayBuffer(20 * 1024 * 1024).byteLength'
    expect((await sandbox.run(handler(body))).outcome).toEqual({ kind: 'completed', value: 20 * 1024 * 1024 })
    const small = await sandbox.run(handler(body), { limits: { memoryBytesMax: 16 * 1024 * 1024 } })
    expect(failureCode(small.outcome)).toBe('sandbox.memory_exceeded')
  })

  it('refuses a payload for which there is no room, and a reply', async () => {
    const limits = { memoryBytesMax: 16 * 1024 * 1024, resultBytesMax: 16 * 1024 * 1024 }
    const payload = 'x'.repeat(12 * 1024 * 1024)
    const large = await sandbox.run(handler('return 1'), { payload, limits })
    expect(failureCode(large.outcome)).toBe('sandbox.memory_exceeded')
    const onHostCall = () => Promise.resolve({ ok: true, value: payload } as const)
    const reply = await sandbox.run(handler('await stoa.order.get(1)'), { onHostCall, limits })
    expect(failureCode(reply.outcome)).toBe('sandbox.memory_exceeded')
    await expectGoldenRun()
  })
})

describe('the stack ends inside the guest', () => {
  it.each([
    ['plain recursion', 'const f = () => 1 + f(); return f()'],
    ['a getter', 'const o = { get x() { return this.x } }; return o.x'],
    ['proxies of proxies', 'let p = {}; for (let i = 0; i < 1e5; i += 1) p = new Proxy(p, {}); return p.x'],
    ['JSON text', 'return JSON.parse("[".repeat(2e5))'],
    [
      'JSON of nested arrays',
      'let a = []; for (let i = 0; i < 2e4; i += 1) a = [a]; return JSON.stringify(a)',
    ],
    ['a result of nested arrays', 'let a = []; for (let i = 0; i < 2e4; i += 1) a = [a]; return a'],
    ['a regular expression', 'return new RegExp("(?:".repeat(5e4))'],
    ['flattening a cycle', 'const a = []; a.push(a); return a.flat(Infinity)'],
    ['toString of nested arrays', 'let a = []; for (let i = 0; i < 2e5; i += 1) a = [a]; return String(a)'],
    ['a constructor', 'class A { constructor() { new A() } } new A()'],
    ['toPrimitive', 'const o = { [Symbol.toPrimitive]() { return +o } }; return +o'],
    ['bound functions', 'let f = () => 1; for (let i = 0; i < 1e5; i += 1) f = f.bind(null); return f()'],
  ])('%s', async (_name, body) => {
    // The stack and the fuel decide here, not how busy the machine is.
    const report = await sandbox.run(handler(body), { limits: { fuelMax: 500_000_000, wallMsMax: 25_000 } })
    // Some vectors have an answer (undefined), some a SyntaxError; none reaches the host's stack.
    expect(failureCode(report.outcome)).toMatch(
      /^(completed|sandbox[.](stack_exceeded|handler_threw|memory_exceeded|fuel_exhausted|result_too_large))$/,
    )
    await expectGoldenRun()
  })

  it('has its own code', async () => {
    const report = await sandbox.run(handler('const f = () => 1 + f(); return f()'))
    expect(failureCode(report.outcome)).toBe('sandbox.stack_exceeded')
    expect(
      await sandbox.result('const f = () => 1 + f(); try { f() } catch (e) { return e.message }'),
    ).toMatch(/stack/)
  })

  it('is whole again after many overflows', async () => {
    const body =
      'const f = () => 1 + f(); for (let i = 0; i < 40; i += 1) { try { f() } catch {} } return "still here"'
    expect(await sandbox.result(body, { limits: { fuelMax: 500_000_000 } })).toBe('still here')
    await expectGoldenRun()
  })

  it('ends in the parser too', async () => {
    for (const source of [
      `${'('.repeat(1e5)}1`,
      `${'['.repeat(1e5)}`,
      `${'`${'.repeat(1e4)}`,
      'x=>'.repeat(1e5),
    ]) {
      expect(
        await sandbox.pool().check({ id: source, source, fileName: 'deep.js', hostFunctions: [] }),
      ).toMatchObject({
        ok: false,
        problem: { code: 'sandbox.load_failed' },
      })
    }
    await expectGoldenRun()
  })
})
