import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readConfig, settings } from '../../../src/config.ts'
import { StoaError, seededRandom } from '../../../src/kernel/index.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'stoa-config-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const key = (name: string) => `${name} that has more than 32 characters`
const given = { STOA_HOST_KEY: key('a host key'), STOA_SECRET_KEY: key('a secret key') }
const onServer = { ...given, DATABASE_URL: 'postgres://stoa@db.example/stoa' }

function read(environment: Readonly<Record<string, string | undefined>>) {
  return readConfig({ STOA_DATA_DIR: folder, ...environment }, seededRandom('config'))
}

describe('a wrong variable is named, with what it must be', () => {
  test.each<[string, string, Record<string, string>]>([
    ['PORT', 'abc', {}],
    ['PORT', '65536', {}],
    ['PORT', '-1', {}],
    ['PORT', '80.5', {}],
    ['PORT', '0x50', {}],
    ['PORT', '1e3', {}],
    ['STOA_PUBLIC_URL', 'open.example.com', {}],
    ['STOA_PUBLIC_URL', 'http://open.example.com', {}],
    ['STOA_PUBLIC_URL', 'https://open.example.com/stoa', {}],
    ['STOA_PUBLIC_URL', 'https://open.example.com/?a=1', {}],
    ['STOA_PUBLIC_URL', 'https://open.example.com/#a', {}],
    ['STOA_PUBLIC_URL', 'https://user@open.example.com', {}],
    ['STOA_PUBLIC_URL', 'https://:secret@open.example.com', {}],
    ['STOA_PUBLIC_URL', 'ftp://localhost', {}],
    ['DATABASE_URL', 'mysql://db.example/stoa', given],
    ['DATABASE_URL', 'db.example', given],
    ['REDIS_URL', 'http://cache.example', {}],
    ['REDIS_URL', 'cache.example:6379', {}],
    ['STOA_ROLES', 'api,cook', onServer],
    ['STOA_ROLES', 'api', {}],
    ['STOA_ROLES', 'api,,worker', onServer],
    ['STOA_SEED', 'production', {}],
    ['STOA_SEED', 'demo', onServer],
    ['STOA_SEED', 'demo', { HOST: '0.0.0.0' }],
    ['STOA_SEED', 'demo', { STOA_PUBLIC_URL: 'https://open.example.com' }],
    ['STOA_HOST_KEY', 'short', {}],
    ['STOA_SECRET_KEY', 'short', {}],
    ['STOA_TRUST_PROXY', '10.0.0.0/99', {}],
    ['STOA_TRUST_PROXY', 'proxy.example', {}],
    ['STOA_ALLOW_LOOPBACK_TARGETS', 'yes', {}],
    ['STOA_QUOTA_FACTOR', '0', {}],
    ['STOA_QUOTA_FACTOR', '10001', {}],
    ['STOA_QUOTA_FACTOR', 'NaN', {}],
    ['STOA_QUOTA_FACTOR', 'twice', {}],
    ['STOA_REGISTRATION', 'maybe', {}],
    ['STOA_LOG_LEVEL', 'loud', {}],
  ])('%s=%s', (name, value, others) => {
    expect(() => read({ ...others, [name]: value })).toThrow(
      expect.objectContaining({
        code: 'kernel.invalid_configuration',
        message: expect.stringMatching(`^${name}: .+`),
      }),
    )
  })

  test.each(['STOA_HOST_KEY', 'STOA_SECRET_KEY'])('%s is required with DATABASE_URL', (name) => {
    expect(() => read({ ...onServer, [name]: undefined })).toThrow(`${name}: is required with DATABASE_URL`)
  })

  test('and no error repeats a secret', () => {
    for (const name of ['STOA_HOST_KEY', 'STOA_SECRET_KEY', 'DATABASE_URL', 'REDIS_URL']) {
      const failure = (() => {
        try {
          return read({ ...given, [name]: 'my-password' })
        } catch (error) {
          return error
        }
      })()
      expect(failure, name).toBeInstanceOf(StoaError)
      expect((failure as StoaError).message, name).not.toContain('my-password')
    }
  })
})

describe('without anything set', () => {
  test('it is the embedded platform with demo data on this machine alone', () => {
    const config = read({})
    expect(config).toMatchObject({
      ...{
        host: '127.0.0.1',
        port: 4000,
        publicUrl: null,
        dataDir: folder,
        databaseUrl: null,
        redisUrl: null,
      },
      ...{
        seed: 'demo',
        trustProxy: [],
        allowLoopbackTargets: true,
        quotaFactor: 1,
        registrationOpen: true,
        logLevel: 'warn',
      },
    })
    expect([...config.roles]).toEqual(['api', 'worker', 'sandbox'])
  })

  test('its keys are made once, differ, and only this user can read them', () => {
    const [first, second] = [read({}), read({})]
    expect([second.hostKey, second.secretKey]).toEqual([first.hostKey, first.secretKey])
    expect(first.hostKey).not.toBe(first.secretKey)
    expect(first.hostKey.length).toBeGreaterThanOrEqual(32)
    for (const file of ['host.key', 'secret.key'])
      expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600)
    expect(readFileSync(join(folder, 'host.key'), 'utf8').trim()).toBe(first.hostKey)
  })

  test('a key file that was emptied or cut off is refused and named, not used as a key', () => {
    const other = mkdtempSync(join(folder, 'cut-'))
    for (const content of ['', '\n', 'stoa_hk_half']) {
      writeFileSync(join(other, 'host.key'), content)
      expect(() => read({ STOA_DATA_DIR: other })).toThrow(/^STOA_DATA_DIR: .*host\.key /)
    }
  })
})

describe('secrets', () => {
  test('may stand in a file that NAME_FILE names', () => {
    const file = join(folder, 'given.key')
    writeFileSync(file, `${key('from a file')}\n`)
    expect(read({ STOA_HOST_KEY_FILE: file }).hostKey).toBe(key('from a file'))
  })

  test.each(settings.filter((setting) => 'secret' in setting).map(({ name }) => name))(
    '%s_FILE that cannot be read or is empty is named',
    (name) => {
      const empty = join(folder, 'empty')
      writeFileSync(empty, '\n')
      for (const file of [join(folder, 'nothing'), empty])
        expect(() => read({ ...given, [name]: undefined, [`${name}_FILE`]: file })).toThrow(`${name}_FILE: `)
    },
  )

  test('given twice are refused: which one counts must not be a guess', () => {
    const file = join(folder, 'given.key')
    writeFileSync(file, key('from a file'))
    expect(() => read({ ...given, STOA_HOST_KEY_FILE: file })).toThrow(/^STOA_HOST_KEY: .*STOA_HOST_KEY_FILE/)
  })
})

describe('what follows from the rest', () => {
  test.each<[string, Record<string, string>, object]>([
    [
      'a server has no demo data and asks for no loopback targets',
      onServer,
      { seed: 'none', allowLoopbackTargets: false, logLevel: 'info' },
    ],
    ['an open address has no demo data', { HOST: '0.0.0.0' }, { seed: 'none', allowLoopbackTargets: false }],
    ['::1 is this machine', { HOST: '::1' }, { seed: 'demo' }],
    [
      'a public address elsewhere has no demo data',
      { STOA_PUBLIC_URL: 'https://open.example.com/' },
      { seed: 'none', publicUrl: 'https://open.example.com' },
    ],
    [
      'http is fine on this machine',
      { STOA_PUBLIC_URL: 'http://127.0.0.1:5000' },
      { publicUrl: 'http://127.0.0.1:5000' },
    ],
    ['port 0 takes a free one', { PORT: '0' }, { port: 0 }],
    [
      'empty is as good as absent',
      { PORT: ' ', REDIS_URL: '', STOA_SEED: '' },
      { port: 4000, redisUrl: null, seed: 'demo' },
    ],
    [
      'proxies are a list',
      { STOA_TRUST_PROXY: '10.0.0.1, 10.1.0.0/16 ,loopback' },
      { trustProxy: ['10.0.0.1', '10.1.0.0/16', 'loopback'] },
    ],
    ['quotas may be larger or smaller', { STOA_QUOTA_FACTOR: '2.5' }, { quotaFactor: 2.5 }],
    ['registration may be closed', { STOA_REGISTRATION: 'closed' }, { registrationOpen: false }],
  ])('%s', (_what, environment, expected) => {
    expect(read(environment)).toMatchObject(expected)
  })

  test('roles may be split on a server', () => {
    expect([...read({ ...onServer, STOA_ROLES: 'worker, api' }).roles]).toEqual(['worker', 'api'])
  })
})

test('every variable that is read is in the table, and has a description', () => {
  const root = join(import.meta.dirname, '../../../src')
  const source = ['config.ts', 'config-provider.ts']
    .map((file) => readFileSync(join(root, file), 'utf8'))
    .join('\n')
  const named = new Set(
    [...source.matchAll(/'((?:STOA_|DATABASE|REDIS|HOST|PORT)[A-Z_]*)'/g)].map(([, name]) => name),
  )
  expect([...named].toSorted()).toEqual(settings.map(({ name }) => name).toSorted())
  for (const { name, description } of settings) expect(description.length, name).toBeGreaterThan(10)
})
