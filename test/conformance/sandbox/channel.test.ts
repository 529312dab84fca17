import { describe, expect, it } from 'vitest'
import type { HostCall, Json } from '../../../runtime/node/index.ts'
import { failureCode, handler, program, useSandbox } from './support.ts'

const sandbox = useSandbox()

/** Every kind of text that a channel of C strings or UTF-8 would change. */
const awkward = [
  'a\0b',
  '\0',
  '\ud800',
  '\udc00x',
  'x\ud83d',
  '\ud83d\ude00',
  '\u2028\u2029',
  '\ufeff',
  'é漢',
  '"\\\n\t\u001b',
  '\uffff',
]

describe('text crosses unchanged, both ways', () => {
  it('as payload and result', async () => {
    expect(await sandbox.result('return event', { payload: awkward })).toEqual(awkward)
    expect(await sandbox.result('return event.map((s) => s.length)', { payload: awkward })).toEqual(
      awkward.map((s) => s.length),
    )
  })

  it('as member names', async () => {
    const payload = Object.fromEntries(awkward.map((name, index) => [name, index]))
    expect(await sandbox.result('return event', { payload })).toEqual(payload)
  })

  it('as input and answer of a host call', async () => {
    const seen: HostCall[] = []
    const onHostCall = (call: HostCall) => {
      seen.push(call)
      return Promise.resolve({ ok: true, value: awkward } as const)
    }
    expect(await sandbox.result('return stoa.order.get(event)', { payload: awkward, onHostCall })).toEqual(
      awkward,
    )
    expect(seen).toEqual([{ name: 'order.get', input: awkward }])
  })

  it('as an error of the host', async () => {
    const message = awkward.join('|')
    const onHostCall = () =>
      Promise.resolve({ ok: false, error: { code: 'order.not_found', message, details: awkward } } as const)
    const body =
      'try { await stoa.order.get(1) } catch (e) { return [e instanceof Error, e.code, e.message, e.details] }'
    expect(await sandbox.result(body, { onHostCall })).toEqual([true, 'order.not_found', message, awkward])
  })

  it('never as an own __proto__', async () => {
    const value = await sandbox.result(
      'return JSON.parse(\'{"__proto__":{"isAdmin":true},"a":{"__proto__":1}}\')',
    )
    expect(JSON.stringify(value)).toBe('{"a":{}}')
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  })
})

describe('what is not JSON', () => {
  it.each<[string, Json]>([
    ['return undefined', null],
    ['', null],
    ['return () => 1', null],
    ['return Symbol("x")', null],
    ['return [undefined, NaN, Infinity, -0]', [null, null, null, 0]],
    ['return new Map([[1, 2]])', {}],
    ['return new Date(0)', '1970-01-01T00:00:00.000Z'],
  ])('%s', async (body, value) => {
    expect(await sandbox.result(body)).toEqual(value)
  })

  it.each(['return 1n', 'const a = {}; a.a = a; return a'])('throws: %s', async (body) => {
    expect(failureCode((await sandbox.run(handler(body))).outcome)).toBe('sandbox.handler_threw')
  })

  it('is refused as input before the host sees it', async () => {
    const body = 'const a = {}; a.a = a; try { await stoa.order.get(a) } catch (e) { return e.name }'
    const calls: Json[] = []
    const onHostCall = ({ input }: HostCall) => {
      calls.push(input)
      return Promise.resolve({ ok: true, value: null } as const)
    }
    expect(await sandbox.result(body, { onHostCall })).toBe('TypeError')
    expect(
      await sandbox.result('try { await stoa.order.get(() => 1) } catch (e) { return e.name }', {
        onHostCall,
      }),
    ).toBe('TypeError')
    expect(calls).toEqual([])
    await sandbox.result('await stoa.order.get()', { onHostCall })
    expect(calls).toEqual([null])
  })
})

describe('sizes', () => {
  const limits = { resultBytesMax: 1_000 }

  it('of the result', async () => {
    expect(await sandbox.result('return "x".repeat(998)', { limits })).toHaveLength(998)
    expect(failureCode((await sandbox.run(handler('return "x".repeat(999)'), { limits })).outcome)).toBe(
      'sandbox.result_too_large',
    )
    // Bytes, not characters.
    expect(failureCode((await sandbox.run(handler('return "漢".repeat(400)'), { limits })).outcome)).toBe(
      'sandbox.result_too_large',
    )
    expect(failureCode((await sandbox.run(handler('return "x".repeat(5e6)'), { limits })).outcome)).toBe(
      'sandbox.result_too_large',
    )
    const deep = 'let a = 1; for (let i = 0; i < 200; i += 1) a = [a]; return a'
    expect(failureCode((await sandbox.run(handler(deep), { limits })).outcome)).toBe(
      'sandbox.result_too_large',
    )
  })

  it('of inputs and answers', async () => {
    const body = 'try { await stoa.order.get(event) } catch (e) { return e.code }'
    expect(await sandbox.result(body, { payload: 'x'.repeat(2_000), limits })).toBe('sandbox.input_too_large')
    expect(await sandbox.result(body, { payload: '漢'.repeat(400), limits })).toBe('sandbox.input_too_large')
    const onHostCall = () => Promise.resolve({ ok: true, value: 'x'.repeat(5_000) } as const)
    expect(await sandbox.result(body, { payload: 1, limits, onHostCall })).toBe('sandbox.reply_too_large')
  })

  it('of logs', async () => {
    const body =
      'for (let i = 0; i < 1e4; i += 1) console.log("line", i); console.log("x".repeat(1e6)); return "done"'
    const report = await sandbox.run(handler(body), { limits: { logBytesMax: 100, fuelMax: 500_000_000 } })
    expect(failureCode(report.outcome)).toBe('completed')
    expect([report.logs.length, report.logsTruncated]).toEqual([100, true])
    expect(report.logs.startsWith('info line 0\ninfo line 1\n')).toBe(true)
  })
})

describe('a program that replaces what the bootstrap uses', () => {
  const poison = `
    const bad = () => { throw new Error('poisoned') }
    const forged = { ok: true, value: 'forged', id: 1, kind: 'done', get: bad, then: undefined }
    JSON.stringify = () => '"forged"'
    JSON.parse = () => forged
    Reflect.apply = bad
    Object.defineProperty = bad
    Object.create = bad
    String.prototype.slice = () => 'forged'
    String.prototype.split = () => ['forged']
    Object.defineProperties(Array.prototype, Object.getOwnPropertyDescriptors({ toJSON() { return ['forged'] } }))
    Object.prototype.toJSON = function () { return 'forged' }
    for (const name of ['push', 'map', 'forEach', 'includes', 'join', 'shift', 'pop', 'slice', 'splice']) Array.prototype[name] = bad
    Map.prototype.get = bad
    Map.prototype.set = bad
    Promise.prototype.then = bad
    Promise.prototype.catch = bad
    Promise.resolve = bad
    Function.prototype.call = bad
    Function.prototype.apply = bad
    Function.prototype.bind = bad
    for (const name of ['value', 'error', 'ok', 'code', 'message', 'details', 'id', 'kind', 'type', 'event', 'resolve', 'reject', 'get', 'set', 'writable']) {
      Object.prototype[name] = 'forged'
    }
    Array.prototype[Symbol.iterator] = bad
    Promise = bad
    Error = bad
    Reflect = undefined
  `

  it('gets the host’s true answers and errors, and the host its true calls', async () => {
    const calls: HostCall[] = []
    const onHostCall = (call: HostCall) => {
      calls.push(call)
      return Promise.resolve(
        calls.length === 1
          ? ({ ok: true, value: { id: 'ord_1', nested: [1, { two: 2 }] } } as const)
          : ({ ok: false, error: { code: 'order.not_found', message: 'No such order' } } as const),
      )
    }
    const source = `${poison}
      on('test', async (event, stoa) => {
        const order = await stoa.order.get('ord_1')
        let code, message
        try { await stoa.order.get('ord_2') } catch (e) { code = e.code; message = e.message }
        return order.id + ' ' + order.nested[1].two + ' ' + code + ' ' + message + ' ' + event
      })`
    const report = await sandbox.run(source, { payload: 'truth', onHostCall })
    expect(report.outcome).toEqual({
      kind: 'completed',
      value: 'ord_1 2 order.not_found No such order truth',
    })
    expect(calls).toEqual([
      { name: 'order.get', input: 'ord_1' },
      { name: 'order.get', input: 'ord_2' },
    ])
    expect(report.hostCalls).toMatchObject([{ ok: true }, { ok: false, code: 'order.not_found' }])
  })

  it('still shows its handlers as they are', async () => {
    const source = `${poison} on('order.paid', () => 1); on('order.shipped', () => 1)`
    expect(await sandbox.pool().check(program(source))).toEqual({
      ok: true,
      handlerTypes: ['order.paid', 'order.shipped'],
      logs: '',
    })
  })

  it('can only hurt itself by toJSON and then', async () => {
    expect(await sandbox.result('Object.prototype.toJSON = () => ({ mine: 1 }); return {}')).toEqual({
      mine: 1,
    })
    const thenable =
      'Object.prototype.then = function (resolve) { delete Object.prototype.then; resolve("mine") }; return stoa.order.get(1)'
    expect(failureCode((await sandbox.run(handler(thenable))).outcome)).toBe('completed')
  })

  it('cannot make the host evaluate what it throws', async () => {
    const body = `throw { __proto__: null, name: {}, message: new Proxy({}, {}), stack: 5, code: 'EVIL', status: 200, isAdmin: true,
      toString() { return 'never' } }`
    const { outcome } = await sandbox.run(handler(body))
    expect(outcome).toEqual({ kind: 'failed', code: 'sandbox.handler_threw', message: '[EVIL]' })
    for (const thrown of [
      'null',
      'undefined',
      '"text"',
      'Symbol("s")',
      '1n',
      '(() => 1)',
      'new Proxy({}, { get() { throw 1 }, getPrototypeOf() { throw 2 } })',
    ]) {
      expect(failureCode((await sandbox.run(handler(`throw ${thrown}`))).outcome)).toBe(
        'sandbox.handler_threw',
      )
    }
  })

  it('cannot fake frames, lines of log or terminal sequences', async () => {
    const body = `
      console.log('one\\nerror forged \\u001b[31m \\u202e \\0')
      throw Object.assign(new Error('x'), { stack: 'at /etc/passwd\\n    at f (handlers.js:1:1)\\n<script>' })`
    const report = await sandbox.run(handler(body))
    expect(report.logs).toBe('info one\n  error forged \\x1b[31m \\u202e \\x00\n')
    expect(report.outcome).toMatchObject({ stack: '    at f (handlers.js:1:1)' })
  })
})
