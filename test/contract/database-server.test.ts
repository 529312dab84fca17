import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Db, execute, migrate, openDb, sql } from '../../src/db/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { createServerDatabase, quietLog, testServerUrl } from '../support/database.ts'

const at = new Date('2026-11-22T03:04:05.678Z')

describe.runIf(testServerUrl() !== undefined)('a PostgreSQL server', () => {
  let database: Awaited<ReturnType<typeof createServerDatabase>>
  let admin: pg.Client
  let db: Db
  const open = () =>
    openDb({ databaseUrl: database.databaseUrl, dataDir: null, log: quietLog, clock: systemClock })

  beforeAll(async () => {
    database = await createServerDatabase(testServerUrl() ?? '')
    admin = new pg.Client({ connectionString: database.databaseUrl })
    await admin.connect()
    await admin.query(
      `alter database ${new URL(database.databaseUrl).pathname.slice(1)} set timezone to 'Asia/Shanghai'`,
    )
    db = await open()
  })
  afterAll(async () => {
    await db.close()
    await admin.end()
    await database.drop()
  })

  const killOthers = () =>
    admin.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    )

  test('the server’s own time zone changes nothing', async () => {
    await db.queries.person.create({ data: { id: 'tz', displayName: '', createdAt: at } })
    expect(await sql(db.queries, `select created_at from person where id = 'tz'`)).toStrictEqual([
      { created_at: at },
    ])
    expect(await db.queries.person.findFirst({ where: { createdAt: at } })).toMatchObject({ createdAt: at })
    const { rows } = await admin.query(
      `select extract(epoch from created_at)::float8 * 1000 as ms from person where id = 'tz'`,
    )
    expect(rows).toStrictEqual([{ ms: at.getTime() }])
  })

  test('a real serialization failure is retried', async () => {
    await execute(db.queries, 'create table if not exists counter (n int8 not null)')
    await execute(db.queries, 'insert into counter values (0)')
    const increment = () =>
      db.tx(
        async (tx) => {
          const [row] = await sql<{ n: bigint }>(tx, 'select n from counter')
          await execute(tx, 'update counter set n = $1', (row?.n ?? 0n) + 1n)
        },
        { isolation: 'Serializable' },
      )
    await Promise.all(Array.from({ length: 4 }, increment))
    expect(await sql(db.queries, 'select n from counter')).toStrictEqual([{ n: 4n }])
  })

  test('killed connections fail their calls with a 503, the process lives, and the next call works', async () => {
    const hanging = sql(db.queries, 'select pg_sleep(20)')
    const inside = db.tx(async (tx) => {
      await sql(tx, 'select pg_sleep(20)')
    })
    const model = db.tx((tx) => tx.$queryRawUnsafe('select pg_sleep(20)::text'))
    const failures = Promise.allSettled([hanging, inside, model])
    await expect
      .poll(
        async () =>
          (
            await admin.query(
              `select 1 from pg_stat_activity where query like '%pg_sleep(20)%' and pid <> pg_backend_pid()`,
            )
          ).rowCount,
      )
      .toBe(3)
    await killOthers()
    for (const failure of await failures) {
      expect(failure).toMatchObject({ status: 'rejected', reason: { code: 'db.unavailable', status: 503 } })
    }
    // Idle connections were killed too; the pool notices and opens new ones.
    await killOthers()
    await expect.poll(() => sql(db.queries, 'select 1 as one').catch(() => null)).toStrictEqual([{ one: 1 }])
    expect(await db.tx((tx) => tx.person.count())).toBe(1)
  })

  test('a server that does not answer is a 503', async () => {
    const nowhere = await openDb({
      databaseUrl: 'postgres://x@127.0.0.1:1/x',
      dataDir: null,
      log: quietLog,
      clock: systemClock,
    })
    const calls = [
      () => sql(nowhere.queries, 'select 1'),
      () => nowhere.queries.person.count(),
      () => nowhere.tx((tx) => tx.person.count()),
    ]
    for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'db.unavailable' })
    await nowhere.close()
  })

  test('two nodes that start at once migrate an empty database once', async () => {
    const empty = await createServerDatabase(testServerUrl() ?? '', { empty: true })
    const nodes = await Promise.all(
      [1, 2, 3].map(() =>
        openDb({ databaseUrl: empty.databaseUrl, dataDir: null, log: quietLog, clock: systemClock }),
      ),
    )
    const applied = await Promise.all(nodes.map((node) => migrate(node)))
    expect(applied.map((names) => names.length > 0).sort()).toStrictEqual([false, false, true])
    await Promise.all(nodes.map((node) => node.close()))
    await empty.drop()
  })
})
