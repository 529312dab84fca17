import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestPlatform, type TestPlatform } from '../support/platform.ts'
import { endAll, type StoaProcess, startProgram, temporaryFolder } from './support/stoa.ts'

let at: TestPlatform
let url: string
/** Holds the host key, as an embedded server's data folder does. */
let folder: string
beforeAll(async () => {
  at = await startTestPlatform()
  url = at.baseUrl
  folder = temporaryFolder()
  writeFileSync(path.join(folder, 'host.key'), `${at.hostKey}\n`, { mode: 0o600 })
})
afterAll(async () => {
  await endAll()
  await at.close()
})

/** The command as an operator gives it. */
async function stoa(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<StoaProcess> {
  const command = startProgram('src/cli/main.ts', env, args)
  await command.ended()
  return command
}

async function published(): Promise<readonly string[]> {
  const jwks = (await (await fetch(`${url}/oauth/jwks`)).json()) as { keys: readonly { kid: string }[] }
  return jwks.keys.map(({ kid }) => kid)
}

test('stoa keys rotate makes the next key of a running server, with the key of its data folder', async () => {
  const [current] = await published()
  const command = await stoa(['keys', 'rotate', '--url', url, '--data-dir', folder])
  expect(command.stderr).toEqual([])
  expect(command.stdout[0]).toMatch(new RegExp(`^current   ${current}  signs from .+  published until `))
  expect(command.stdout[1]).toMatch(/^next {6}[\w-]{43} {2}signs from /)
  const listed = await stoa(['keys', 'list'], { STOA_PUBLIC_URL: url, STOA_DATA_DIR: folder })
  expect(listed.stdout).toEqual(command.stdout)
})

test('takes the host key from the environment or a file, and never shows it', async () => {
  const file = path.join(folder, 'host.key')
  const key = at.hostKey
  const nowhere = temporaryFolder()
  const byValue = await stoa(['keys', 'list', '--url', url, '--data-dir', nowhere], { STOA_HOST_KEY: key })
  const byFile = await stoa(['keys', 'list', '--url', url], { STOA_HOST_KEY_FILE: file })
  expect(byValue.stdout).toHaveLength(2)
  expect(byFile.stdout).toEqual(byValue.stdout)
  const help = await stoa(['keys', 'rotate', '--help'], { STOA_HOST_KEY: key })
  expect([...help.stdout, ...byValue.stdout].join('\n')).not.toContain(key)
})

test.each<[string, readonly string[], Readonly<Record<string, string>>, RegExp]>([
  ['a wrong key', [], { STOA_HOST_KEY: 'stoa_hk_wrong' }, /answered 401 capability\.unauthenticated/],
  ['no key', ['--data-dir', '/nowhere'], {}, /^stoa: no host key: set STOA_HOST_KEY/],
  ['no server', ['--url', 'http://127.0.0.1:1'], { STOA_HOST_KEY: 'x' }, /^stoa: .* does not answer$/],
  ['no address', ['--url', 'nonsense'], { STOA_HOST_KEY: 'x' }, /^stoa: --url: nonsense is no address/],
])('%s is one line and exit code 1', async (_what, args, env, line) => {
  const base = args.includes('--url') ? [] : ['--url', url]
  const command = await stoa(['keys', 'rotate', ...base, ...args], env)
  expect(await command.ended()).toEqual({ code: 1, signal: null })
  expect(command.stderr).toHaveLength(1)
  expect(command.stderr[0]).toMatch(line)
})

test('an unknown verb shows the help', async () => {
  const command = await stoa(['keys', 'burn'])
  expect((await command.ended()).code).toBe(1)
  expect(command.stderr.join('\n')).toContain('Usage: stoa keys')
})
