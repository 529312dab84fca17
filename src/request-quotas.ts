import type { Config } from './config.ts'
import { type Db, runOnWindows } from './db/index.ts'
import { type Meter, makeMeter, memoryQuotas, postgresQuotas, redisQuotas } from './http/index.ts'
import { type Clock, currentClientAddress, type Log } from './kernel/index.ts'
import type { RequestQuotas as ProgramQuotas } from './oauth/index.ts'
import { openRedis } from './queue/index.ts'

export interface RequestQuotas {
  readonly meter: Meter
  /** What the authorization server counts by. */
  readonly ofPrograms: ProgramQuotas
  close(): void
}

/** Where the nodes of a platform add up their quotas; one process alone needs no server for it. */
function openStores({ config, db, clock, log }: Parameters<typeof openRequestQuotas>[0]) {
  if (config.redisUrl !== null) {
    const redis = openRedis(config.redisUrl, log)
    return { openStore: redisQuotas(redis, 'stoa'), close: () => redis.disconnect() }
  }
  const openStore =
    db.kind === 'pglite'
      ? memoryQuotas(clock)
      : postgresQuotas((...statement) => runOnWindows(db.queries, ...statement))
  return { openStore, close: () => undefined }
}

/** Counts the requests of one process, together with the others of the same platform. */
export function openRequestQuotas(parts: {
  readonly config: Pick<Config, 'redisUrl' | 'quotaFactor'>
  readonly db: Pick<Db, 'kind' | 'queries'>
  readonly clock: Clock
  readonly log: Log
}): RequestQuotas {
  const { config, clock, log } = parts
  const { openStore, close } = openStores(parts)
  const meter = makeMeter({ openStore, factor: config.quotaFactor, clock, log })
  return {
    meter,
    ofPrograms: {
      client: (response, appId) => meter.admitClient(response, appId),
      network: (response) => meter.admitNetwork({ address: currentClientAddress(), response }),
    },
    close,
  }
}
