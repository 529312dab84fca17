import { temporaryFolder } from '../process/support/stoa.ts'
import { newKey, worldSettings } from '../process/support/world.ts'
import { type Cluster, makeCluster } from './cluster.ts'
import { makeNode, type Node } from './nodes.ts'
import { makeRedisServer, type RedisServer } from './redis-server.ts'
import type { Scenario } from './scenarios.ts'

/** The platform of a run: its processes and the servers they need. */
export interface ChaosPlatform {
  readonly hostKey: string
  /** Where requests go; in a scenario of one process it is that. */
  readonly api: Node
  /** Who delivers. */
  readonly workers: readonly Node[]
  readonly cluster: Cluster | null
  readonly redis: RedisServer | null
}

/** Called with how to end what was just begun. */
export type AtEnd = (close: () => Promise<void>) => void

export interface PlatformOptions {
  /** For the servers' files; every user can enter it. */
  readonly folder: string
  readonly logLevel: string
  readonly atEnd: AtEnd
}

const workerNames = ['worker-1', 'worker-2'] as const

async function makeEmbedded(hostKey: string, logLevel: string): Promise<ChaosPlatform> {
  const env = { ...worldSettings(hostKey), STOA_LOG_LEVEL: logLevel }
  const stoa = await makeNode('stoa', { dataDir: temporaryFolder(), env })
  await stoa.start(0)
  return { hostKey, api: stoa, workers: [stoa], cluster: null, redis: null }
}

async function makeSeparate(
  hostKey: string,
  withRedis: boolean,
  { folder, logLevel, atEnd }: PlatformOptions,
): Promise<ChaosPlatform> {
  const cluster = await makeCluster(folder)
  atEnd(() => cluster.stop())
  const redis = withRedis ? await makeRedisServer(folder) : null
  if (redis !== null) atEnd(() => redis.stop())
  await Promise.all([cluster.start(), redis?.start()])
  const env = {
    ...worldSettings(hostKey),
    STOA_LOG_LEVEL: logLevel,
    DATABASE_URL: cluster.url,
    STOA_SECRET_KEY: newKey(),
    ...(redis === null ? {} : { REDIS_URL: redis.url }),
  }
  const make = (name: string, roles: string) =>
    makeNode(name, { dataDir: temporaryFolder(), env: { ...env, STOA_ROLES: roles } })
  // The sandbox is where the automatic checks run, without which no app is published.
  const api = await make('api', 'api')
  const workers = await Promise.all(workerNames.map((name) => make(name, 'worker,sandbox')))
  await api.start(0)
  await Promise.all(workers.map((worker) => worker.start(0)))
  return { hostKey, api, workers, cluster, redis }
}

/** Starts everything that a scenario is played on. */
export function makeChaosPlatform(scenario: Scenario, options: PlatformOptions): Promise<ChaosPlatform> {
  const hostKey = newKey()
  if (scenario.nodes === 'one') return makeEmbedded(hostKey, options.logLevel)
  return makeSeparate(hostKey, scenario.redis, options)
}
