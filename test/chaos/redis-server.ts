import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { Redis } from 'ioredis'
import { freePort } from '../../examples/demo/processes.ts'
import { until } from '../../examples/demo/steps.ts'

/** A Redis of this run alone. It keeps nothing on the disk: stopped and started again it is empty. */
export interface RedisServer {
  readonly url: string
  start(): Promise<void>
  empty(): Promise<void>
  stop(): Promise<void>
}

const startMs = 20_000

/** Makes one that listens on a free port. */
export async function makeRedisServer(folder: string): Promise<RedisServer> {
  const own = path.join(folder, 'redis')
  mkdirSync(own)
  const port = await freePort()
  const url = `redis://127.0.0.1:${port}/0`
  let server: ChildProcess | null = null
  let failure: Error | null = null

  async function withClient<T>(work: (client: Redis) => Promise<T>): Promise<T> {
    const client = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null })
    client.on('error', () => undefined)
    await client.connect()
    try {
      return await work(client)
    } finally {
      client.disconnect()
    }
  }

  return {
    url,
    async start() {
      const flags = [
        '--bind',
        '127.0.0.1',
        '--port',
        String(port),
        '--save',
        '',
        '--appendonly',
        'no',
        '--dir',
        own,
      ]
      server = spawn('redis-server', flags, { stdio: 'ignore' })
      server.once('error', (error) => {
        failure = error
      })
      await until('an answer of Redis', startMs, async () => {
        if (failure !== null)
          throw new Error('redis-server: apt-get install redis-server', { cause: failure })
        return withClient((client) => client.ping()).catch(() => null)
      })
    },
    async empty() {
      await withClient((client) => client.flushall())
    },
    async stop() {
      const ending = server
      server = null
      if (ending === null || ending.pid === undefined) return
      const gone = new Promise<void>((resolve) => ending.once('exit', () => resolve()))
      ending.kill('SIGKILL')
      await gone
    },
  }
}
