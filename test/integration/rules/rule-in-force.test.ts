import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Db, execute } from '../../../src/db/index.ts'
import { listRules } from '../../../src/events/store.ts'
import { toDate } from '../../../src/kernel/index.ts'
import { listActiveRules } from '../../../src/rules/store.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'

const nowMs = Date.UTC(2026, 10, 22)
let database: TestDatabase
let db: Db

beforeAll(async () => {
  database = await openTestDatabase()
  db = database.db
})
afterAll(() => database.close())

interface Columns {
  readonly appId?: string
  readonly versionId?: string
  readonly merchantId?: string
  readonly scope?: string
  readonly host?: string
  readonly expiresAtMs?: number
  readonly liftedAtMs?: number
}

async function addRule(id: string, effect: string, columns: Columns): Promise<void> {
  const at = (ms: number | undefined) => (ms === undefined ? null : toDate(ms))
  await execute(
    db.queries,
    `insert into rule (id, effect, app_id, version_id, merchant_id, scope, host, reason_code, message, created_by,
       created_at, expires_at, lifted_at)
     values ($1, $2, $3, $4, $5, $6, $7, 'test', '{}', 'per_1', $8, $9, $10)`,
    id,
    effect,
    columns.appId ?? null,
    columns.versionId ?? null,
    columns.merchantId ?? null,
    columns.scope ?? null,
    columns.host ?? null,
    toDate(nowMs),
    at(columns.expiresAtMs),
    at(columns.liftedAtMs),
  )
}

async function countedBy(id: string, effect: string, columns: Columns): Promise<readonly boolean[]> {
  await execute(db.queries, 'delete from rule')
  await addRule(id, effect, columns)
  const atTheDoor = await listActiveRules(db.queries, nowMs)
  const onTheEventPath = await listRules(db.queries, nowMs)
  return [atTheDoor.length > 0, onTheEventPath.length > 0]
}

// What every reader must see alike: the door of every operation and the event path.
test.each<[string, string, Columns, boolean]>([
  ['an app', 'stop', { appId: 'app_1' }, true],
  ['a merchant', 'stop', { merchantId: 'mer_1' }, true],
  ['a scope, wherever it was granted', 'drop_scope', { scope: 'customer:read' }, true],
  ['nothing but a scope that it does not drop', 'stop', { scope: 'customer:read' }, false],
  ['one version only', 'stop', { versionId: 'ver_1' }, false],
  ['one host only', 'block_host', { host: 'example.com' }, false],
  ['an app until a minute ago', 'stop', { appId: 'app_1', expiresAtMs: nowMs - 60_000 }, false],
  ['an app for another minute', 'stop', { appId: 'app_1', expiresAtMs: nowMs + 60_000 }, true],
  ['an app, and was lifted', 'stop', { appId: 'app_1', liftedAtMs: nowMs }, false],
])('a rule that names %s', async (_what, effect, columns, counts) => {
  expect(await countedBy('rul_1', effect, columns)).toEqual([counts, counts])
})

test('a rule that names nothing cannot be written', async () => {
  await expect(addRule('rul_2', 'stop', {})).rejects.toThrow()
})
