import { Validator } from '@seriousme/openapi-schema-validator'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { hostCapabilities } from '../../../src/capabilities/index.ts'
import {
  type Capability,
  compile,
  defineCapability,
  defineEventType,
  defineOperation,
  makeCatalog,
  type Scope,
  schema,
  toDeclarations,
  toOpenApi,
} from '../../../src/capability/index.ts'

const thingRead: Scope = {
  name: 'thing:read',
  title: { en: 'See things', 'zh-CN': '查看' },
  consent: { en: 'See your things', 'zh-CN': '查看您的东西' },
  dataCategory: 'settings',
  sensitivity: 'basic',
}

const getThing = {
  id: 'thing.get',
  summary: 'Read a thing',
  method: 'GET',
  path: '/v1/things/{thingId}',
  audience: 'app',
  access: { kind: 'scope', scope: 'thing:read' },
  kind: 'read',
  input: schema.object({ thingId: schema.string({ maxLength: 10 }) }),
  output: schema.object({ thingId: schema.string({ maxLength: 10 }) }),
  errors: [],
  hostFunction: 'get',
  handle: ({ input }: { readonly input: { readonly thingId: string } }) => Promise.resolve(input),
} as const

const thingMade = defineEventType({
  type: 'thing.made',
  version: 1,
  summary: { en: 'A thing was made', 'zh-CN': '已创建' },
  scope: 'thing:read',
  subject: 'the thing',
  data: schema.object({ thingId: schema.string({ maxLength: 10 }) }),
  example: { thingId: 'a' },
})

function catalogOf(change: Partial<Capability> & { readonly operation?: object }) {
  const { operation, ...rest } = change
  const capability = defineCapability({
    id: 'thing',
    summary: 'Things',
    scopes: [thingRead],
    eventTypes: [thingMade],
    operations: [defineOperation({ ...getThing, ...operation } as typeof getThing)],
    ...rest,
  })
  return makeCatalog([capability])
}

describe('the catalogue refuses to start with', () => {
  const second = defineOperation({ ...getThing, id: 'thing.other', hostFunction: 'other' })
  test.each<[string, () => unknown, RegExp]>([
    [
      'two operations of one id',
      () =>
        catalogOf({
          operations: [
            defineOperation(getThing),
            defineOperation({ ...getThing, path: '/v1/other/{thingId}' }),
          ],
        }),
      /twice/,
    ],
    [
      'two operations on one path',
      () => catalogOf({ operations: [defineOperation(getThing), second] }),
      /path .* twice/,
    ],
    [
      'two scopes of one name',
      () => catalogOf({ scopes: [thingRead, thingRead] }),
      /scope thing:read is declared twice/,
    ],
    [
      'a scope without a Chinese text',
      () => catalogOf({ scopes: [{ ...thingRead, consent: { en: 'x', 'zh-CN': ' ' } }] }),
      /lacks a text/,
    ],
    [
      'a scope that is not noun:verb',
      () => catalogOf({ scopes: [thingRead, { ...thingRead, name: 'things' }] }),
      /noun:verb/,
    ],
    [
      'an operation of an unknown scope',
      () => catalogOf({ operation: { access: { kind: 'scope', scope: 'x:y' } } }),
      /unknown scope/,
    ],
    [
      'an operation outside its audience’s path',
      () => catalogOf({ operation: { path: '/host/v1/things/{thingId}' } }),
      /not below/,
    ],
    [
      'access that does not fit the audience',
      () => catalogOf({ operation: { access: { kind: 'host' } } }),
      /does not fit/,
    ],
    [
      'a path member that is no input',
      () => catalogOf({ operation: { path: '/v1/things/{other}' } }),
      /no member/,
    ],
    ['a GET that writes', () => catalogOf({ operation: { kind: 'write' } }), /GET must not write/],
    [
      'a host function for people',
      () =>
        catalogOf({
          operation: { audience: 'host', path: '/host/v1/things/{thingId}', access: { kind: 'host' } },
        }),
      /host function/,
    ],
    [
      'an event of an unknown scope',
      () => catalogOf({ eventTypes: [{ ...thingMade, scope: 'x:y' }] }),
      /unknown scope/,
    ],
    [
      'an event whose resource no app can read',
      () => catalogOf({ eventTypes: [{ ...thingMade, resourcePath: '/v1/other/{subject}' }] }),
      /thing\.made: no app can GET \/v1\/other/,
    ],
    [
      'an event with a scope for a field it has not',
      () => catalogOf({ eventTypes: [{ ...thingMade, fieldScopes: { owner: 'thing:read' } }] }),
      /no member owner/,
    ],
    [
      'an event example that is none',
      () => catalogOf({ eventTypes: [{ ...thingMade, example: { thingId: 1 } }] }),
      /example/,
    ],
  ])('%s', (_name, make, message) => {
    expect(make).toThrow(message)
  })
})

test('an event may lead to what an app can read', () => {
  const { eventTypes } = catalogOf({ eventTypes: [{ ...thingMade, resourcePath: '/v1/things/{subject}' }] })
  expect(eventTypes.get('thing.made')?.resourcePath).toBe('/v1/things/{subject}')
})

test('the OpenAPI document of the host’s capabilities is valid OpenAPI 3.1', async () => {
  const document = toOpenApi(makeCatalog(hostCapabilities), {
    publicUrl: 'https://open.example.com',
    version: '1',
  })
  const result = await new Validator().validate(structuredClone(document) as never)
  expect(result).toEqual({ valid: true })
  expect(document['openapi']).toBe('3.1.0')
})

test('the .d.ts for mini-program authors compiles, and a wrong call in it does not', () => {
  const declarations = toDeclarations(makeCatalog(hostCapabilities))
  const program = (body: string) => {
    const files = new Map([
      ['/stoa.d.ts', declarations],
      ['/handlers.ts', `on('order.paid', async (event, stoa) => { ${body} })`],
    ])
    const options = { strict: true, noEmit: true, lib: ['lib.es2023.d.ts'], types: [], skipLibCheck: false }
    const host = ts.createCompilerHost(options)
    const readSource = host.getSourceFile.bind(host)
    host.getSourceFile = (name, language) => {
      const text = files.get(name)
      return text === undefined ? readSource(name, language) : ts.createSourceFile(name, text, language)
    }
    const compiled = ts.createProgram([...files.keys()], options, host)
    return ts
      .getPreEmitDiagnostics(compiled)
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
  }
  expect(
    program(
      'const order = await stoa.order.get({ orderId: event.data.orderId }); const n: number = order.total.amount; await stoa.storage.set({ key: "n", value: n })',
    ),
  ).toEqual([])
  expect(program('await stoa.order.get({ orderId: 1 })')).not.toEqual([])
  expect(program('await stoa.order.burn({})')).not.toEqual([])
})

describe('compiled schemas', () => {
  test('all problems in one answer, each with a pointer', () => {
    const check = compile(
      schema.object({
        name: schema.string({ maxLength: 3 }),
        lines: schema.array(schema.object({ quantity: schema.integer({ minimum: 1, maximum: 9 }) }), {
          maxItems: 2,
        }),
      }).json,
    )
    const problems = check({ lines: [{ quantity: 0 }, { quantity: '1' }], 'a/b': 1 })
    expect(problems.map(({ pointer, code }) => [pointer, code]).sort()).toEqual([
      ['/a~1b', 'additionalProperties'],
      ['/lines/0/quantity', 'minimum'],
      ['/lines/1/quantity', 'type'],
      ['/name', 'required'],
    ])
  })

  test('text from a query becomes a number, text in a body does not', () => {
    const { json } = schema.object({ limit: schema.integer({ minimum: 1, maximum: 9 }) })
    expect(compile(json, { coerce: true })({ limit: '5' })).toEqual([])
    expect(compile(json)({ limit: '5' })).toHaveLength(1)
  })

  test.each([
    '2026-11-22T03:04:05Z',
    '2026-11-22T03:04:05.123+08:00',
    '2024-02-29T23:59:59-11:30',
    '2026-12-31t23:59:59z',
  ])('%s is a time', (value) => {
    expect(compile(schema.time().json)(value)).toEqual([])
  })

  test.each([
    '2026-11-22',
    '2026-13-22T03:04:05Z',
    '2024-02-30T00:00:00Z',
    '2023-02-29T00:00:00Z',
    '2026-04-31T23:59:59+08:00',
    '2026-11-22T24:00:00Z',
    'yesterday',
    'Sun, 22 Nov 2026',
  ])('%s is no time', (value) => {
    expect(compile(schema.time().json)(value)).toHaveLength(1)
  })
})
