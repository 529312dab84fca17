import { readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { endAll, startStoa, temporaryFolder } from './support/stoa.ts'

afterAll(endAll)

const key = 'a key of thirty-two characters, or more'
const keys = { STOA_HOST_KEY: key, STOA_SECRET_KEY: key }

// test/unit/config has all of them; here stands one of each kind of place where a start can end.
const cases: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['PORT', { PORT: 'http' }],
  ['HOST', { HOST: '203.0.113.7' }],
  ['STOA_SEED', { HOST: '0.0.0.0', STOA_SEED: 'demo' }],
  ['STOA_ROLES', { STOA_ROLES: 'worker' }],
  ['STOA_SECRET_KEY', { DATABASE_URL: 'postgres://root@127.0.0.1/none', STOA_HOST_KEY: key }],
  ['STOA_HOST_KEY_FILE', { STOA_HOST_KEY_FILE: '/nowhere/at-all' }],
  ['STOA_TRUST_PROXY', { STOA_TRUST_PROXY: 'proxy' }],
  ['STOA_LOG_LEVEL', { STOA_LOG_LEVEL: 'loud' }],
  ['DATABASE_URL', { ...keys, DATABASE_URL: 'mysql://127.0.0.1/stoa' }],
  ['DATABASE_URL', { ...keys, DATABASE_URL: 'postgres://root@127.0.0.1:1/stoa' }],
]

test.concurrent.each(cases)(
  'a wrong %s ends the start in one line that names it: %j',
  async (name, environment) => {
    const folder = temporaryFolder()
    const stoa = startStoa(path.join(folder, 'data'), environment)
    expect(await stoa.ended()).toEqual({ code: 1, signal: null })
    expect(stoa.stderr.filter((line) => line.includes(`${name}: `))).toHaveLength(1)
    expect(stoa.stderr[0]).toMatch(new RegExp(`^kernel\\.invalid_configuration: ${name}: `))
    expect(stoa.stderr.join('\n')).not.toMatch(/^ {4}at /m)
    expect(stoa.stdout.join('\n')).not.toContain('listening on')
    // The address that cannot be listened on comes after the keys of a new folder have been made.
    expect(readdirSync(folder)).toEqual(name === 'HOST' ? ['data'] : [])
  },
)

function occupiedPath(): string {
  const file = path.join(temporaryFolder(), 'file')
  writeFileSync(file, '')
  return file
}

test.each([
  ['a file stands there', occupiedPath],
  ['nothing can be made there', () => path.join(temporaryFolder(), 'x'.repeat(300), 'data')],
  // mkdir answers ENOENT below /proc although the folder above exists.
  ['its folder is not one of a disk', () => '/proc/nope/data'],
])('a data folder that cannot be used is named: %s', async (_why, folder) => {
  const stoa = startStoa(folder())
  expect(await stoa.ended()).toEqual({ code: 1, signal: null })
  expect(stoa.stderr[0]).toMatch(/^kernel\.invalid_configuration: STOA_DATA_DIR: cannot be used: /)
})
