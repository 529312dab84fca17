import { Redis } from 'ioredis'
import pg from 'pg'

/** Where a part of a bench runs. */
export interface Place {
  readonly name: string
  readonly kind: 'pglite' | 'postgresql'
  readonly redisUrl?: string
}

const serverUrl = process.env['DATABASE_URL'] || 'postgres://root@127.0.0.1:5432/test'
const redisUrl = process.env['REDIS_URL'] || 'redis://127.0.0.1:6379/11'

/** Null when the server answers; otherwise why it cannot be used. */
async function postgresqlTrouble(): Promise<string | null> {
  const client = new pg.Client({ connectionString: serverUrl, connectionTimeoutMillis: 2_000 })
  try {
    await client.connect()
    return null
  } catch (error) {
    return error instanceof Error ? error.message || 'no answer' : 'no answer'
  } finally {
    await client.end().catch(() => undefined)
  }
}

async function redisTrouble(): Promise<string | null> {
  const client = new Redis(redisUrl, { lazyConnect: true, connectTimeout: 2_000, retryStrategy: () => null })
  client.on('error', () => undefined)
  try {
    await client.connect()
    return null
  } catch (error) {
    return error instanceof Error ? error.message : 'no answer'
  } finally {
    client.disconnect()
  }
}

/** Where it can run here, and why not elsewhere. */
export async function findPlaces(
  only: string | undefined,
  say: (line: string) => void,
): Promise<readonly Place[]> {
  const places: Place[] = [{ name: 'pglite', kind: 'pglite' }]
  const noPostgresql = await postgresqlTrouble()
  if (noPostgresql === null) {
    // The test databases are made on the server that this variable names.
    process.env['DATABASE_URL'] = serverUrl
    places.push({ name: 'postgresql', kind: 'postgresql' })
  } else say(`postgresql, postgresql+redis: skipped, ${noPostgresql}`)
  const noRedis = noPostgresql ?? (await redisTrouble())
  if (noRedis === null) places.push({ name: 'postgresql+redis', kind: 'postgresql', redisUrl })
  else if (noPostgresql === null) say(`postgresql+redis: skipped, ${noRedis}`)
  return places.filter(({ name }) => only === undefined || name === only)
}
