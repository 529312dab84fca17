import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { makeRecorder } from '../../../src/access-log/index.ts'
import {
  type AppCaller,
  type Call,
  type Caller,
  type Door,
  defineCapability,
  defineOperation,
  makeCatalog,
  makeDoor,
  type PersonCaller,
  schema,
} from '../../../src/capability/index.ts'
import { makeBoundCounters, makeIdempotencyStore, sql } from '../../../src/db/index.ts'
import { deriveKey, newId, StoaError, systemClock, systemRandom } from '../../../src/kernel/index.ts'
import { openTestDatabase, quietLog, type TestDatabase } from '../../support/database.ts'

const ids = { clock: systemClock, random: systemRandom }
const order: string[] = []
let failAfterWrite = false

const name = schema.string({ minLength: 1, maxLength: 20 })

const things = defineCapability({
  id: 'thing',
  summary: 'Things that are publishers’ rows, to have a real table',
  scopes: ['thing:write', 'thing:delete', 'thing:list'].map((scope) => ({
    name: scope,
    title: { en: 'Make things', 'zh-CN': '创建' },
    consent: { en: 'Make things', 'zh-CN': '创建' },
    dataCategory: 'settings',
    sensitivity: 'basic',
  })),
  operations: [
    defineOperation({
      id: 'thing.make',
      summary: 'Make a thing',
      method: 'POST',
      path: '/v1/things',
      audience: 'app',
      access: { kind: 'scope', scope: 'thing:write' },
      kind: 'write',
      input: schema.object({ name }),
      output: schema.object({ id: schema.string({ maxLength: 40 }) }),
      errors: [],
      prepare: () => {
        order.push('prepare')
        return Promise.resolve('prepared')
      },
      async handle({ tx, input, clock, random, prepared }) {
        order.push(`handle after ${prepared}`)
        const id = newId('publisher', { clock, random })
        await sql(
          tx,
          'insert into publisher (id, name, created_by, created_at) values ($1, $2, $3, now())',
          id,
          input.name,
          'nobody',
        )
        if (failAfterWrite) throw new Error('crash after the insert')
        return { id }
      },
    }),
    defineOperation({
      id: 'thing.read_wrong',
      summary: 'Answers what its schema does not allow',
      method: 'GET',
      path: '/v1/wrong',
      audience: 'app',
      access: { kind: 'installation' },
      kind: 'read',
      input: schema.object({}),
      output: schema.object({ id: name }),
      errors: [],
      handle: () => Promise.resolve({ id: '' }),
    }),
    defineOperation({
      id: 'thing.replace',
      summary: 'Needs three scopes',
      method: 'PUT',
      path: '/v1/things',
      audience: 'app',
      access: { kind: 'scope', scope: 'thing:write', further: ['thing:delete', 'thing:list'] },
      kind: 'write',
      input: schema.object({}),
      output: schema.object({}),
      errors: [],
      handle: () => Promise.resolve({}),
    }),
    defineOperation({
      id: 'thing.shop',
      summary: 'For the merchant named',
      method: 'GET',
      path: '/merchant/v1/merchants/{merchantId}/things',
      audience: 'merchant',
      access: { kind: 'merchant', roles: ['owner'] },
      kind: 'read',
      input: schema.object({ merchantId: schema.string({ maxLength: 40 }) }),
      output: schema.object({ tenants: schema.array(schema.string({ maxLength: 40 }), { maxItems: 9 }) }),
      errors: [],
      handle: ({ tenantIds }) => Promise.resolve({ tenants: tenantIds }),
    }),
  ],
})

let database: TestDatabase
let door: Door
let recorder: ReturnType<typeof makeRecorder>

beforeAll(async () => {
  database = await openTestDatabase()
  const { db } = database
  recorder = makeRecorder({ queries: db.queries, log: quietLog, ...ids })
  door = makeDoor({
    catalog: makeCatalog([things]),
    queries: db.queries,
    runInTransaction: (fn) => db.tx(fn),
    publish: () => Promise.reject(new Error('nothing here publishes')),
    recorder,
    idempotency: makeIdempotencyStore({ clock: systemClock, key: deriveKey('test', 'idempotency') }),
    boundCounters: makeBoundCounters(),
    checkRules: (caller) => {
      order.push('rules')
      return Promise.resolve(caller)
    },
    ...ids,
  })
})

afterAll(async () => {
  await recorder.close()
  await database.close()
})

beforeEach(() => {
  order.length = 0
  failAfterWrite = false
})

const installation = { appId: 'app_1', installationId: 'ins_1', merchantId: 'mer_1', grantEpoch: 1 }
const app: AppCaller = {
  kind: 'app',
  appId: 'app_1',
  installation,
  scopes: new Set(['thing:write']),
  bounds: [],
  personId: null,
}
const person: PersonCaller = {
  kind: 'person',
  personId: 'per_1',
  sessionId: null,
  displayName: 'Ann',
  locale: 'en',
  credentialId: null,
  audiences: new Set(['merchant']),
  publishers: new Map(),
  merchants: new Map([
    ['mer_1', 'owner'],
    ['mer_2', 'staff'],
  ]),
  platformRoles: new Set(),
}

function call(caller: Caller, input: unknown, more: Partial<Call> = {}): Call {
  return { caller, input, via: 'rest', requestId: newId('request', ids), ...more }
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(() => 'no error').catch((thrown: unknown) => thrown)
  return error instanceof StoaError ? error.code : String(error)
}

async function thingsNamed(text: string): Promise<number> {
  const rows = await sql(database.db.queries, 'select id from publisher where name = $1', text)
  return rows.length
}

async function recordsOf(requestId: string) {
  await recorder.close()
  return sql<{ outcome: string; code: string | null; merchant_id: string }>(
    database.db.queries,
    'select outcome, code, merchant_id from access_record where request_id = $1',
    requestId,
  )
}

describe('the order never changes', () => {
  test('rules, scope, input, prepare, handle', async () => {
    await door.invoke('thing.make', call(app, { name: 'order' }))
    expect(order).toEqual(['rules', 'prepare', 'handle after prepared'])
  })

  test('a missing scope is refused before the input is looked at', async () => {
    const bare = { ...app, scopes: new Set<string>() }
    const refused = door.invoke('thing.make', call(bare, { wrong: true }))
    await expect(refused).rejects.toMatchObject({
      code: 'capability.permission_not_granted',
      options: { members: { missingScopes: ['thing:write'] } },
    })
    expect(order).toEqual(['rules'])
  })

  test('every missing scope is named at once, and only those', async () => {
    const missing = async (scopes: readonly string[]) => {
      const caller = { ...app, scopes: new Set(scopes) }
      const refused = door.invoke('thing.replace', call(caller, {}))
      const error = await refused.catch((thrown: unknown) => thrown)
      return error instanceof StoaError ? error.options.members?.['missingScopes'] : null
    }
    expect(await missing([])).toEqual(['thing:write', 'thing:delete', 'thing:list'])
    expect(await missing(['thing:delete'])).toEqual(['thing:write', 'thing:list'])
    expect(await missing(['thing:list', 'thing:write', 'thing:delete'])).toBeNull()
  })

  test('a wrong input reaches neither prepare nor handle', async () => {
    expect(await codeOf(door.invoke('thing.make', call(app, { name: '' })))).toBe('capability.invalid_input')
    expect(order).toEqual(['rules'])
  })
})

describe('who may', () => {
  test.each<[string, string, Caller]>([
    ['nobody', 'capability.unauthenticated', { kind: 'anonymous' }],
    ['a person', 'capability.wrong_credential', person],
    ['the host', 'capability.wrong_credential', { kind: 'host' }],
    ['an app without an installation', 'capability.installation_required', { ...app, installation: null }],
  ])('%s is refused where an installation is asked for', async (_who, code, caller) => {
    expect(await codeOf(door.invoke('thing.make', call(caller, { name: 'x' })))).toBe(code)
  })

  test('a tenant in which the role does not allow it, a foreign and a missing one answer alike', async () => {
    const refusals = await Promise.all(
      ['mer_2', 'mer_3', 'nothing'].map((merchantId) =>
        door.invoke('thing.shop', call(person, { merchantId })).catch((error: unknown) => error),
      ),
    )
    for (const refusal of refusals)
      expect(refusal).toMatchObject({ code: 'capability.not_found', message: (refusals[0] as Error).message })
    const { output } = await door.invoke('thing.shop', call(person, { merchantId: 'mer_1' }))
    expect(output).toEqual({ tenants: ['mer_1'] })
  })

  test('a token for another part of the API is refused', async () => {
    const developer = { ...person, audiences: new Set(['developer']) }
    expect(await codeOf(door.invoke('thing.shop', call(developer, { merchantId: 'mer_1' })))).toBe(
      'capability.wrong_credential',
    )
  })
})

describe('one transaction', () => {
  test('a crash after the insert leaves no row, and the failure is recorded', async () => {
    failAfterWrite = true
    const crashing = call(app, { name: 'crash' })
    await expect(door.invoke('thing.make', crashing)).rejects.toThrow('crash after the insert')
    expect(await thingsNamed('crash')).toBe(0)
    expect(await recordsOf(crashing.requestId)).toEqual([
      { outcome: 'failed', code: 'kernel.unexpected', merchant_id: 'mer_1' },
    ])
  })

  test('a write and its record commit together; a denial is recorded too', async () => {
    const good = call(app, { name: 'recorded' })
    await door.invoke('thing.make', good)
    expect(await recordsOf(good.requestId)).toEqual([{ outcome: 'ok', code: null, merchant_id: 'mer_1' }])
    const denied = call({ ...app, scopes: new Set() }, { name: 'x' })
    await codeOf(door.invoke('thing.make', denied))
    expect(await recordsOf(denied.requestId)).toMatchObject([{ outcome: 'denied' }])
  })

  test('an output that breaks its schema is our fault and tells nothing', async () => {
    expect(await codeOf(door.invoke('thing.read_wrong', call(app, {})))).toBe('capability.invalid_output')
  })
})

describe('Idempotency-Key', () => {
  const keyed = (key: string, requestHash: string, text: string, caller: Caller = app) =>
    door.invoke('thing.make', call(caller, { name: text }, { idempotencyKey: key, requestHash }))

  test('twenty at once are one write, and all get its answer', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => keyed('k1', 'h', 'once')))
    expect(await thingsNamed('once')).toBe(1)
    expect(new Set(answers.map(({ output }) => JSON.stringify(output))).size).toBe(1)
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1)
  })

  test('the same key for another request is refused', async () => {
    await keyed('k2', 'h', 'first')
    expect(await codeOf(keyed('k2', 'other', 'second'))).toBe('capability.idempotency_key_reused')
    expect(await thingsNamed('second')).toBe(0)
  })

  test('a write that failed leaves its key free', async () => {
    failAfterWrite = true
    await expect(keyed('k3', 'h', 'retry')).rejects.toThrow()
    failAfterWrite = false
    expect(await keyed('k3', 'h', 'retry')).toMatchObject({ replayed: false, status: 200 })
    expect(await thingsNamed('retry')).toBe(1)
  })

  test('another installation’s key is another key', async () => {
    const other = { ...app, installation: { ...installation, installationId: 'ins_2' } }
    await keyed('k4', 'h', 'mine')
    expect(await keyed('k4', 'h', 'mine', other)).toMatchObject({ replayed: false })
  })

  test('the stored answer is sealed', async () => {
    const { output } = await keyed('k5', 'h', 'sealed')
    const [row] = await sql<{ response: string }>(
      database.db.queries,
      `select response from idempotency where key = 'k5'`,
    )
    expect(row?.response).toMatch(/^v1\./)
    expect(row?.response).not.toContain((output as { readonly id: string }).id)
  })
})
