import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createServerDatabase, testServerUrl } from '../support/database.ts'
import { type AppClient, type AppTokens, connectApp, refresh, tokensOf } from './support/app-client.ts'
import { type Balancer, socketOf, startBalancer } from './support/balancer.ts'
import { type PreparedFolder, prepareFolder } from './support/prepared-folder.ts'
import { endAll, type StoaProcess, startStoa, temporaryFolder } from './support/stoa.ts'
import { makeWorld, newKey, type World, worldSettings } from './support/world.ts'

let balancer: Balancer
beforeAll(async () => {
  balancer = await startBalancer()
})
afterAll(async () => {
  await balancer.close()
  await endAll()
})

function clientOf({ appId, clientSecret }: World): AppClient {
  return { baseUrl: balancer.url, appId, clientSecret }
}

async function ordersStatus(token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` }
  return (await fetch(`${balancer.url}/v1/orders`, { headers })).status
}

/** Refreshes, and kills the process between what it has written and what the app would have heard of it. */
async function refreshAndKill(client: AppClient, before: AppTokens, stoa: StoaProcess): Promise<void> {
  const lost = balancer.loseAnswers()
  const unheard = refresh(client, before.refresh_token)
  const failed = expect(unheard).rejects.toThrow('fetch failed')
  // The first byte of the answer: the rotation is committed.
  await lost
  await stoa.kill()
  await failed
  balancer.passAnswers()
}

/** What an app does that got no answer: it asks once more with what it has. */
async function recover(client: AppClient, before: AppTokens): Promise<AppTokens> {
  const after = await tokensOf(await refresh(client, before.refresh_token))
  expect(after.refresh_token).not.toBe(before.refresh_token)
  expect(after.installation_id).toBe(before.installation_id)
  expect(await ordersStatus(after.access_token)).toBe(200)
  // The retry was one: asked a third time it is the same successor, not a fork.
  expect((await tokensOf(await refresh(client, before.refresh_token))).refresh_token).toBe(
    after.refresh_token,
  )
  return after
}

describe('a process killed with -9 between rotation and answer, embedded', () => {
  let prepared: PreparedFolder
  beforeAll(async () => {
    prepared = await prepareFolder()
  })

  test('is started again on its folder: the app recovers by retrying, and goes on refreshing', async () => {
    const client = clientOf(prepared.world)
    const folder = prepared.copy()
    const start = async () => {
      const settings = { ...worldSettings(prepared.world.hostKey), STOA_PUBLIC_URL: balancer.url }
      const stoa = startStoa(folder, settings)
      balancer.sendTo(await socketOf(stoa))
      return stoa
    }
    let tokens: AppTokens | null = null
    // The second kill meets a token that was itself recovered.
    for (let kills = 0; kills < 2; kills += 1) {
      const stoa = await start()
      tokens ??= await connectApp(client, prepared.world.owner)
      await refreshAndKill(client, tokens, stoa)
      const restarted = await start()
      const recovered: AppTokens = await recover(client, tokens)
      tokens = await tokensOf(await refresh(client, recovered.refresh_token))
      expect(await ordersStatus(tokens.access_token)).toBe(200)
      restarted.signal('SIGTERM')
      await restarted.ended()
    }
  })
})

const serverUrl = testServerUrl()
const title = 'a node killed with -9 between rotation and answer, of two on one PostgreSQL'
const reason = serverUrl === undefined ? ' (skipped: DATABASE_URL names no server)' : ''

describe.skipIf(serverUrl === undefined)(`${title}${reason}`, () => {
  let drop: () => Promise<void> = () => Promise.resolve()
  let settings: Readonly<Record<string, string>> = {}
  let world: World

  async function start(): Promise<{ readonly stoa: StoaProcess; readonly address: string }> {
    const stoa = startStoa(temporaryFolder(), settings)
    return { stoa, address: await socketOf(stoa) }
  }

  beforeAll(async () => {
    const database = await createServerDatabase(serverUrl ?? '', { empty: true })
    drop = database.drop
    const hostKey = newKey()
    settings = {
      ...worldSettings(hostKey),
      ...{ DATABASE_URL: database.databaseUrl, STOA_SECRET_KEY: newKey() },
      ...{ STOA_PUBLIC_URL: balancer.url, STOA_LOG_LEVEL: 'warn' },
    }
    const { stoa, address } = await start()
    balancer.sendTo(address)
    world = await makeWorld(balancer.url, hostKey)
    await stoa.kill()
  })
  afterAll(async () => {
    await endAll()
    await drop()
  })

  test('the app recovers by retrying at the other, which gives the same successor', async () => {
    const [first, second] = await Promise.all([start(), start()])
    balancer.sendTo(first.address)
    const client = clientOf(world)
    const before = await connectApp(client, world.owner)
    await refreshAndKill(client, before, first.stoa)
    balancer.sendTo(second.address)
    const after = await recover(client, before)
    const next = await tokensOf(await refresh(client, after.refresh_token))
    expect(await ordersStatus(next.access_token)).toBe(200)
  })
})
