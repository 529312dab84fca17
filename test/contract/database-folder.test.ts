import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { lockFolder } from '../../src/db/folder-lock.ts'
import { openDb, sql } from '../../src/db/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { quietLog } from '../support/database.ts'

const repository = path.join(import.meta.dirname, '../..')
let folder: string
const children: ChildProcess[] = []

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'stoa-folder-'))
})
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

/** Runs `body` with the folder in another process, which stays alive; resolves to its first line. */
async function elsewhere(body: string): Promise<{ readonly child: ChildProcess; readonly line: string }> {
  const program = `
    import { execute, openDb } from './src/db/index.ts'
    import { lockFolder } from './src/db/folder-lock.ts'
    import { makeLog, systemClock } from './src/kernel/index.ts'
    const [folder] = process.argv.slice(1)
    const open = () => openDb({ dataDir: folder, log: makeLog({ level: 'silent' }), clock: systemClock })
    setInterval(() => {}, 1000)
    try {
      ${body}
      console.log('ready')
    } catch (error) {
      console.log(error.code, error.message)
    }`
  const args = ['--import', 'tsx', '--input-type=module', '--eval', program, folder]
  const child = spawn(process.execPath, args, { cwd: repository, stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  const [chunk] = (await once(child.stdout, 'data')) as [Buffer]
  return { child, line: String(chunk).trim() }
}

const here = () => openDb({ dataDir: folder, log: quietLog, clock: systemClock })
const lockFile = () => path.join(folder, 'pglite.lock')
const inUse = (pid: unknown) =>
  expect.objectContaining({ code: 'db.folder_in_use', message: `${folder} is in use by process ${pid}` })

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

describe('a data folder', () => {
  test('belongs to one living process, and kill -9 gives it free with all that was committed', {
    timeout: 60_000,
  }, async () => {
    const { child, line } = await elsewhere(`
      const db = await open()
      await execute(db.queries, 'create table kept (id int)')
      await execute(db.queries, 'insert into kept values (1), (2)')`)
    expect(line).toBe('ready')
    await expect(here()).rejects.toEqual(inUse(child.pid))
    await kill(child)
    const db = await here()
    expect(await sql(db.queries, 'select id from kept order by id')).toStrictEqual([{ id: 1 }, { id: 2 }])
    expect((await elsewhere('await open()')).line).toMatch(/^db\.folder_in_use /)
    await expect(here()).rejects.toEqual(inUse(process.pid))
    await db.close()
    expect((await elsewhere('lockFolder(folder)')).line).toBe('ready')
  })

  test('of several processes that find a dead lock exactly one gets it', { timeout: 60_000 }, async () => {
    await kill((await elsewhere('lockFolder(folder)')).child)
    const results = await Promise.all([1, 2, 3, 4].map(() => elsewhere('lockFolder(folder)')))
    const words = results.map(({ line }) => line.split(' ')[0])
    expect(words.sort()).toStrictEqual(['db.folder_in_use', 'db.folder_in_use', 'db.folder_in_use', 'ready'])
  })

  test('a process id that now belongs to another process does not keep it, nor does a broken lock', async () => {
    const unlock = lockFolder(folder)
    const mine = JSON.parse(await readFile(lockFile(), 'utf8')) as Record<string, unknown>
    expect(() => lockFolder(folder)).toThrow(inUse(process.pid))
    unlock()
    for (const text of [JSON.stringify({ ...mine, started: '1' }), 'not json', '']) {
      await writeFile(lockFile(), text)
      lockFolder(folder)()
    }
  })

  test('a holder in another container counts as alive as long as its heart beats', async () => {
    await writeFile(lockFile(), JSON.stringify({ pid: 1, started: '1', machine: 'another boot' }))
    expect(() => lockFolder(folder)).toThrow(inUse(1))
    const longAgo = new Date(systemClock.nowMs() - 60_000)
    await utimes(lockFile(), longAgo, longAgo)
    lockFolder(folder)()
  })
})
