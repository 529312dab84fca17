import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const run = promisify(execFile)
const main = path.join(import.meta.dirname, '../main.ts')

test('a small run goes through all of it and ends with one object of its shares', async () => {
  const args = ['--import', 'tsx', main, 'oauth', '--small', '--only=pglite']
  const { stdout } = await run(process.execPath, args, { timeout: 240_000 })
  const shares = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, number>
  expect(Object.keys(shares)).toEqual([
    'api_read_share_of_express',
    'api_write_share_of_express',
    'token_share_of_oidc_provider',
    'refresh_share_of_oidc_provider',
    'introspection_share_of_oidc_provider',
  ])
  for (const share of Object.values(shares)) expect(share).toBeGreaterThan(0)
})
