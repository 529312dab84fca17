import { cpSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeBrowser } from '../../examples/demo/browser.ts'
import { endAll, promisedMs, type StoaProcess, startStoa, temporaryFolder } from './support/stoa.ts'

const dataDir = temporaryFolder()
let first: StoaProcess
let baseUrl: string

beforeAll(async () => {
  first = startStoa(dataDir)
  baseUrl = await first.listening()
})
afterAll(endAll)

const person = /^ {4}(\S+@stoa\.example) +(\S{12,})$/
const keyFiles = ['host.key', 'secret.key'] as const

function readKeys(folder: string): readonly string[] {
  return keyFiles.map((file) => readFileSync(path.join(folder, file), 'utf8'))
}

function printedPeople({ stdout }: StoaProcess): readonly { email: string; password: string }[] {
  return stdout.flatMap((line) => {
    const [, email, password] = person.exec(line) ?? []
    return email === undefined || password === undefined ? [] : [{ email, password }]
  })
}

/** Sends the sign-in page's own form; the page that answers. */
async function signIn(at: string, { email, password }: { email: string; password: string }) {
  const browser = makeBrowser()
  const page = await browser.open(`${at}/sign-in`)
  expect(page.status).toBe(200)
  return browser.submit(page, { email, password })
}

async function signingKeyIds(at: string): Promise<readonly unknown[]> {
  const { keys } = (await (await fetch(`${at}/oauth/jwks`)).json()) as { keys: { kid: string }[] }
  return keys.map(({ kid }) => kid)
}

/** A folder as the first start leaves it, free to be opened. */
async function leftFolder(): Promise<string> {
  await first.kill()
  const copy = temporaryFolder()
  cpSync(dataDir, copy, { recursive: true })
  return copy
}

describe('the first start of an empty folder', () => {
  test('prints every step with its time, then the addresses', async () => {
    const { stdout, stderr } = first
    for (const step of [
      'sandbox',
      'database',
      'migrations',
      'queue',
      'platform',
      'demo data',
      'workers',
      'ready',
    ]) {
      expect(stdout.filter((line) => new RegExp(`^ {2}${step} +\\d+ ms$`).test(line))).toHaveLength(1)
    }
    await first.printed(/data, keys/)
    const addresses = stdout.flatMap(
      (line) => /^(?:listening on| {2}\S.*) (https?:\S+)$/.exec(line)?.[1] ?? [],
    )
    expect(addresses.length).toBeGreaterThanOrEqual(5)
    for (const address of addresses) expect((await fetch(address)).status).toBe(200)
    expect(stdout.at(-1)).toContain(dataDir)
    expect(stderr).toEqual([])
  })

  test('makes keys that this user alone can read', () => {
    expect(statSync(dataDir).mode & 0o777).toBe(0o700)
    for (const file of keyFiles) expect(statSync(path.join(dataDir, file)).mode & 0o777).toBe(0o600)
    expect(new Set(readKeys(dataDir)).size).toBe(2)
  })

  test('prints three demo people, whose passwords open the real sign-in page', async () => {
    const people = printedPeople(first)
    expect(people.map(({ email }) => email)).toEqual([
      'developer@stoa.example',
      'reviewer@stoa.example',
      'merchant@stoa.example',
    ])
    for (const one of people) {
      const page = await signIn(baseUrl, one)
      expect(page.html).toContain('/sign-out')
    }
    const [{ email } = { email: '' }] = people
    const refused = await signIn(baseUrl, { email, password: 'not the printed one' })
    expect(refused.html).not.toContain('/sign-out')
  })
})

describe('a second process', () => {
  test('on the same folder is refused in a sentence and does the first no harm', async () => {
    const before = readKeys(dataDir)
    const second = startStoa(dataDir)
    expect(await second.ended()).toEqual({ code: 1, signal: null })
    expect(second.stderr[0]).toBe(`db.folder_in_use: ${dataDir} is in use by process ${first.pid}`)
    expect(second.stderr[1]).toMatch(/^ {2}Stop the other process, or give this one its own STOA_DATA_DIR/)
    expect(second.stderr).toHaveLength(2)

    expect(readKeys(dataDir)).toEqual(before)
    expect((await fetch(`${baseUrl}/readyz`)).status).toBe(200)
    expect(existsSync(path.join(dataDir, 'pglite.lock'))).toBe(true)
  })

  test('on the same port is refused in a sentence and touches no data', async () => {
    const { port } = new URL(baseUrl)
    const folder = temporaryFolder()
    const second = startStoa(folder, { PORT: port })
    expect(await second.ended()).toEqual({ code: 1, signal: null })
    expect(second.stderr[0]).toMatch(new RegExp(`PORT: 127\\.0\\.0\\.1:${port} is in use by another process`))
    expect(second.stderr.join('\n')).not.toContain('    at ')
    expect(readdirSync(folder)).not.toContain('pglite')
    expect((await fetch(`${baseUrl}/readyz`)).status).toBe(200)
  })
})

describe('what the first start leaves, even killed with -9,', () => {
  test('is resumed by the next one: same keys, same people, no password printed, no stale lock', async () => {
    const [someone = { email: '', password: '' }] = printedPeople(first)
    const [keys, signingKeys] = [readKeys(dataDir), first.isRunning() ? await signingKeyIds(baseUrl) : null]
    const folder = await leftFolder()
    const next = startStoa(folder)
    const address = await next.listening()

    expect(printedPeople(next)).toEqual([])
    expect(readKeys(folder)).toEqual(keys)
    if (signingKeys !== null) expect(await signingKeyIds(address)).toEqual(signingKeys)
    expect((await signIn(address, someone)).html).toContain('/sign-out')

    const askedAt = performance.now()
    next.signal('SIGINT')
    expect(await next.ended()).toEqual({ code: 0, signal: null })
    expect(performance.now() - askedAt).toBeLessThan(promisedMs)
    expect(next.stdout.at(-1)).toBe('SIGINT: finishing what is in flight')
    expect(next.stderr).toEqual([])
    expect(existsSync(path.join(folder, 'pglite.lock'))).toBe(false)
  })

  test.concurrent('is not opened to other machines: there is demo data', async () => {
    const refused = startStoa(await leftFolder(), { HOST: '0.0.0.0' })
    expect(await refused.ended()).toEqual({ code: 1, signal: null })
    expect(refused.stderr.join('\n')).toMatch(/HOST.*there is demo data here.*STOA_SEED=none/)
    expect(refused.stdout.join('\n')).not.toContain('listening on')
  })

  test.concurrent('is not opened with another secret key', async () => {
    const refused = startStoa(await leftFolder(), {
      STOA_SECRET_KEY: 'another key, and long enough to be one',
    })
    expect(await refused.ended()).toEqual({ code: 1, signal: null })
    expect(refused.stderr[0]).toMatch(/^oauth\.secret_key_wrong: /)
    expect(refused.stderr[1]).toContain('secret.key of the data folder')
    expect(refused.stderr).toHaveLength(2)
  })
})
