import { type Db, execute, sql } from '../../src/db/index.ts'
import { findAgain } from '../../src/events/again/store.ts'
import { makeEventStore } from '../../src/events/event-store.ts'
import { endSubscriptions, lockStream } from '../../src/events/index.ts'
import { insertEvents } from '../../src/events/store.ts'
import { type Queries, toIso } from '../../src/kernel/index.ts'
import { parkDelivery } from '../../src/webhooks/history/store.ts'
import { makeEndpointStore } from '../../src/webhooks/index.ts'
import { pauseEndpoint } from '../../src/webhooks/pause-endpoint.ts'
import { recordReplayed } from '../../src/webhooks/replay/record/store.ts'
import { insertReplay } from '../../src/webhooks/replay/store.ts'
import { resumeEndpoint } from '../../src/webhooks/resume-endpoint.ts'
import { emptyRows, type Row, type Rows, type TableName, tableNames } from './rows.ts'
import type { People, SentAgain, World } from './world.ts'

const made = { created_by: 'per_1', created_at: 0 }
const manifest = {
  version_id: 'ver_1',
  required: [],
  optional: [],
  refused: [],
  bounds: {},
  consent_id: 'con_1',
}

/** Columns of which the event path knows nothing, for rows that are written here. */
const rest: { readonly [T in TableName]?: object } = {
  app: { ...made, class: 'backend', visibility: 'public' },
  stream: { owner_kind: 'app', created_at: 0 },
  endpoint: made,
  endpoint_secret: { scheme: 'v1' },
  installation: { installed_by: 'per_1', installed_at: 0 },
  grant: { ...manifest, created_at: 0, updated_at: 0 },
  subscription: { created_at: 0 },
  rule: { ...made, reason_code: 'test', message: {} },
  notice: { data: {}, created_at: 0 },
}

const isTime = (name: string) => name.endsWith('_at') || name === 'lease_until' || name === 'failing_since'

function toJson(row: object): object {
  const entries = Object.entries(row as Record<string, unknown>)
  return Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value === 'number' && isTime(name) ? toIso(value) : value]),
  )
}

async function insertRows(q: Queries, table: string, rows: readonly object[]): Promise<void> {
  if (rows.length === 0) return
  const names = Object.keys(rows[0] ?? {}).map((name) => `"${name}"`)
  await execute(
    q,
    `insert into "${table}" (${names.join(', ')})
     select ${names.join(', ')} from jsonb_populate_recordset(null::"${table}", $1::jsonb)`,
    JSON.stringify(rows.map(toJson)),
  )
}

/** Replaces everything of which the event path knows by these rows. */
export async function writeRows({ queries: q }: Db, rows: Rows): Promise<void> {
  const names = tableNames.map((name) => `"${name}"`).join(', ')
  await execute(q, `truncate ${names}, replay, merchant, publisher cascade`)
  const publishers = new Set([...rows.app.values()].map((row) => row.publisher_id))
  await insertRows(
    q,
    'publisher',
    [...publishers].map((id) => ({ id, name: id, ...made })),
  )
  const merchants = new Set([...rows.installation.values()].map((row) => row.merchant_id))
  await insertRows(
    q,
    'merchant',
    [...merchants].map((id) => ({ id, kind: 'shop', name: id, created_at: 0 })),
  )
  const order = ['app', 'stream', 'installation', ...tableNames] as const
  for (const name of new Set(order)) {
    const list = [...rows[name].values()].map((row) => ({ ...rest[name], ...row }))
    await insertRows(q, name, list)
  }
}

/** The members that the model has of a table's row. */
const unknownColumns: { readonly [T in TableName]?: readonly string[] } = {
  app: ['private_merchant_id'],
  stream: ['merchant_id', 'installation_id', 'cursor', 'pause_reason'],
  endpoint: ['verified_at'],
  endpoint_secret: ['public_jwk'],
  installation: ['uninstalled_by', 'uninstalled_at'],
  notice: ['person_id', 'merchant_id', 'read_at'],
}

/** Everything of which the event path knows. */
async function readRows({ queries: q }: Db): Promise<Rows> {
  const rows = emptyRows()
  const found = await sql<{ name: TableName; row: Record<string, unknown> }>(
    q,
    tableNames
      .map((name) => `select '${name}' as name, to_jsonb(t) as row from "${name}" t`)
      .join(' union all '),
  )
  for (const { name, row } of found) {
    const foreign = new Set([...Object.keys(rest[name] ?? {}), ...(unknownColumns[name] ?? [])])
    if (name === 'endpoint_secret') foreign.delete('created_at')
    const known = Object.entries(row).filter(([column]) => !foreign.has(column))
    const members = known.map(([column, value]) => [
      column,
      typeof value === 'string' && isTime(column) ? Date.parse(value) : value,
    ])
    const key = String(row['id'] ?? row['hash'])
    const map: Map<string, unknown> = rows[name]
    map.set(key, Object.fromEntries(members))
  }
  return rows
}

async function publish(db: Db, event: Row<'event'>, commits: boolean): Promise<void> {
  const rolledBack = new Error('rolled back')
  const inserted = db.tx(async (tx) => {
    // The caller numbers the events.
    await sql(tx, `select setval('event_seq_seq', $1::int8, false)`, BigInt(event.seq))
    await insertEvents(tx, [
      {
        id: event.id,
        source: event.source,
        externalId: event.external_id,
        type: event.type,
        version: event.version,
        merchantId: event.merchant_id,
        subject: event.subject,
        data: event.data,
        occurredAtMs: event.occurred_at,
        createdAtMs: event.created_at,
      },
    ])
    if (!commits) throw rolledBack
  })
  await inserted.catch((error: unknown) => {
    if (error !== rolledBack) throw error
  })
}

async function recordAgain(db: Db, { delivery, delivered, attempt, replayId }: SentAgain, nowMs: number) {
  const { id: deliveryId, merchantId, sequence, streamId, appId } = delivery
  const filter = { from: null, to: null, states: [], eventTypes: null, merchantId: null, deliveryId }
  const of = { id: replayId, publisherId: 'pub_1', appId, streamId, createdBy: 'per_1', filter }
  const replay = { ...of, ratePerSecond: 1, total: 1, untilSequence: sequence }
  const batch = { replayId, appId, epoch: 0n, untilMs: nowMs, cursor: sequence, nowMs }
  const result = delivered ? 'delivered' : 'failed'
  await db.tx(async (tx) => {
    await lockStream(tx, streamId)
    await insertReplay(tx, replay, nowMs)
    await recordReplayed(tx, streamId, batch, [{ deliveryId, merchantId, sequence, result, attempt }])
  })
}

function peopleOf(db: Db): People {
  const { queries: q } = db
  const one = (endpoint: Row<'endpoint'>, nowMs: number) => ({
    appId: endpoint.app_id,
    endpointId: endpoint.id,
    nowMs,
  })
  return {
    publish: (event, commits) => publish(db, event, commits),
    pause: async (endpoint, nowMs) =>
      void (await db.tx((tx) => pauseEndpoint(tx, [endpoint.publisher_id], one(endpoint, nowMs)))),
    resume: async (endpoint, nowMs) =>
      void (await db.tx((tx) => resumeEndpoint(tx, [endpoint.publisher_id], one(endpoint, nowMs)))),
    uninstall: ({ id, merchant_id: merchantId }, nowMs) =>
      db.tx(async (tx) => {
        await execute(tx, `update installation set state = 'uninstalled' where id = $1`, id)
        const at = toIso(nowMs)
        await execute(
          tx,
          'update "grant" set revoked_at = $2::text::timestamptz where installation_id = $1',
          id,
          at,
        )
        await endSubscriptions(tx, { merchantId, installationId: id }, { nowMs: () => nowMs })
      }),
    narrow: async ({ id }, granted) =>
      void (await execute(
        q,
        'update "grant" set granted = $2::text[], epoch = epoch + 1 where installation_id = $1',
        id,
        granted,
      )),
    addRule: (rule) => insertRows(q, 'rule', [{ ...rest.rule, ...rule }]),
    liftRules: async (nowMs) =>
      void (await execute(q, 'update rule set lifted_at = $1::text::timestamptz', toIso(nowMs))),
    skip: (streamId, delivery) => db.tx((tx) => parkDelivery(tx, streamId, delivery)),
    findAgain: (streamId, deliveryId) => findAgain(q, streamId, deliveryId),
    recordAgain: (sent, nowMs) => recordAgain(db, sent, nowMs),
  }
}

/** The store functions on a database, and what people do by the operations' own statements. */
export function makeDatabaseWorld(db: Db): World {
  return {
    exclusive: true,
    events: makeEventStore(db),
    endpoints: makeEndpointStore(db),
    people: peopleOf(db),
    rows: () => readRows(db),
  }
}
