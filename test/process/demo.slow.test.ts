import { afterAll, expect, test } from 'vitest'
import { endAll, startProgram } from './support/stoa.ts'

afterAll(endAll)

test('npm run demo plays the whole story by public HTTP, twice in a row, and leaves no process behind', async () => {
  for (const round of [1, 2]) {
    const demo = startProgram('examples/demo/main.ts', {})
    expect(await demo.ended(), `round ${round}:\n${demo.stdout.join('\n')}`).toEqual({
      code: 0,
      signal: null,
    })
    const text = demo.stdout.join('\n')
    for (const kind of ['per', 'pub', 'mer', 'app', 'ver', 'rev', 'rel', 'end', 'ord', 'evt']) {
      expect(text).toMatch(new RegExp(`${kind}_[0-9A-HJKMNP-TV-Z]{26}`))
    }
    expect(text).toMatch(/"webhookId":"evt_\w+","sequence":\d+,"via":"webhook","signature":"verified"/)
    const [, orderId] = /the host reports an order +\d+ ms +(ord_\w+)/.exec(text) ?? []
    expect(text).toMatch(new RegExp(`stored its result +\\d+ ms +.*"orders":1,"lastOrderId":"${orderId}"`))
    expect(demo.stdout.filter((line) => /^ ?\d+\. .* +\d+ ms/.test(line)).length).toBeGreaterThanOrEqual(25)
    expect(demo.stderr).toEqual([])

    const [, pid] = /\(process (\d+)\)/.exec(text) ?? []
    expect(() => process.kill(Number(pid), 0)).toThrow('ESRCH')
  }
})

test('npm run demo ends with 1 and names the step that failed', async () => {
  // Its Stoa inherits the mistake and does not start.
  const demo = startProgram('examples/demo/main.ts', { STOA_TRUST_PROXY: 'nonsense' })
  expect(await demo.ended()).toEqual({ code: 1, signal: null })
  expect(demo.stdout.join('\n')).toMatch(/^FAILED: step +1\. Stoa starts in an empty folder failed$/m)
  expect(demo.stdout.join('\n')).toContain('STOA_TRUST_PROXY')
})
