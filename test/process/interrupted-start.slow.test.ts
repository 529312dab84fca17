import { existsSync } from 'node:fs'
import path from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { until } from '../../examples/demo/steps.ts'
import { endAll, startStoa, temporaryFolder } from './support/stoa.ts'

afterEach(endAll)

const empty = { STOA_SEED: 'none' }

test.each(['code', 'database', 'migrations', 'queue'])(
  'a first start killed with -9 when the step “%s” is done is made good by the next one',
  async (step) => {
    const folder = temporaryFolder()
    const first = startStoa(folder, empty)
    await first.printed(new RegExp(`^ {2}${step} `))
    await first.kill()
    const next = startStoa(folder, empty)
    expect((await fetch(`${await next.listening()}/readyz`)).status).toBe(200)
  },
)

test('a first start killed with -9 while the database’s files are written is made good by the next one', async () => {
  const folder = temporaryFolder()
  const first = startStoa(folder, empty)
  await until('the first file', 45_000, () =>
    Promise.resolve(existsSync(path.join(folder, 'pglite', 'base')) ? true : null),
  )
  await first.kill()
  expect(first.stdout.join('\n')).not.toContain('database')
  const next = startStoa(folder, empty)
  expect((await fetch(`${await next.listening()}/readyz`)).status).toBe(200)
})

test('Ctrl-C while it starts ends in order, and the next start makes the demo data', async () => {
  const folder = temporaryFolder()
  const first = startStoa(folder)
  await first.printed(/^ {2}database /)
  first.signal('SIGINT')
  expect(await first.ended()).toEqual({ code: 0, signal: null })
  expect(first.stdout.join('\n')).not.toMatch(/listening on|demo data/)
  expect(existsSync(path.join(folder, 'pglite.lock'))).toBe(false)

  const next = startStoa(folder)
  await next.listening()
  expect(next.stdout.filter((line) => line.includes('@stoa.example'))).toHaveLength(3)
})
