import { hostCapabilities } from '../../../src/capabilities/index.ts'
import {
  type Capability,
  defineCapability,
  defineEventType,
  makeCatalog,
  schema,
} from '../../../src/capability/index.ts'
import { type Db, sql } from '../../../src/db/index.ts'
import {
  type Events,
  type EventsDependencies,
  ensureAppStream,
  makeEvents,
  type Sink,
  type SinkKind,
  subscribe,
} from '../../../src/events/index.ts'
import {
  type Clock,
  deriveKey,
  type HttpClient,
  makeHttpClient,
  newId,
  present,
  systemRandom,
  systemTimers,
  toDate,
} from '../../../src/kernel/index.ts'
import type { Queue } from '../../../src/queue/index.ts'
import { createEndpoint } from '../../../src/webhooks/create-endpoint.ts'
import { makeEndpointStore, webhookSink } from '../../../src/webhooks/index.ts'
import { openTestDatabase, quietLog, type TestDatabase } from '../../support/database.ts'

const publicUrl = 'https://platform.example'
export const secretKey = deriveKey('a secret key of the tests', 'webhook-secrets')
const random = systemRandom

/** Real time until it is moved. */
export interface MovableClock extends Clock {
  advance(ms: number): void
}

function movableClock(): MovableClock {
  let offsetMs = 0
  return {
    nowMs: () => Date.now() + offsetMs,
    advance(ms) {
      offsetMs += ms
    },
  }
}

/** A queue that loses every wake: whatever works with it works by the rows alone. */
export const deafQueue: Queue = {
  kind: 'pglite',
  wake: () => Promise.resolve(false),
  work: () => undefined,
  every: () => undefined,
  ready: () => Promise.resolve(),
  close: () => Promise.resolve(),
}

const testCapability: Capability = defineCapability({
  id: 'test',
  summary: 'For tests',
  operations: [],
  eventTypes: [
    defineEventType({
      type: 'test.goodbye',
      version: 1,
      summary: { en: 'The app was removed', 'zh-CN': '应用已被移除' },
      scope: null,
      addressedTo: 'installation',
      subject: 'The installation’s id',
      data: schema.object({ reason: schema.string({ maxLength: 100 }) }),
      example: { reason: 'test' },
    }),
  ],
})

export const catalog = makeCatalog([...hostCapabilities, testCapability])

export interface Installed {
  readonly publisherId: string
  readonly appId: string
  readonly merchantId: string
  readonly installationId: string
  readonly streamId: string
}

export interface InstallOptions {
  readonly appId?: string
  readonly merchantId?: string
  readonly granted?: readonly string[]
  readonly eventTypes?: readonly string[]
  readonly sink?: SinkKind
}

export interface Fixture {
  readonly database: TestDatabase
  readonly db: Db
  readonly clock: MovableClock
  readonly http: HttpClient
  makeEvents(sinks?: { readonly [K in SinkKind]?: Sink }, options?: Partial<EventsDependencies>): Events
  /** The real webhook sink; with a request timeout of its own where a test waits for it. */
  webhooks(options?: { readonly timeoutMs?: number; readonly allowLoopback?: boolean }): Sink
  addApp(appClass?: string): Promise<{ readonly appId: string; readonly publisherId: string }>
  addMerchant(): Promise<string>
  /** An installation with a grant and subscriptions, written as install writes them. */
  install(options?: InstallOptions): Promise<Installed>
  /** Gives what verifies its requests: `whsec_…`, or `whpk_…` for v1a. */
  addEndpoint(installed: Installed, url: string, scheme?: 'v1' | 'v1a'): Promise<string>
  close(): Promise<void>
}

async function addAppRow(db: Db, clock: Clock, appClass: string) {
  const publisherId = newId('publisher', { clock, random })
  const appId = newId('app', { clock, random })
  const now = toDate(clock.nowMs())
  await sql(
    db.queries,
    `insert into publisher (id, name, created_by, created_at) values ($1, 'Test', 'per_1', $2)`,
    publisherId,
    now,
  )
  await sql(
    db.queries,
    `insert into app (id, publisher_id, name, class, visibility, created_by, created_at)
     values ($1, $2, 'Printer', $3, 'public', 'per_1', $4)`,
    appId,
    publisherId,
    appClass,
    now,
  )
  return { appId, publisherId }
}

async function addMerchantRow(db: Db, clock: Clock): Promise<string> {
  const merchantId = newId('merchant', { clock, random })
  await sql(
    db.queries,
    `insert into merchant (id, kind, name, created_at) values ($1, 'shop', 'Tea house', $2)`,
    merchantId,
    toDate(clock.nowMs()),
  )
  return merchantId
}

async function addGrant(
  db: Db,
  clock: Clock,
  row: Omit<Installed, 'streamId' | 'publisherId'>,
  granted: readonly string[],
) {
  const now = toDate(clock.nowMs())
  await sql(
    db.queries,
    `insert into installation (id, merchant_id, app_id, state, installed_by, installed_at)
     values ($1, $2, $3, 'active', 'per_1', $4)`,
    row.installationId,
    row.merchantId,
    row.appId,
    now,
  )
  await sql(
    db.queries,
    `insert into "grant" (id, merchant_id, app_id, installation_id, version_id, granted, required, optional, refused,
       bounds, consent_id, created_at, updated_at)
     values ($1, $2, $3, $4, 'ver_1', $5::text[], '{}', '{}', '{}', '{}', 'con_1', $6, $6)`,
    newId('grant', { clock, random }),
    row.merchantId,
    row.appId,
    row.installationId,
    granted,
    now,
  )
}

async function publisherOf(db: Db, appId: string): Promise<string> {
  const [row] = await sql<{ publisher_id: string }>(
    db.queries,
    'select publisher_id from app where id = $1',
    appId,
  )
  return present(row, 'the app').publisher_id
}

export async function openFixture(options: { readonly kind?: Db['kind'] } = {}): Promise<Fixture> {
  const clock = movableClock()
  const database = await openTestDatabase({ clock, ...options })
  const { db } = database
  const http = makeHttpClient({ clock, connectMs: 1_000, allowLoopback: true, connectionsMax: 32 })
  const ids = { clock, random }
  const addApp = (appClass = 'backend') => addAppRow(db, clock, appClass)
  const addMerchant = () => addMerchantRow(db, clock)
  const guarded = makeHttpClient({ clock, connectMs: 1_000, allowLoopback: false, connectionsMax: 32 })
  const webhooks: Fixture['webhooks'] = ({ timeoutMs, allowLoopback = true } = {}) => {
    const client = allowLoopback ? http : guarded
    const send: HttpClient['send'] = (request) =>
      client.send({ ...request, timeoutMs: timeoutMs ?? request.timeoutMs })
    const endpoints = makeEndpointStore(db)
    return webhookSink({
      endpoints,
      httpClient: { ...client, send },
      secretKey,
      clock,
      random,
      log: quietLog,
    })
  }

  return {
    database,
    db,
    clock,
    http,
    addApp,
    addMerchant,
    webhooks,
    makeEvents: (sinks = { backend: webhooks() }, more = {}) =>
      makeEvents({
        ...{ db, catalog, queue: deafQueue, clock, timers: systemTimers, random, log: quietLog, publicUrl },
        ...{ relays: true, sinks: () => sinks },
        ...more,
      }),
    async install({
      granted = ['order:read'],
      eventTypes = ['order.paid'],
      sink = 'backend',
      ...given
    } = {}) {
      const appId = given.appId ?? (await addApp()).appId
      const merchantId = given.merchantId ?? (await addMerchant())
      const installationId = newId('installation', ids)
      await addGrant(db, clock, { appId, merchantId, installationId }, granted)
      const streamId = await db.tx(async (tx) => {
        const id = await ensureAppStream(tx, { appId, sink }, ids)
        for (const eventType of eventTypes) {
          const subscription = { merchantId, installationId, appId, streamId: id, eventType, eventVersion: 1 }
          await subscribe(tx, subscription, ids)
        }
        return id
      })
      return { appId, merchantId, installationId, streamId, publisherId: await publisherOf(db, appId) }
    },
    async addEndpoint(installed, url, scheme = 'v1') {
      const { endpoint, secret } = await createTestEndpoint(db, installed, { url, scheme }, clock)
      return present(secret ?? endpoint.secrets[0]?.publicKey, 'what verifies')
    },
    async close() {
      await http.close()
      await guarded.close()
      await database.close()
    },
  }
}

async function createTestEndpoint(
  db: Db,
  installed: Installed,
  endpoint: { readonly url: string; readonly scheme: 'v1' | 'v1a' },
  clock: Clock,
) {
  return db.tx((tx) =>
    createEndpoint(
      tx,
      { secretKey, allowLoopback: true },
      { publisherIds: [installed.publisherId], appId: installed.appId, ...endpoint, personId: 'per_1' },
      { clock, random },
    ),
  )
}

/** An order's data as the order capability publishes it. */
export function orderData(orderId: string, withCustomer = false) {
  return {
    orderId,
    externalId: null,
    lines: [{ name: 'Tea', quantity: 1, unitPrice: { amount: 1250, currency: 'CNY' } }],
    total: { amount: 1250, currency: 'CNY' },
    tracking: null,
    ...(withCustomer ? { customer: { name: 'Lin Yue', phone: '+86 10 5555 0100' } } : {}),
  }
}

/** Publishes `count` paid orders of the merchant, each in a transaction of its own; gives the events' ids. */
export async function payOrders(
  { db }: Pick<Fixture, 'db'>,
  events: Events,
  merchantId: string,
  count = 1,
  withCustomer = false,
): Promise<readonly string[]> {
  const ids: string[] = []
  for (let i = 0; i < count; i += 1) {
    const orderId = newId('order', { clock: { nowMs: () => Date.now() }, random })
    const event = { type: 'order.paid', merchantId, subject: orderId, data: orderData(orderId, withCustomer) }
    ids.push(await db.tx((tx) => events.publish(tx, event)))
  }
  return ids
}

export interface DeliveryRow {
  readonly id: string
  readonly event_id: string
  readonly stream_id: string
  readonly sequence: bigint
  readonly state: string
  readonly attempts: number
  readonly scopes: string[]
  readonly due_at: Date
  readonly last_outcome: string | null
  readonly text: string | null
}

export function deliveriesOf({ db }: Pick<Fixture, 'db'>, streamId: string): Promise<DeliveryRow[]> {
  return sql<DeliveryRow>(
    db.queries,
    `select d.id, d.event_id, d.stream_id, d.sequence, d.state, d.attempts, d.scopes, d.due_at, d.last_outcome, b.text
     from delivery d left join body b on b.hash = d.body_hash where d.stream_id = $1 order by d.sequence`,
    streamId,
  )
}

export interface AttemptRow {
  readonly delivery_id: string
  readonly number: number
  readonly outcome: string
  readonly status: number | null
  readonly error: string | null
  readonly response: string | null
  readonly log: string | null
}

export function attemptsOf({ db }: Pick<Fixture, 'db'>, streamId: string): Promise<AttemptRow[]> {
  return sql<AttemptRow>(
    db.queries,
    `select delivery_id, number, outcome, status, error, response, log from attempt where stream_id = $1
     order by started_at, number`,
    streamId,
  )
}
