import { describe, expect, it } from 'vitest'
import { failureCode, handler, useSandbox } from './support.ts'

const sandbox = useSandbox()

/** What must hold after every attack: the next run, in the same pool, is as if nothing had been. */
async function expectGoldenRun(): Promise<void> {
  const { outcome } = await sandbox.run(handler('return { sum: event.reduce((a, b) => a + b, 0) }'), {
    payload: [1, 2, 3],
  })
  expect(outcome).toEqual({ kind: 'completed', value: { sum: 6 } })
}

describe('fuel ends code that the interpreter runs', () => {
  it.each([
    ['a loop', 'for (;;);'],
    ['a loop that catches everything', 'for (;;) { try { for (;;); } catch {} finally { continue } }'],
    [
      'a loop in a promise job, with a catch',
      'await Promise.resolve().then(() => { for (;;); }).catch(() => {}); return "escaped"',
    ],
    [
      'an async loop whose rejection is caught',
      'try { await (async () => { for (;;); })() } catch { return "escaped" }',
    ],
    ['an endless chain of promises', 'const f = () => Promise.resolve().then(f); await f()'],
    ['an endless await', 'for (;;) await 0'],
    ['a regular expression that explodes', 'return /^(a+)+$/.test("a".repeat(40) + "b")'],
    ['an endless getter chain', 'const p = new Proxy({}, { get: () => { for (;;); } }); return p.x'],
    ['a result whose toJSON does not end', 'return { toJSON() { for (;;); } }'],
    ['an error whose message does not end', 'throw { get message() { for (;;); } }'],
    ['a sort whose comparator does not end', 'return [1, 2].sort(() => { for (;;); })'],
  ])('%s', async (_name, body) => {
    const report = await sandbox.run(handler(body), { limits: { fuelMax: 20_000_000 } })
    expect(failureCode(report.outcome)).toBe('sandbox.fuel_exhausted')
    await expectGoldenRun()
  })

  it('charges the same fuel for the same work', async () => {
    const outcomes = await Promise.all(
      [1, 2, 3].map(() => sandbox.run(handler('for (let i = 0; i < 200_000; i += 1); return "done"'))),
    )
    expect(outcomes.map(({ outcome }) => failureCode(outcome))).toEqual([
      'completed',
      'completed',
      'completed',
    ])
  })

  it('does not listen to a guest that caught its interrupt', async () => {
    const calls: string[] = []
    const body = `
      const burn = async () => { for (;;); }
      await burn().catch(() => { console.log('caught'); stoa.order.get(1) })
      return 'escaped'`
    const report = await sandbox.run(handler(body), {
      onHostCall: ({ name }) => {
        calls.push(name)
        return Promise.resolve({ ok: true, value: null })
      },
    })
    expect(failureCode(report.outcome)).toBe('sandbox.fuel_exhausted')
    expect([calls, report.logs, report.hostCalls]).toEqual([[], '', []])
  })
})

describe('the watchdog ends what the interpreter does not see', () => {
  it.each([
    ['joining a billion holes', 'return String(new Array(1e9))'],
    ['multiplying huge integers', 'let a = (1n << 520000n) - 1n; for (let i = 0; i < 500; i += 1) a * a'],
    ['searching two billion holes', 'return Array.prototype.indexOf.call({ length: 2 ** 32 - 1 }, 1)'],
  ])('%s', async (_name, body) => {
    const startedMs = performance.now()
    const report = await sandbox.run(handler(`console.log('before'); ${body}`), {
      limits: { wallMsMax: 150 },
    })
    expect(failureCode(report.outcome)).toBe('sandbox.time_exceeded')
    expect(performance.now() - startedMs).toBeLessThan(3_000)
    expect(report.logs).toBe('info before\n')
    await expectGoldenRun()
  })

  it('keeps the host calls of a run that it killed, and starts waiting runs on a thread that is ready', async () => {
    const stuck = sandbox.run(handler('await stoa.order.get(1); return String(new Array(1e9))'), {
      limits: { wallMsMax: 150 },
    })
    const waiting = [1, 2, 3].map(() => sandbox.run(handler('return "next"')))
    expect(await stuck).toMatchObject({
      outcome: { code: 'sandbox.time_exceeded' },
      hostCalls: [{ name: 'order.get', ok: true }],
    })
    for (const report of await Promise.all(waiting)) expect(report.outcome).toMatchObject({ value: 'next' })
  })

  it('counts waiting for a host call, without killing the thread', async () => {
    const body = 'return stoa.order.get(1)'
    const onHostCall = () => new Promise<never>(() => undefined)
    const startedMs = performance.now()
    const report = await sandbox.run(handler(body), { limits: { wallMsMax: 100 }, onHostCall })
    expect(failureCode(report.outcome)).toBe('sandbox.time_exceeded')
    expect(performance.now() - startedMs).toBeLessThan(2_000)
    expect(report.hostCalls).toMatchObject([{ name: 'order.get', ok: false, code: 'sandbox.call_abandoned' }])
    await expectGoldenRun()
  })

  it('ends a bundle that does not finish loading', async () => {
    const looping = await sandbox.run('for (;;);')
    expect(looping.outcome).toMatchObject({
      code: 'sandbox.load_failed',
      message: expect.stringMatching(/computing budget/),
    })
    await expectGoldenRun()
  })
})
