import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { type Db, migrate, openDb } from '../../src/db/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { makeQueue, type Queue } from '../../src/queue/index.ts'
import { createServerDatabase, openTestDatabase, quietLog, testServerUrl } from '../support/database.ts'
import { forgetRedis, freshPrefix } from './queue.contract.ts'

const repository = path.join(import.meta.dirname, '../..')
const redisUrl = process.env['REDIS_URL'] === '' ? undefined : process.env['REDIS_URL']

interface Place {
  readonly databaseUrl?: string | undefined
  readonly dataDir: string | null
  readonly redisUrl?: string | undefined
  readonly prefix: string
}

const children: ChildProcess[] = []
const cleanUps: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

/** A process whose handler takes the key and never ends; resolves when it has the key. */
async function hangingProcess(place: Place): Promise<ChildProcess> {
  const program = `
    import { migrate, openDb } from './src/db/index.ts'
    import { makeLog, systemClock } from './src/kernel/index.ts'
    import { makeQueue } from './src/queue/index.ts'
    const place = JSON.parse(process.argv[1])
    const log = makeLog({ level: 'silent' })
    const db = await openDb({ ...place, log, clock: systemClock })
    if (place.redisUrl === undefined) await migrate(db)
    const queue = makeQueue({ ...place, db, log })
    queue.work('fault', (key) => new Promise(() => console.log(key)), { concurrency: 1 })
    await queue.ready()
    await queue.wake('fault', { key: 'k' })`
  const args = ['--import', 'tsx', '--input-type=module', '--eval', program, JSON.stringify(place)]
  const child = spawn(process.execPath, args, { cwd: repository, stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  const [chunk] = (await once(child.stdout, 'data')) as [Buffer]
  expect(String(chunk).trim()).toBe('k')
  return child
}

async function openHere(place: Place): Promise<{ readonly db: Db; readonly queue: Queue }> {
  const db = await openDb({ ...place, log: quietLog, clock: systemClock })
  cleanUps.push(() => db.close())
  const queue = makeQueue({ ...place, db, log: quietLog })
  cleanUps.push(() => queue.close())
  return { db, queue }
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

describe('a process killed with a key in its hands', () => {
  async function staysAvailable(place: Place): Promise<void> {
    const child = await hangingProcess(place)
    const { queue } = await openHere(place)
    const seen: string[] = []
    await kill(child)
    const killedAt = performance.now()
    queue.work('fault', async (key) => void seen.push(key), { concurrency: 1 })
    await queue.ready()
    // What the sweeper does: the same key again and again.
    queue.every('sweep', 1_000, async () => void (await queue.wake('fault', { key: 'k' })))
    await vi.waitFor(() => expect(seen).toContain('k'), 12_000)
    expect(performance.now() - killedAt).toBeLessThan(10_000)
    seen.splice(0)
    await queue.wake('fault', { key: 'k' })
    await vi.waitFor(() => expect(seen).toContain('k'), 2_000)
  }

  const onServer = test.runIf(testServerUrl() !== undefined)
  onServer('on postgresql: another has the key within 10 s', { timeout: 60_000 }, async () => {
    const database = await createServerDatabase(testServerUrl() ?? '')
    cleanUps.push(database.drop)
    await staysAvailable({ databaseUrl: database.databaseUrl, dataDir: null, prefix: 'stoa' })
  })

  const onRedis = test.runIf(redisUrl !== undefined)
  onRedis('on redis: another has the key within 10 s', { timeout: 60_000 }, async () => {
    const prefix = freshPrefix()
    cleanUps.push(() => forgetRedis(redisUrl ?? '', prefix))
    await staysAvailable({ dataDir: null, redisUrl, prefix })
  })

  test('on pglite: the next process of the folder starts with free keys', { timeout: 60_000 }, async () => {
    const dataDir = await mkdtemp(path.join(tmpdir(), 'stoa-queue-'))
    cleanUps.push(() => rm(dataDir, { recursive: true, force: true }))
    const place = { dataDir, prefix: 'stoa' }
    await kill(await hangingProcess(place))
    const { db, queue } = await openHere(place)
    await migrate(db)
    const seen: string[] = []
    queue.work('fault', async (key) => void seen.push(key), { concurrency: 1 })
    await queue.ready()
    await queue.wake('fault', { key: 'k' })
    await vi.waitFor(() => expect(seen).toStrictEqual(['k']), 2_000)
  })
})

/** A road to the Redis server that can be cut and mended. */
async function openRoad(
  target: URL,
): Promise<{ readonly url: string; cut(): void; mend(): Promise<void>; close(): void }> {
  const sockets = new Set<Socket>()
  let server: Server | null = null
  const open = async (port: number): Promise<number> => {
    server = createServer((near) => {
      const far = connect(Number(target.port || 6379), target.hostname)
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(from)
        from.on('error', () => to.destroy()).on('close', () => to.destroy())
        from.pipe(to)
      }
    })
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }
  const port = await open(0)
  const cut = () => {
    server?.close()
    for (const socket of sockets) socket.destroy()
    sockets.clear()
  }
  const url = new URL(target)
  url.hostname = '127.0.0.1'
  url.port = String(port)
  return { url: url.href, cut, mend: async () => void (await open(port)), close: cut }
}

describe.runIf(redisUrl !== undefined)('a lost Redis', () => {
  const prefix = freshPrefix()
  afterAll(() => forgetRedis(redisUrl ?? '', prefix))

  test('neither hangs nor fails a caller, work goes on in this process, and it recovers by itself', {
    timeout: 60_000,
  }, async () => {
    const opened = await openTestDatabase({ kind: 'pglite' })
    cleanUps.push(opened.close)
    const road = await openRoad(new URL(redisUrl ?? ''))
    cleanUps.push(() => Promise.resolve(road.close()))
    const queue = makeQueue({ db: opened.db, redisUrl: road.url, log: quietLog, prefix })
    cleanUps.push(() => queue.close())
    const seen: string[] = []
    queue.work('lost', async (key) => void seen.push(key), { concurrency: 2 })
    await queue.ready()
    expect(await queue.wake('lost', { key: 'before' })).toBe(true)
    await vi.waitFor(() => expect(seen).toStrictEqual(['before']), 2_000)

    road.cut()
    await vi.waitFor(async () => expect(await queue.wake('lost', { key: 'during' })).toBe(false), 5_000)
    await vi.waitFor(() => expect(seen).toContain('during'), 2_000)
    const began = performance.now()
    await Promise.all(Array.from({ length: 50 }, (_, i) => queue.wake('lost', { key: `flood-${i}` })))
    expect(performance.now() - began).toBeLessThan(2_500)

    await road.mend()
    await vi.waitFor(async () => expect(await queue.wake('lost', { key: 'after' })).toBe(true), {
      timeout: 15_000,
      interval: 200,
    })
    await vi.waitFor(() => expect(seen).toContain('after'), 15_000)
  })

  test('one that is not there at the start is named, and closing does not hang', {
    timeout: 30_000,
  }, async () => {
    const opened = await openTestDatabase({ kind: 'pglite' })
    cleanUps.push(opened.close)
    const queue = makeQueue({ db: opened.db, redisUrl: 'redis://127.0.0.1:1', log: quietLog, prefix })
    queue.work('lost', () => Promise.resolve(), { concurrency: 1 })
    expect(await queue.wake('lost', { key: 'k' })).toBe(false)
    await expect(queue.ready()).rejects.toMatchObject({ code: 'queue.unavailable' })
    const began = performance.now()
    await queue.close()
    expect(performance.now() - began).toBeLessThan(5_000)
  })
})
