import { Validator } from '@seriousme/openapi-schema-validator'
import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Exchange, makeOpenApiCheck } from '../../support/openapi-check.ts'
import { startTestPlatform, type TestPlatform } from '../../support/platform.ts'

type Json = Readonly<Record<string, unknown>>
type OperationObject = {
  readonly operationId: string
  readonly summary: string
  readonly security: readonly object[]
  readonly parameters: readonly { readonly name: string; readonly in: string }[]
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, Json>> }>>
}

let at: TestPlatform

beforeAll(async () => {
  at = await startTestPlatform()
})
afterAll(() => at.close())

function operations(): readonly (readonly [path: string, method: string, operation: OperationObject])[] {
  const paths = Object.entries(at.openApi['paths'] as Record<string, Record<string, OperationObject>>)
  return paths.flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => [path, method, operation] as const),
  )
}

describe('/openapi.json', () => {
  test('is valid OpenAPI 3.1', async () => {
    const result = await new Validator().validate(structuredClone(at.openApi) as never)
    expect(result).toEqual({ valid: true })
    expect(at.openApi['openapi']).toBe('3.1.0')
  })

  test('describes every operation of the catalogue, each once', () => {
    const documented = operations().map(([, , { operationId }]) => operationId)
    expect(documented.toSorted()).toEqual([...at.platform.catalog.operations.keys()].toSorted())
  })

  test('names every member of a path as a parameter', () => {
    for (const [path, method, { parameters }] of operations()) {
      const inPath = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name)
      const members = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      expect(inPath.toSorted(), `${method} ${path}`).toEqual(members.toSorted())
    }
  })

  test('says of every error which codes it may carry', () => {
    for (const [path, method, { responses }] of operations()) {
      for (const [status, response] of Object.entries(responses)) {
        if (Number(status) < 400) continue
        const schema = response.content?.['application/problem+json']?.['schema'] as Json
        expect(JSON.stringify(schema), `${method} ${path} ${status}`).toMatch(/"enum":\["[a-z_]+\.[a-z_]+"/)
      }
    }
  })

  test('offers a credential for every operation that is not public', () => {
    for (const [path, , { security }] of operations()) {
      const { operation } = [...at.platform.catalog.operations.values()].find(
        (compiled) => compiled.operation.path === path,
      ) ?? { operation: null }
      expect(operation, path).not.toBeNull()
      if (operation?.access.kind !== 'public') expect(security, path).not.toEqual([])
    }
  })

  test('has no address of our own machine but the public one', () => {
    expect(at.openApi['servers']).toEqual([{ url: at.baseUrl }])
  })
})

test('a client finds the authorization server from the resource’s identifier alone (RFC 9728)', async () => {
  const resource = new URL(`${at.baseUrl}/v1`)
  const options = { [oauth.allowInsecureRequests]: true }
  const metadata = await oauth.processResourceDiscoveryResponse(
    resource,
    await oauth.resourceDiscoveryRequest(resource, options),
  )
  expect(metadata.authorization_servers).toEqual([at.baseUrl])
  const challenge = (await at.anonymous.request('GET', '/v1/orders')).headers['www-authenticate']
  expect(challenge).toContain(
    `Bearer resource_metadata="${at.baseUrl}/.well-known/oauth-protected-resource/v1"`,
  )
})

describe('the check that every answer passes fails on', () => {
  const ok: Exchange = {
    method: 'GET',
    path: '/healthz',
    status: 200,
    contentType: 'application/json; charset=utf-8',
    allow: null,
    text: '{"status":"ok"}',
  }
  const problem = {
    type: '/docs/errors#capability.invalid_input',
    title: 'x',
    status: 400,
    detail: 'y',
    code: 'capability.invalid_input',
  }
  const order = { ...ok, path: '/v1/orders/ord_1' }
  const refusal = {
    ...order,
    status: 400,
    contentType: 'application/problem+json',
    text: JSON.stringify(problem),
  }
  const withProblem = (change: object) => ({ ...refusal, text: JSON.stringify({ ...problem, ...change }) })

  test('nothing that is as documented', () => {
    expect(() => at.check(ok)).not.toThrow()
    expect(() => at.check(refusal)).not.toThrow()
    expect(() => at.check({ ...ok, path: '/m', contentType: 'text/html', text: '<p>' })).not.toThrow()
  })

  test.each<[string, Exchange, RegExp]>([
    ['an undocumented status', { ...order, status: 418 }, /the status is not documented/],
    ['an undocumented address', { ...ok, path: '/secret' }, /the address is not documented/],
    [
      'an undocumented method that is not refused',
      { ...ok, method: 'POST' },
      /not documented and not refused/,
    ],
    [
      'a refused method without a full Allow',
      {
        ...withProblem({ status: 405, code: 'capability.method_not_allowed' }),
        method: 'DELETE',
        status: 405,
        allow: 'POST',
      },
      /Allow does not name get/,
    ],
    [
      'an undocumented media type',
      { ...order, contentType: 'text/html', text: '<p>' },
      /media type text\/html/,
    ],
    [
      'a body that is not as described',
      { ...order, text: '{"id":"ord_1"}' },
      /not what \/openapi\.json says/,
    ],
    [
      'a body where none is documented',
      { ...ok, method: 'DELETE', path: '/v1/storage/a', status: 204 },
      /a body where none/,
    ],
    ['an error that is no problem document', { ...refusal, text: '{}' }, /must have required property/],
    [
      'a code that this operation does not declare',
      withProblem({ code: 'install.not_found' }),
      /allowed values/,
    ],
    ['another status in the body', withProblem({ status: 401 }), /another status/],
    ['a stack trace', withProblem({ detail: 'x\n    at handle (/srv/a.ts:1:2)' }), /tells too much/],
    ['a statement', withProblem({ detail: 'select id from person where 1=1' }), /tells too much/],
    ['a file of the server', withProblem({ detail: 'ENOENT /work/main/src/x' }), /tells too much/],
  ])('%s', (_what, exchange, message) => {
    expect(() => at.check(exchange)).toThrow(message)
  })

  test('a body that one operation’s document forbids, though it is JSON', () => {
    const check = makeOpenApiCheck({
      paths: {
        '/a': {
          get: { responses: { 200: { content: { 'application/json': { schema: { type: 'integer' } } } } } },
        },
      },
      components: { schemas: { Problem: {} } },
    })
    expect(() => check({ ...ok, path: '/a', text: '1' })).not.toThrow()
    expect(() => check({ ...ok, path: '/a', text: '"1"' })).toThrow(/must be integer/)
  })
})
