import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import {
  afterCommit,
  type Db,
  detached,
  ensurePartitions,
  execute,
  getBlob,
  isUniqueViolation,
  putBlob,
  sql,
} from '../../src/db/index.ts'
import { monthStartMs, type Queries, type Transaction } from '../../src/kernel/index.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'

const at = new Date('2026-11-22T03:04:05.678Z')

const everyType = `
  select $1::int8 as int8, $2::int4 as int4, $3::float8 as float8, $4::numeric as numeric, $5::bool as bool,
         $6::text as text, $7::timestamptz as timestamptz, $8::timestamp as timestamp, $9::date as date,
         $10::jsonb as jsonb, $11::json as json, $12::bytea as bytea, $13::uuid as uuid, $14::text[] as texts,
         $15::int8[] as int8s, $16::timestamptz[] as times, $17::text as nothing, $18::text[] as none,
         $19::bool[] as bools, $20::int4[] as ints, $21::text[] as nested`

const given = [
  9_007_199_254_740_993n,
  -7,
  0.1,
  '12345678901234567890.123456789',
  true,
  'naïve "quoted" \\ {braces}, 中文',
  at,
  at,
  '2026-11-22',
  '{"b":1,"a":[null,"x"]}',
  '[1,"two",null]',
  new Uint8Array([0, 1, 254, 255]),
  '0b8e7a1e-3d0f-4c8e-9f8c-0d3a5d4e6f70',
  ['', 'null', 'NULL', 'a,b', '"', '\\', '{}', '中'],
  [1n, -9_007_199_254_740_993n],
  [at],
  null,
  [],
  [true, false],
  [1, null, 3],
  [
    ['a', 'b'],
    ['c', null],
  ],
] as const

const expected = {
  int8: 9_007_199_254_740_993n,
  int4: -7,
  float8: 0.1,
  numeric: '12345678901234567890.123456789',
  bool: true,
  text: 'naïve "quoted" \\ {braces}, 中文',
  timestamptz: at,
  timestamp: at,
  date: '2026-11-22',
  jsonb: { a: [null, 'x'], b: 1 },
  json: [1, 'two', null],
  bytea: new Uint8Array([0, 1, 254, 255]),
  uuid: '0b8e7a1e-3d0f-4c8e-9f8c-0d3a5d4e6f70',
  texts: ['', 'null', 'NULL', 'a,b', '"', '\\', '{}', '中'],
  int8s: [1n, -9_007_199_254_740_993n],
  times: [at],
  nothing: null,
  none: [],
  bools: [true, false],
  ints: [1, null, 3],
  nested: [
    ['a', 'b'],
    ['c', null],
  ],
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 20))

/** Whatever holds of the database holds of both kinds. */
export function databaseContract(kind: Db['kind']): void {
  describe(`database on ${kind}`, () => {
    let opened: TestDatabase
    let db: Db
    const path = <T>(name: string, fn: (q: Queries) => Promise<T>) =>
      name === 'the pool' ? fn(db.queries) : db.tx((tx) => fn(tx))
    const paths = ['the pool', 'a transaction']

    beforeAll(async () => {
      opened = await openTestDatabase({ kind })
      db = opened.db
      await db.tx(async (tx) => {
        await execute(tx, 'create table probe (id text primary key, n int8 not null default 0)')
        await execute(tx, `insert into probe (id) values ('shared')`)
      })
    })
    afterAll(() => opened.close())

    test.each(paths)('every type has the same value on %s', async (name) => {
      const rows = await path(name, (q) => sql(q, everyType, ...given))
      expect(rows).toStrictEqual([expected])
    })

    test.each(paths)('a bytes value is exactly a Uint8Array on %s', async (name) => {
      const [row] = await path(name, (q) =>
        sql<{ b: Uint8Array }>(q, 'select $1::bytea as b', new Uint8Array(3)),
      )
      expect(row?.b.constructor).toBe(Uint8Array)
    })

    test.each(paths)('Prisma and raw statements see the same row on %s', async (name) => {
      const id = `prt_${name.length}`
      const [raw, model] = await path(name, async (q) => {
        await q.person.create({ data: { id, displayName: 'Ann', createdAt: at } })
        await q.personalToken.create({
          data: {
            id,
            personId: id,
            hash: id,
            name: 'n',
            scopes: ['a', 'b,"c'],
            createdAt: at,
            expiresAt: at,
          },
        })
        return [
          await sql(q, 'select scopes, created_at from personal_token where id = $1', id),
          await q.personalToken.findFirst({ where: { id } }),
        ]
      })
      expect(raw).toStrictEqual([{ scopes: ['a', 'b,"c'], created_at: at }])
      expect(model).toMatchObject({ scopes: ['a', 'b,"c'], createdAt: at })
    })

    test('a model writes and reads every kind of column that the schema has', async () => {
      const bytes = new Uint8Array([0, 200, 255])
      const lines = [{ name: 'Tea "x" \\ 茶', quantity: 2, unitPrice: { amount: 5, currency: 'EUR' } }]
      const order = {
        merchantId: 'mer_1',
        id: 'ord_1',
        state: 'paid',
        lines,
        totalAmount: 2n ** 60n,
        currency: 'EUR',
      }
      await db.queries.merchant.create({ data: { id: 'mer_1', kind: 'shop', name: 'M', createdAt: at } })
      await db.queries.blob.create({ data: { sha256: 'x', bytes, sizeBytes: 3, createdAt: at } })
      await db.queries.order.create({ data: { ...order, createdAt: at, paidAt: at } })
      expect(await db.queries.blob.findUnique({ where: { sha256: 'x' } })).toMatchObject({
        bytes,
        sizeBytes: 3,
      })
      const found = await db.queries.order.findMany({
        where: { createdAt: { gte: at }, id: { in: ['ord_1', 'b'] } },
      })
      expect(found).toMatchObject([{ ...order, createdAt: at, customer: null, shippedAt: null }])
      const updated = { data: { state: 'shipped', customer: { name: null, list: [1.5, true] } } }
      expect(await db.queries.order.updateMany({ where: { id: 'ord_1' }, ...updated })).toStrictEqual({
        count: 1,
      })
      expect(await db.queries.order.findFirst({ include: { merchant: true } })).toMatchObject({
        ...updated.data,
        merchant: { name: 'M', parentId: null },
      })
    })

    test('an affected count counts', async () => {
      await execute(db.queries, `insert into probe (id) values ('c1'), ('c2')`)
      expect(await execute(db.queries, `update probe set n = 1 where id like 'c_'`)).toBe(2)
      expect(await execute(db.queries, `delete from probe where id like 'c_'`)).toBe(2)
      expect(await execute(db.queries, `delete from probe where id like 'c_'`)).toBe(0)
    })

    test('a transaction commits everything or nothing, models and raw statements alike', async () => {
      const write = (id: string, fails: boolean) =>
        db.tx(async (tx) => {
          await execute(tx, 'insert into probe (id) values ($1)', id)
          await tx.person.create({ data: { id, displayName: id, createdAt: at } })
          if (fails) throw new Error('no')
        })
      await write('both', false)
      await expect(write('neither', true)).rejects.toThrow('no')
      const rows = await sql(db.queries, `select id from probe where id in ('both', 'neither')`)
      expect(rows).toStrictEqual([{ id: 'both' }])
      expect(await db.queries.person.count({ where: { id: { in: ['both', 'neither'] } } })).toBe(1)
    })

    test('sixty transactions at once neither block each other for ever nor lose an update', async () => {
      const increments = Array.from({ length: 60 }, () =>
        db.tx(async (tx) => {
          await sql(tx, `select n from probe where id = 'shared' for update`)
          await tx.person.count()
          await execute(tx, `update probe set n = n + 1 where id = 'shared'`)
        }),
      )
      const reads = Array.from({ length: 60 }, () => sql(db.queries, 'select count(*) from probe'))
      await Promise.all([...increments, ...reads])
      expect(await sql(db.queries, `select n from probe where id = 'shared'`)).toStrictEqual([{ n: 60n }])
    })

    const insideMistakes: readonly (readonly [string, () => unknown])[] = [
      ['a model call', () => db.queries.person.count()],
      ['a raw statement', () => sql(db.queries, 'select 1')],
      ['a transaction', () => db.tx(() => Promise.resolve())],
      ['a raw Prisma query', () => db.queries.$queryRawUnsafe('select 1')],
    ]
    test.each(insideMistakes)(
      '%s on the root inside tx() fails at once instead of waiting for ever',
      async (_, fn) => {
        await expect(db.tx(async () => fn())).rejects.toThrow(
          /invariant broken: .* inside a db\.tx\(\) callback/,
        )
      },
    )

    test('a model taken from the root before tx() is caught too', async () => {
      const { person } = db.queries
      await expect(db.tx(() => person.count())).rejects.toThrow(/inside a db\.tx\(\) callback/)
    })

    test('work that a transaction only starts may use the root when detached', async () => {
      let later: Promise<unknown> | undefined
      await db.tx(async (tx) => {
        await tx.person.count()
        later = detached(() => db.tx((other) => other.person.count()))
      })
      await expect(later).resolves.toBeTypeOf('number')
    })

    test('a transaction that has ended refuses statements', async () => {
      let kept: Transaction | undefined
      await db.tx(async (tx) => {
        kept = tx
      })
      await expect(sql(kept as Transaction, 'select 1')).rejects.toThrow('a transaction that has ended')
      await expect((kept as Transaction).person.count()).rejects.toThrow()
    })

    test('going on after a failed statement does not look like success', async () => {
      const swallowing = db.tx(async (tx) => {
        await tx.person.create({ data: { id: 'lost', displayName: 'lost', createdAt: at } })
        await sql(tx, 'select 1 / 0').catch(() => undefined)
      })
      await expect(swallowing).rejects.toThrow('nothing of it was stored')
      expect(await db.queries.person.count({ where: { id: 'lost' } })).toBe(0)
    })

    const failOnce = `do $$ begin raise exception 'conflict' using errcode = 'CODE'; end $$`
    test.each(['40001', '40P01'])('SQLSTATE %s runs the transaction again', async (code) => {
      let runs = 0
      const answer = await db.tx(async (tx) => {
        runs += 1
        await execute(tx, 'insert into probe (id) values ($1)', `retry-${code}`)
        if (runs < 3) await execute(tx, failOnce.replace('CODE', code))
        if (runs < 4) await tx.$executeRawUnsafe(failOnce.replace('CODE', code))
        return 'done'
      })
      expect([answer, runs]).toStrictEqual(['done', 4])
    })

    test('after five retries the conflict is the answer', async () => {
      let runs = 0
      const stubborn = db.tx((tx) => {
        runs += 1
        return execute(tx, failOnce.replace('CODE', '40001'))
      })
      await expect(stubborn).rejects.toThrow('conflict')
      expect(runs).toBe(6)
    })

    test('other errors are not retried, and a unique violation is recognised however it came', async () => {
      let runs = 0
      const byModel = await db
        .tx((tx) => {
          runs += 1
          return tx.person.createMany({
            data: [1, 2].map(() => ({ id: 'twice', displayName: '', createdAt: at })),
          })
        })
        .catch((error: unknown) => error)
      const bySql = await execute(db.queries, `insert into probe (id) values ('shared')`).catch(
        (error: unknown) => error,
      )
      expect([runs, isUniqueViolation(byModel), isUniqueViolation(bySql)]).toStrictEqual([1, true, true])
      expect(isUniqueViolation(new Error('other'))).toBe(false)
    })

    test('effects run after the commit, in order, and never after a rollback', async () => {
      const seen: string[] = []
      const effect = vi.fn(async () => {
        seen.push(`count ${await db.queries.person.count({ where: { id: 'effect' } })}`)
      })
      await db.tx(async (tx) => {
        afterCommit(tx, () => seen.push('first'))
        afterCommit(tx, effect)
        afterCommit(tx, () => {
          throw new Error('only logged')
        })
        await tx.person.create({ data: { id: 'effect', displayName: '', createdAt: at } })
        seen.push('inside')
      })
      await vi.waitFor(() => expect(seen).toStrictEqual(['inside', 'first', 'count 1']))

      let runs = 0
      const rolledBack = db.tx(async (tx) => {
        runs += 1
        afterCommit(tx, effect)
        await execute(tx, failOnce.replace('CODE', runs === 1 ? '40001' : 'P0001'))
      })
      await expect(rolledBack).rejects.toThrow('conflict')
      await settle()
      expect([runs, effect.mock.calls.length]).toStrictEqual([2, 1])
    })

    test('bytes are kept once by their SHA-256', async () => {
      const bytes = new Uint8Array(2 * 1024 * 1024).map((_, i) => (i * 7) % 256)
      const [first, second] = [
        await db.tx((tx) => putBlob(tx, bytes)),
        await db.tx((tx) => putBlob(tx, bytes)),
      ]
      expect(first).toBe(second)
      expect(Buffer.compare((await getBlob(db.queries, first)) ?? new Uint8Array(), bytes)).toBe(0)
      expect(await getBlob(db.queries, 'f'.repeat(64))).toBeNull()
      await expect(db.tx((tx) => putBlob(tx, new Uint8Array(bytes.byteLength + 1)))).rejects.toMatchObject({
        code: 'db.blob_too_large',
      })
    })

    test('months get partitions, and rows that were there first move into theirs', async () => {
      const monthMs = Date.UTC(2031, 0, 15)
      const attempt = {
        merchantId: 'm',
        appId: 'a',
        streamId: 's',
        deliveryId: 'd',
        number: 1,
        durationMs: 1,
      }
      const startedAts = [
        monthMs,
        monthStartMs(monthMs, 1) - 1,
        monthStartMs(monthMs, 1),
        monthStartMs(monthMs, 9),
      ]
      await db.queries.attempt.createMany({
        data: startedAts.map((ms, i) => ({
          ...attempt,
          id: `att_${i}`,
          startedAt: new Date(ms),
          outcome: 'failed',
        })),
      })
      await Promise.all([1, 2].map(() => db.tx((tx) => ensurePartitions(tx, monthMs))))
      const rows = await sql(
        db.queries,
        'select tableoid::regclass::text as place from attempt order by started_at',
      )
      expect(rows.map((row) => Object.values(row)[0])).toStrictEqual([
        'attempt_2031_01',
        'attempt_2031_01',
        'attempt_2031_02',
        'attempt_default',
      ])
      const [made] = await sql<{ count: bigint }>(
        db.queries,
        `select count(*) from pg_inherits where inhparent in ('attempt'::regclass, 'access_record'::regclass)`,
      )
      expect(made?.count).toBe(8n)
    })
  })
}
