import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Api, makeApi } from '../../examples/demo/api.ts'
import { until } from '../../examples/demo/steps.ts'
import { limits } from '../../src/kernel/index.ts'
import { openSocket } from '../integration/stream/socket-client.ts'
import { createServerDatabase, testServerUrl } from '../support/database.ts'
import { startReceiver, status, type TestReceiver } from '../support/test-receiver.ts'
import { type AppTokens, askForTokens, connectApp } from './support/app-client.ts'
import { type Balancer, socketOf, startBalancer } from './support/balancer.ts'
import { endAll, startStoa, temporaryFolder } from './support/stoa.ts'
import {
  addEndpoint,
  createOrder,
  handlerResult,
  install,
  makeWorld,
  newKey,
  payOrder,
  readDeliveries,
  type World,
  worldSettings,
} from './support/world.ts'

const serverUrl = testServerUrl()
const title = 'what a merchant or app ends at one node ends at the other within 5 s'
const reason = serverUrl === undefined ? ' (skipped: DATABASE_URL names no server)' : ''

const promisedMs = 5_000

describe.skipIf(serverUrl === undefined)(`${title}${reason}`, () => {
  let drop: () => Promise<void> = () => Promise.resolve()
  let balancer: Balancer
  let receiver: TestReceiver
  let sql: pg.Client
  let world: World
  let merchant: Api
  let installationId: string
  let tokens: AppTokens
  // Here it is ended; the other believes in it, holds the sockets, runs the handlers and sends.
  let here: string
  let there: string

  beforeAll(async () => {
    const database = await createServerDatabase(serverUrl ?? '', { empty: true })
    drop = database.drop
    balancer = await startBalancer()
    receiver = await startReceiver()
    sql = new pg.Client({ connectionString: database.databaseUrl })
    await sql.connect()
    const hostKey = newKey()
    const settings = {
      ...worldSettings(hostKey),
      ...{ DATABASE_URL: database.databaseUrl, STOA_SECRET_KEY: newKey(), STOA_LOG_LEVEL: 'warn' },
      STOA_PUBLIC_URL: balancer.url,
    }
    const there_ = await socketOf(startStoa(temporaryFolder(), settings))
    const here_ = await socketOf(startStoa(temporaryFolder(), { ...settings, STOA_ROLES: 'api' }))
    here = `http://${here_}`
    there = `http://${there_}`
    balancer.sendTo(here_)
    world = await makeWorld(balancer.url, hostKey)
    await addEndpoint(here, world, receiver.url)
    const { token } = await makeApi(here, null).call<{ token: string }>('POST', '/account/v1/tokens', {
      ...world.owner,
      ...{ name: 'shop', audiences: ['merchant'] },
    })
    merchant = makeApi(here, token)
  })
  afterAll(async () => {
    await endAll()
    await sql.end()
    await receiver.close()
    await balancer.close()
    await drop()
  })

  beforeEach(async () => {
    receiver.behave(status(200))
    installationId = await install(merchant, world, ['order:write'])
    tokens = await connectApp({ ...world, baseUrl: balancer.url }, world.owner, 'order:write')
    // The other node has seen the token and keeps what it knows of it.
    expect((await asApp('GET', '/v1/orders')).status).toBe(200)
  })

  function asApp(method: 'GET' | 'POST', path: string): Promise<Response> {
    return fetch(there + path, { method, headers: { authorization: `Bearer ${tokens.access_token}` } })
  }

  const uninstall = () => merchant.call('DELETE', `/merchant/v1/installations/${installationId}`)
  const narrow = () => install(merchant, world)

  async function revoke(token: string): Promise<void> {
    const response = await fetch(`${here}/oauth/revoke`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${world.appId}:${world.clientSecret}`).toString('base64')}`,
      },
      body: new URLSearchParams({ token }),
    })
    expect(response.status).toBe(200)
  }

  /** Does it, and fails unless it is so within the promised time from the answer on. */
  async function holdsSoonAfter(what: string, end: () => Promise<unknown>, isSo: () => Promise<boolean>) {
    await end()
    await until(what, promisedMs, async () => ((await isSo()) ? true : null))
  }

  test('an access token that its app has revoked', async () => {
    await holdsSoonAfter(
      'the refusal',
      () => revoke(tokens.access_token),
      async () => (await asApp('GET', '/v1/orders')).status === 401,
    )
  })

  test('the access tokens of an app that was uninstalled', async () => {
    await holdsSoonAfter(
      'the refusal',
      uninstall,
      async () => (await asApp('GET', '/v1/orders')).status === 401,
    )
  })

  test('one scope of an app, which keeps the others', async () => {
    const orderId = await createOrder(here, world, `narrow-${installationId}`)
    // Without a payment it is refused for its state, once it is allowed at all.
    expect((await asApp('POST', `/v1/orders/${orderId}:ship`)).status).toBe(409)
    await holdsSoonAfter(
      'the refusal',
      narrow,
      async () => (await asApp('POST', `/v1/orders/${orderId}:ship`)).status === 403,
    )
    expect((await asApp('GET', '/v1/orders')).status).toBe(200)
  })

  test('everything an app may do, by a rule of the platform', async () => {
    const stop = () =>
      sql.query(
        `insert into rule (id, effect, app_id, reason_code, message, created_by, created_at)
         values ('rul_test', 'stop', $1, 'test', '{}', 'per_1', now())`,
        [world.appId],
      )
    await holdsSoonAfter('the refusal', stop, async () => (await asApp('GET', '/v1/orders')).status === 403)
    await sql.query('delete from rule')
    await until('the rule’s end', promisedMs, async () =>
      (await asApp('GET', '/v1/orders')).ok ? true : null,
    )
  })

  test('the open socket of an app that has revoked its token', async () => {
    const response = await askForTokens({ ...world, baseUrl: here }, { grant_type: 'client_credentials' })
    const { access_token: token } = (await response.json()) as AppTokens
    const socket = await openSocket(there, token)
    await revoke(token)
    const revokedAt = performance.now()
    expect(await socket.closed).toEqual({ code: 4401, reason: 'capability.unauthenticated' })
    expect(performance.now() - revokedAt).toBeLessThan(promisedMs)
  })

  test('what a handler may do that is already running', async () => {
    const orderId = await createOrder(here, world, `ship-${installationId}`)
    // It reads the order, which the grant allows, and then waits for its storage.
    await sql.query('begin')
    await sql.query('lock table storage_item in share row exclusive mode')
    await payOrder(here, world, orderId)
    await until('a handler that waits', 20_000, async () => {
      const { rowCount } = await sql.query(
        `select from pg_locks where relation = 'storage_item'::regclass and not granted
           and database = (select oid from pg_database where datname = current_database())`,
      )
      return rowCount === 0 ? null : true
    })
    await narrow()
    const narrowedAt = performance.now()
    await until('the age at which a grant is read again', promisedMs, () =>
      Promise.resolve(performance.now() - narrowedAt > limits.sandboxGrantFreshMs ? true : null),
    )
    await sql.query('commit')
    const { state, refusal } = await handlerResult(here, world, orderId)
    expect({ state, refusal }).toEqual({ state: 'paid', refusal: 'capability.permission_not_granted' })
    expect(performance.now() - narrowedAt).toBeLessThan(promisedMs)
  })

  test('deliveries that wait for their next attempt', async () => {
    receiver.behave(status(503, { 'retry-after': '3' }))
    const orderId = await createOrder(here, world, `wait-${installationId}`)
    await payOrder(here, world, orderId)
    const find = async () =>
      (await readDeliveries(here, world, 'backend')).find(({ subject }) => subject === orderId)
    await until('an attempt', 20_000, async () => ((await find())?.attemptCount === 1 ? true : null))
    const from = receiver.requests.length
    await uninstall()
    receiver.behave(status(200))
    await until('the cancellation', promisedMs, async () =>
      (await find())?.state === 'cancelled' ? true : null,
    )
    expect(receiver.requests.slice(from)).toEqual([])
  })
})
