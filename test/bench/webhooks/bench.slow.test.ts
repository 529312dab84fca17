import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const run = promisify(execFile)
const main = path.join(import.meta.dirname, '../main.ts')

async function bench(...args: readonly string[]): Promise<string> {
  const { stdout } = await run(process.execPath, ['--import', 'tsx', main, ...args], { timeout: 120_000 })
  return stdout
}

test('without a name it lists the benches and what they take', async () => {
  const printed = await bench()
  expect(printed).toContain('webhooks')
  expect(printed).toContain('--only=PLACE')
})

test('a name that there is not ends with 2', async () => {
  await expect(bench('nothing')).rejects.toMatchObject({ code: 2 })
})

test('a small run goes through all of it and ends with one object of its ratios', async () => {
  const lines = (await bench('webhooks', '--small', '--only=pglite')).trim().split('\n')
  const ratios = JSON.parse(lines.at(-1) ?? '') as Record<string, number | null>
  expect(Object.keys(ratios)).toEqual([
    'drain_share_of_bare_loop',
    'drain_over_bullmq_jobs',
    'pipeline_over_bullmq_jobs',
    'pglite_over_bullmq_jobs',
    'publish_p95_ms',
    'delivery_p95_ms',
    'neighbour_p95_shift',
  ])
  // What only a server can tell is null without one.
  expect(ratios['drain_over_bullmq_jobs']).toBeNull()
  expect(ratios['drain_share_of_bare_loop']).toBeGreaterThan(0)
  expect(ratios['pglite_over_bullmq_jobs']).toBeGreaterThan(0)
  expect(ratios['publish_p95_ms']).toBeGreaterThan(0)
  expect(ratios['neighbour_p95_shift']).not.toBeNull()
})
