import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CompiledOperation } from '../../../src/capability/index.ts'
import { takesJsonBody } from '../../../src/capability/index.ts'
import { limits } from '../../../src/kernel/index.ts'
import type { ProblemBody } from '../../support/api-client.ts'
import { startTestPlatform, type TestPlatform } from '../../support/platform.ts'
import { leavingNothing } from '../../support/row-counts.ts'
import { fill, makeTenant, type Tenant } from './tenants.ts'

let at: TestPlatform
let mine: Tenant
let orders: string

beforeAll(async () => {
  at = await startTestPlatform()
  mine = await makeTenant(at)
  orders = `/host/v1/merchants/${mine.ids['merchantId']}/orders`
})
afterAll(() => at.close())

const json = { 'content-type': 'application/json' }
const line = { name: 'Tea', quantity: 1, unitPrice: { amount: 1, currency: 'CNY' } }

function operations(of: (compiled: CompiledOperation) => boolean): readonly CompiledOperation[] {
  return [...at.platform.catalog.operations.values()].filter(of)
}

function bodyMembers({ operation, pathMembers }: CompiledOperation): readonly (readonly [string, object])[] {
  const properties = Object.entries((operation.input.json['properties'] ?? {}) as Record<string, object>)
  return properties.filter(([name]) => !pathMembers.includes(name))
}

function sendTo({ operation }: CompiledOperation, raw: string | Uint8Array, headers = json) {
  const path = fill(operation.path, mine.ids)
  return mine.clients[operation.audience].request<ProblemBody>(operation.method, path, { raw, headers })
}

/** A value that no schema with this type accepts. */
function wrong(schema: object): unknown {
  return 'type' in schema && schema.type === 'object' ? 7 : { wrong: 'type' }
}

describe('every operation that takes JSON', () => {
  const takers = () => operations(({ operation }) => takesJsonBody(operation) && operation.method !== 'GET')

  test('refuses a body that is not JSON', async () => {
    await leavingNothing(at, async () => {
      for (const compiled of takers()) {
        const { status, body } = await sendTo(compiled, '{"name": ')
        expect([status, body.code], compiled.operation.id).toEqual([400, 'capability.malformed_body'])
      }
    })
  })

  test('names every member of a wrong type by a pointer, all in one answer', async () => {
    await leavingNothing(at, async () => {
      for (const compiled of takers()) {
        const members = bodyMembers(compiled).filter(([, schema]) => Object.keys(schema).length > 1)
        if (members.length === 0) continue
        const body = Object.fromEntries(members.map(([name, schema]) => [name, wrong(schema)]))
        const { status, body: problem } = await sendTo(compiled, JSON.stringify(body))
        expect([status, problem.code], compiled.operation.id).toEqual([400, 'capability.invalid_input'])
        const pointers = problem.errors?.map(({ pointer }) => pointer.split('/')[1])
        for (const [name] of members) expect(pointers, compiled.operation.id).toContain(name)
      }
    })
  })

  test('refuses a member it does not know', async () => {
    await leavingNothing(at, async () => {
      for (const compiled of takers()) {
        const { status, body } = await sendTo(compiled, '{"never/heard~of":1}')
        expect([status, body.code], compiled.operation.id).toEqual([400, 'capability.invalid_input'])
        expect(body.errors, compiled.operation.id).toContainEqual({
          pointer: '/never~1heard~0of',
          code: 'additionalProperties',
          message: 'unknown member "never/heard~of"',
        })
      }
    })
  })
})

describe('a body is refused, and leaves no row, when it is', () => {
  const deep = (levels: number) => `${'{"a":'.repeat(levels - 1)}{}${'}'.repeat(levels - 1)}`
  const order = (change: object) => JSON.stringify({ lines: [{ ...line, ...change }] })

  test.each<[string, string | Uint8Array, Record<string, string>, number, string]>([
    ['an array', '[]', json, 400, 'capability.malformed_body'],
    ['a bare value', '"lines"', json, 400, 'capability.malformed_body'],
    ['null', 'null', json, 400, 'capability.malformed_body'],
    [
      'not UTF-8',
      Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
      json,
      400,
      'capability.malformed_body',
    ],
    ['deeper than 32 levels', deep(33), json, 400, 'capability.malformed_body'],
    ['as deep as it is long', '['.repeat(1_000_000), json, 400, 'capability.malformed_body'],
    [
      'larger than 1 MiB',
      `{"a":"${'x'.repeat(limits.requestBodyBytesMax)}"}`,
      json,
      413,
      'capability.body_too_large',
    ],
    [
      'compressed',
      Buffer.from('1f8b0800', 'hex'),
      { ...json, 'content-encoding': 'gzip' },
      415,
      'capability.unsupported_media_type',
    ],
    [
      'a form',
      'lines=1',
      { 'content-type': 'application/x-www-form-urlencoded' },
      415,
      'capability.unsupported_media_type',
    ],
    ['text', order({}), { 'content-type': 'text/plain' }, 415, 'capability.unsupported_media_type'],
    [
      'of no media type',
      Buffer.from(order({})),
      { 'content-type': '' },
      415,
      'capability.unsupported_media_type',
    ],
    ['with U+0000 in a text', order({ name: 'a\u0000b' }), json, 400, 'capability.invalid_input'],
    [
      'with half a surrogate pair in a text',
      order({}).replace('Tea', '\\ud800'),
      json,
      400,
      'capability.invalid_input',
    ],
    ['with __proto__', `{"__proto__":{"lines":[]},"lines":[]}`, json, 400, 'capability.invalid_input'],
    [
      'with a number beyond the safe integers',
      order({ quantity: 1e300 }),
      json,
      400,
      'capability.invalid_input',
    ],
    [
      'with a total beyond the safe integers',
      order({ quantity: 100_000, unitPrice: { amount: 9e15, currency: 'CNY' } }),
      json,
      422,
      'order.lines_refused',
    ],
  ])('%s', async (_what, raw, headers, status, code) => {
    await leavingNothing(at, async () => {
      const problem = await at.host.refused('POST', orders, status, { raw, headers })
      expect(problem.code).toBe(code)
    })
  })

  test('and one of exactly 32 levels or with a real surrogate pair is read', async () => {
    const deepest = await at.host.refused('POST', orders, 400, { raw: deep(32), headers: json })
    expect(deepest.code).toBe('capability.invalid_input')
    const emoji = await at.host.request('POST', orders, { raw: order({ name: 'Tea 🍵' }), headers: json })
    expect(emoji).toMatchObject({ status: 201, body: { lines: [{ name: 'Tea 🍵' }] } })
  })

  test('nested problems have nested pointers', async () => {
    const body = { lines: [line, { name: '', quantity: '1', unitPrice: { amount: 1.5, currency: 'yuan' } }] }
    const { errors = [] } = await at.host.refused('POST', orders, 400, { json: body })
    expect(errors.map(({ pointer, code }) => `${pointer} ${code}`).toSorted()).toEqual([
      '/lines/1/name minLength',
      '/lines/1/quantity type',
      '/lines/1/unitPrice/amount type',
      '/lines/1/unitPrice/currency maxLength',
      '/lines/1/unitPrice/currency pattern',
    ])
  })
})

describe('a query is refused, with a pointer, when', () => {
  test.each<[string, string, string]>([
    ['a limit is no number', 'limit=many', '/limit'],
    ['a limit is zero', 'limit=0', '/limit'],
    ['a limit is beyond the largest page', 'limit=201', '/limit'],
    ['a member is given twice', 'limit=1&limit=2', '/limit'],
    ['a member is unknown', 'sort=asc', '/sort'],
    ['a value is not one of the listed', 'state=lost', '/state'],
    ['a cursor is not one of ours', 'after=abc', '/after'],
    [
      'a cursor holds U+0000',
      `after=${Buffer.from('2026-01-01T00:00:00.000Z|a\u0000').toString('base64url')}`,
      '/after',
    ],
    [
      'a cursor is before all time',
      `after=${Buffer.from('-271821-04-20T00:00:00.000Z|ord').toString('base64url')}`,
      '/after',
    ],
    ['a text holds U+0000', 'after=%00', '/after'],
  ])('%s', async (_what, query, pointer) => {
    const problem = await mine.clients.app.refused('GET', `/v1/orders?${query}`, 400)
    expect(problem.code).toBe('capability.invalid_input')
    expect(problem.errors?.map((error) => error.pointer)).toContain(pointer)
  })

  test('every list refuses a cursor that is not its own', async () => {
    const lists = operations(
      ({ operation }) =>
        operation.method === 'GET' && 'after' in (operation.input.json['properties'] as object),
    )
    expect(lists.length).toBeGreaterThan(10)
    for (const { operation } of lists) {
      const path = fill(operation.path, mine.ids)
      for (const after of ['%00', 'x'.repeat(300), "'--"]) {
        const { status, text } = await mine.clients[operation.audience].request(
          'GET',
          `${path}?after=${after}`,
        )
        // A key of the storage is any text, so every text is a place in that list.
        const expected = operation.id === 'storage.list' && after === "'--" ? 200 : 400
        expect(status, `${operation.id} ${after} ${text}`).toBe(expected)
      }
    }
  })
})

test('a path that is no UTF-8 is refused', async () => {
  const problem = await mine.clients.app.refused('GET', '/v1/orders/%E0%A4%A', 400)
  expect(problem.code).toBe('http.bad_request')
})

describe('a package is refused, and leaves no row, when it is', () => {
  const zip = { 'content-type': 'application/zip' }
  test.each<[string, string | Uint8Array, Record<string, string>, number, string]>([
    ['not a ZIP', 'PK, I promise', zip, 422, 'registry.package_refused'],
    ['larger than 2 MiB', new Uint8Array(limits.packageBytesMax + 1), zip, 413, 'capability.body_too_large'],
    ['of another media type', '{}', json, 415, 'capability.unsupported_media_type'],
    ['empty', '', zip, 422, 'registry.package_refused'],
  ])('%s', async (_what, raw, headers, status, code) => {
    await leavingNothing(at, async () => {
      const path = `/developer/v1/apps/${mine.ids['appId']}/versions`
      expect((await mine.clients.developer.refused('POST', path, status, { raw, headers })).code).toBe(code)
    })
  })
})
