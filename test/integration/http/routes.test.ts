import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { execute, sql } from '../../../src/db/index.ts'
import { limits } from '../../../src/kernel/index.ts'
import type { ProblemBody } from '../../support/api-client.ts'
import { assertTellsNothing } from '../../support/openapi-check.ts'
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

const order = { lines: [{ name: 'Tea', quantity: 1, unitPrice: { amount: 1, currency: 'CNY' } }] }

/** Sends a request as it stands; gives the first line of the answer. */
function answerTo(text: string): Promise<string> {
  const { hostname, port } = new URL(at.baseUrl)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(text))
    socket.once('data', (chunk) => {
      resolve(chunk.toString('latin1').split('\r\n')[0] ?? '')
      socket.destroy()
    })
    socket.once('error', reject)
  })
}

describe('a request of somebody who may not call', () => {
  test.each(['POST /developer/v1/publishers', 'POST /host/v1/merchants', 'PUT /v1/storage/a'])(
    '%s is refused before its body has come',
    async (line) => {
      const head = [
        `${line} HTTP/1.1`,
        'host: any',
        'content-type: application/json',
        'content-length: 900000',
      ]
      expect(await answerTo(`${head.join('\r\n')}\r\n\r\n{`)).toBe('HTTP/1.1 401 Unauthorized')
    },
  )
})

describe('addresses', () => {
  test.each(['/host\\v1\\merchants#', '/v1\\orders', '/v1/orders#'])(
    '%s has one spelling, and this is none',
    async (path) => {
      const request = [`GET ${path} HTTP/1.1`, 'host: any', `authorization: Bearer ${at.hostKey}`]
      expect(await answerTo(`${request.join('\r\n')}\r\n\r\n`)).toBe('HTTP/1.1 400 Bad Request')
    },
  )

  test.each([
    '/nothing',
    '/v1',
    '/v1/',
    '/v1/nothing',
    '/v1/orders/a/b',
    '/developer/v1/apps/',
    '/docs/nothing',
    '/.env',
  ])('%s is 404 for every method', async (path) => {
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])
      expect((await at.anonymous.refused(method, path, 404)).code).toBe('http.not_found')
  })

  test('every documented address answers 405 to every other method and names its own in Allow', async () => {
    const methodsByPath = new Map<string, string[]>()
    for (const { operation } of at.platform.catalog.operations.values())
      methodsByPath.set(operation.path, [...(methodsByPath.get(operation.path) ?? []), operation.method])
    await leavingNothing(at, async () => {
      for (const [path, methods] of methodsByPath) {
        const others = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].filter(
          (m) => !methods.includes(m),
        )
        for (const method of others) {
          const { status, headers } = await at.host.request(method, fill(path, mine.ids))
          expect(status, `${method} ${path}`).toBe(405)
          const allowed = methods.flatMap((m) => (m === 'GET' ? ['GET', 'HEAD'] : [m]))
          expect(headers['allow'], path).toBe(allowed.join(', '))
        }
      }
    })
  })

  test('pages, files and numbers refuse other methods too', async () => {
    for (const path of ['/', '/m', '/assets/stoa.css', '/types/stoa.d.ts', '/metrics']) {
      const { status, headers } = await at.anonymous.request('PUT', path)
      expect([status, headers['allow']], path).toEqual([405, 'GET, HEAD'])
    }
  })

  test('HEAD answers as GET does, without the body', async () => {
    const { status, text, headers } = await at.anonymous.request('HEAD', '/healthz')
    expect([status, text, headers['content-type']]).toEqual([200, '', 'application/json; charset=utf-8'])
  })

  test('the style sheet, the type declarations and the numbers are served as what they are', async () => {
    const css = await at.anonymous.request('GET', '/assets/stoa.css')
    expect(css.headers['content-type']).toBe('text/css; charset=utf-8')
    const types = await at.anonymous.request('GET', '/types/stoa.d.ts')
    expect(types.text).toContain('declare function on')
    const metrics = await at.anonymous.request('GET', '/metrics')
    expect(metrics.text).toContain('stoa_operation_seconds_count{operation="platform.health",status="200"}')
  })
})

test('every answer of the API forbids everything a page could do with it, and is never kept', async () => {
  for (const path of ['/healthz', '/v1/orders', '/nothing']) {
    const { headers } = await at.anonymous.request('GET', path)
    expect(headers, path).toMatchObject({
      'content-security-policy': "default-src 'none';frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'strict-transport-security': expect.stringContaining('max-age='),
      'request-id': expect.stringMatching(/^req_/),
    })
    expect(headers['x-powered-by']).toBeUndefined()
    expect(headers['access-control-allow-origin']).toBeUndefined()
    if (path !== '/nothing') expect(headers['cache-control']).toBe('no-store')
  }
})

describe('Idempotency-Key', () => {
  const create = (key: string, json: unknown = order, path = orders) =>
    at.host.request<{ id: string } & ProblemBody>('POST', path, { json, headers: { 'idempotency-key': key } })

  async function countOrders(): Promise<number> {
    const rows = await sql(
      at.db.queries,
      'select id from "order" where merchant_id = $1',
      mine.ids['merchantId'] ?? '',
    )
    return rows.length
  }

  test('a replayed request answers the same, writes once and says that it was replayed', async () => {
    const before = await countOrders()
    const [first, second] = [await create('k1'), await create('k1')]
    expect([first.status, second.status, second.text]).toEqual([201, 201, first.text])
    expect([first.headers['idempotency-replayed'], second.headers['idempotency-replayed']]).toEqual([
      undefined,
      'true',
    ])
    expect(await countOrders()).toBe(before + 1)
  })

  test('ten at once are one order', async () => {
    const before = await countOrders()
    const answers = await Promise.all(Array.from({ length: 10 }, () => create('k2')))
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    expect(await countOrders()).toBe(before + 1)
  })

  test('with another body or for another address it is refused and writes nothing', async () => {
    const { body } = await create('k3')
    await leavingNothing(at, async () => {
      const otherBody = await create('k3', { ...order, externalId: 'other' })
      const otherAddress = await create('k3', {}, `${orders}/${body.id}:pay`)
      for (const { status, body: problem } of [otherBody, otherAddress])
        expect([status, problem.code]).toEqual([422, 'capability.idempotency_key_reused'])
    })
  })

  test('a request that was refused leaves its key free', async () => {
    expect((await create('k4', { lines: [] })).status).toBe(400)
    expect((await create('k4')).status).toBe(201)
  })

  test('an answer without a body is replayed as one', async () => {
    const path = '/v1/storage/replayed'
    const remove = () => mine.clients.app.request('DELETE', path, { headers: { 'idempotency-key': 'k5' } })
    const [first, second] = [await remove(), await remove()]
    expect([first.status, second.status, second.headers['idempotency-replayed']]).toEqual([204, 204, 'true'])
  })

  test('a secret that is shown once is shown again only to the replay of its own request', async () => {
    const person = await at.person()
    const make = () =>
      mine.clients.developer.request<{ clientSecret: string }>('POST', '/developer/v1/apps', {
        json: { publisherId: mine.ids['publisherId'], name: 'Replayed', class: 'backend' },
        headers: { 'idempotency-key': 'k6' },
      })
    const [first, second] = [await make(), await make()]
    expect(second.body.clientSecret).toBe(first.body.clientSecret)
    const other = await person.api.request('POST', '/developer/v1/publishers', {
      json: { name: 'Mine' },
      headers: { 'idempotency-key': 'k6' },
    })
    expect(other.headers['idempotency-replayed']).toBeUndefined()
    const rows = await sql(at.db.queries, 'select response from idempotency')
    expect(JSON.stringify(rows)).not.toContain(first.body.clientSecret)
  })

  test('after a day the key is free again', async () => {
    await create('k7')
    at.clock.advance(limits.idempotencyKeptMs + 1)
    expect((await create('k7')).headers['idempotency-replayed']).toBeUndefined()
  })

  test('a key that is too long is refused', async () => {
    expect(await create('x'.repeat(256))).toMatchObject({
      status: 400,
      body: { code: 'capability.invalid_input' },
    })
  })
})

describe('a failure of ours tells nothing', () => {
  /** A crash in the middle of a handler: the table is gone. */
  async function without<T>(table: string, work: () => Promise<T>): Promise<T> {
    await execute(at.db.queries, `alter table "${table}" rename to "${table}_gone"`)
    try {
      return await work()
    } finally {
      await execute(at.db.queries, `alter table "${table}_gone" rename to "${table}"`)
    }
  }

  test('in a read', async () => {
    const problem = await without('order', () =>
      at.bearer(mine.accessToken).request<ProblemBody>('GET', '/v1/orders'),
    )
    // The token may have expired while earlier tests moved the clock; then another read stands for it.
    const { body } =
      problem.status === 401
        ? await without('merchant', () => at.host.request<ProblemBody>('GET', '/host/v1/merchants'))
        : problem
    expect(body).toEqual({
      type: '/docs/errors#kernel.unexpected',
      title: 'Something went wrong on our side',
      detail: 'Something went wrong on our side',
      status: 500,
      code: 'kernel.unexpected',
      requestId: expect.stringMatching(/^req_/),
    })
  })

  test('in a write, of which nothing stays', async () => {
    await leavingNothing(at, async () => {
      const problem = await without('event', () => at.host.refused('POST', orders, 500, { json: order }))
      expect(problem).toMatchObject({ code: 'kernel.unexpected', detail: 'Something went wrong on our side' })
    })
  })

  test('in authentication', async () => {
    const problem = await without('personal_token', () =>
      mine.clients.account.refused('GET', '/account/v1/me', 500),
    )
    expect(problem.code).toBe('kernel.unexpected')
  })

  test('in a page, which stays a page', async () => {
    const browser = at.browser(mine.merchant.owner)
    const page = await without('merchant_membership', () => browser.open('/m'))
    expect(page.status).toBe(500)
    expect(page.html).toContain('Something went wrong on our side')
    expect(page.html).toContain('kernel.unexpected')
    assertTellsNothing(page.html)
  })
})
