import { randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { execute } from '../../../src/db/index.ts'
import { limits } from '../../../src/kernel/index.ts'
import { dpopHeaders } from '../../support/dpop.ts'
import { startReceiver } from '../../support/test-receiver.ts'
import { watchStatements } from '../../support/watch-statements.ts'
import { openSocket, refusedSocket, type SocketOptions } from './socket-client.ts'
import { appToken, boundAppToken, type Installed, openStreamWorld, type StreamWorld, until } from './world.ts'

let world: StreamWorld
// The times of a socket are an argument; only what a test waits for is shorter than in life.
const timing = { pingMs: 200, pongMs: 400, recheckMs: limits.socketRecheckMs, stuckMs: 700, closeMs: 300 }

beforeAll(async () => {
  world = await openStreamWorld({ socketTiming: timing })
})
afterAll(() => world.close())

const open = ({ token }: Pick<Installed, 'token'>, options: SocketOptions = {}) =>
  openSocket(world.at.baseUrl, token, options)
const refused = (token: string | null, options: SocketOptions = {}) =>
  refusedSocket(world.at.baseUrl, token, options)
const ack = (sequence: unknown) => JSON.stringify({ type: 'ack', sequence })

async function addEndpoint({ app }: Installed, url: string): Promise<void> {
  const path = `/developer/v1/apps/${app.appId}/endpoints`
  await app.publisher.owner.api.call('POST', path, { url })
}

describe('a socket', () => {
  test('gets what the webhooks get: the same ids, sequences and texts', async () => {
    const installed = await world.install()
    const receiver = await startReceiver()
    await addEndpoint(installed, receiver.url)
    await world.payAndRelay(installed.merchant, 2)
    const client = await open(installed)
    await client.until('what was there', ({ items }) => items.length === 2)
    await world.payAndRelay(installed.merchant, 2)
    await client.until('what has come since', ({ items }) => items.length === 4)
    await world.at.platform.events.drainNow()
    const webhooks = receiver.requests.map(({ headers, body }) => ({
      ...{ sequence: Number(headers['webhook-sequence']), eventId: headers['webhook-id'], body },
    }))
    const messages = client.items.map(({ sequence, eventId, body }) => ({ sequence, eventId, body }))
    expect(messages).toEqual(webhooks.toSorted((a, b) => a.sequence - b.sequence))
    expect(client.items).toEqual((await world.read(installed, '?after=0')).data)
    client.ws.close()
    await receiver.close()
  })

  test('begins at the cursor, or after the sequence it names', async () => {
    const installed = await world.install()
    await world.payAndRelay(installed.merchant, 4)
    await world.acknowledge(installed, 2)
    const [atCursor, after] = [await open(installed), await open(installed, { query: '?after=3' })]
    await atCursor.until('both', ({ items }) => items.length === 2)
    await after.until('one', ({ items }) => items.length === 1)
    expect(atCursor.items.map(({ sequence }) => sequence)).toEqual([3, 4])
    expect(after.items.map(({ sequence }) => sequence)).toEqual([4])
    for (const { ws } of [atCursor, after]) ws.close()
  })

  test('acknowledges as pull does, and hears how far', async () => {
    const installed = await world.install()
    await world.payAndRelay(installed.merchant, 3)
    const client = await open(installed)
    await client.until('all three', ({ items }) => items.length === 3)
    client.send(ack(2))
    await client.until('the answer', ({ acked }) => acked.length === 1)
    expect(client.acked).toEqual([2])
    expect((await world.read(installed)).cursor).toBe(2)
    for (let i = 0; i < 200; i += 1) client.send(ack(i % 2 === 0 ? 1 : 3))
    await client.until('the last answer', ({ acked }) => acked.at(-1) === 3)
    // Many that come while one is noted are one more.
    expect(client.acked.length).toBeLessThan(100)
    client.ws.close()
  })

  test('of a partition gets its merchants, and all partitions together each delivery once', async () => {
    const installed = await world.install()
    const clients = await Promise.all(
      [0, 1, 2].map((index) => open(installed, { query: `?partition=${index}/3` })),
    )
    const merchants = [installed.merchant]
    for (let i = 0; i < 5; i += 1) merchants.push(await world.installMore(installed.app))
    for (const merchant of merchants) await world.payAndRelay(merchant, 2)
    const count = () => clients.reduce((sum, { items }) => sum + items.length, 0)
    await until('all twelve have come', () => count() === 12)
    const sequences = clients.flatMap(({ items }) => items.map(({ sequence }) => sequence))
    expect(sequences.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1))
    for (const merchant of merchants) {
      const holders = clients.filter(({ items }) =>
        items.some(({ merchantId }) => merchantId === merchant.merchantId),
      )
      expect(holders).toHaveLength(1)
    }
    for (const { ws } of clients) ws.close()
  })

  test('that is idle costs no statement of its own', async () => {
    const installed = await world.install()
    const clients = [await open(installed), await open(installed), await open(installed)]
    const statements = watchStatements(world.at.db)
    const looks = () => statements.texts.filter((text) => text.includes('as last_sequence from stream'))
    await until('five looks', () => looks().length >= 5)
    statements.end()
    expect(statements.texts.filter((text) => /from delivery|s\.next_sequence/.test(text))).toEqual([])
    for (const { ws } of clients) ws.close()
  })
})

describe('an upgrade is refused', () => {
  test('without a token, with one that is none, with one of an installation', async () => {
    const { app, merchant } = await world.install()
    const { access_token } = await world.story.connect(merchant, app)
    const nobody = await refused(null)
    expect(nobody).toMatchObject({ status: 401, code: 'capability.unauthenticated' })
    expect(nobody.headers['www-authenticate']).toContain('Bearer resource_metadata=')
    const wrong = await refused(`stoa_at_${'x'.repeat(40)}`)
    expect(wrong).toMatchObject({ status: 401, code: 'capability.unauthenticated' })
    expect(wrong.headers['www-authenticate']).toContain('error="invalid_token"')
    expect(await refused(access_token)).toMatchObject({ status: 403, code: 'stream.app_token_required' })
  })

  test('as a bearer when the token is bound, and opened once by each proof made for the address', async () => {
    const { app } = await world.install()
    const { token, key } = await boundAppToken(world.at, app)
    const url = `${world.at.baseUrl}/v1/stream`
    const withProof = async (method: string) =>
      dpopHeaders(key, { method, url, accessToken: token, nowMs: world.at.clock.nowMs() })
    expect(await refused(token)).toMatchObject({ status: 401, code: 'oauth.token_bound' })
    const wrong = await refused(null, { headers: await withProof('POST') })
    expect(wrong).toMatchObject({ status: 401, code: 'oauth.dpop_proof_refused' })
    expect(wrong.headers['www-authenticate']).toMatch(/^DPoP error="invalid_dpop_proof"/)
    const headers = await withProof('GET')
    const client = await openSocket(world.at.baseUrl, null, { headers })
    expect(await refused(null, { headers })).toMatchObject({ code: 'oauth.dpop_proof_refused' })
    // It was proven at the beginning; looking again whether the token lives asks for no proof.
    let pings = 0
    client.ws.on('ping', () => {
      pings += 1
    })
    await until('a recheck', () => pings * timing.pingMs > timing.recheckMs + timing.pingMs)
    expect(client.ws.readyState).toBe(client.ws.OPEN)
    client.ws.close()
  })

  test('with a token in the address, whatever else it carries', async () => {
    const { token } = await world.install()
    const query = `?access_token=${token}`
    expect(await refused(null, { query })).toMatchObject({ status: 401 })
    expect(await refused(token, { query })).toMatchObject({ status: 400, code: 'capability.invalid_input' })
  })

  test('with Origin, as browsers send it', async () => {
    const { token } = await world.install()
    const headers = { origin: world.at.baseUrl }
    expect(await refused(token, { headers })).toMatchObject({ status: 403, code: 'http.origin_refused' })
  })

  test.each(['?after=x', '?after=-1', '?partition=2/2', '?partition=x', '?after=1&after=2', '?more=1'])(
    'with %s',
    async (query) => {
      const { token } = await world.install()
      expect(await refused(token, { query })).toMatchObject({ status: 400, code: 'capability.invalid_input' })
    },
  )

  test('after a sequence that the stream has not reached', async () => {
    const { token } = await world.install()
    expect(await refused(token, { query: '?after=1' })).toMatchObject({
      ...{ status: 409, code: 'stream.sequence_ahead' },
    })
  })

  test('to the app that has as many as it may; another app still gets one, and a place that came free is given again', async () => {
    const installed = await world.install()
    const clients = []
    for (let i = 0; i < limits.socketsPerAppMax; i += 1) clients.push(await open(installed))
    const refusal = await refused(installed.token)
    expect(refusal).toMatchObject({ status: 429, code: 'http.too_many_sockets' })
    expect(refusal.headers['retry-after']).toBe('1')
    const other = await open(await world.install())
    other.ws.close()
    clients[0]?.ws.close()
    await clients[0]?.closed
    const again = await open(installed)
    for (const { ws } of [...clients, again]) ws.terminate()
  })

  test('a handshake that is no handshake costs no place', async () => {
    const { token } = await world.install()
    const { port } = new URL(world.at.baseUrl)
    const shake = () =>
      new Promise<string>((resolve) => {
        const socket = connect(Number(port), '127.0.0.1')
        const head = ['GET /v1/stream HTTP/1.1', 'Host: x', 'Upgrade: websocket', 'Connection: Upgrade']
        socket.end(
          [...head, `Authorization: Bearer ${token}`, 'Sec-WebSocket-Version: 13', '', ''].join('\r\n'),
        )
        let text = ''
        socket.on('data', (chunk: Buffer) => {
          text += chunk.toString('latin1')
        })
        socket.on('close', () => resolve(text))
      })
    for (let i = 0; i < limits.socketsPerAppMax + 1; i += 1) expect(await shake()).toMatch(/^HTTP\/1\.1 400 /)
    ;(await open({ token })).ws.close()
  })
})

describe('any other request that offers an upgrade is answered as if it had not', () => {
  function ask(
    method: string,
    path: string,
    body: string,
    token: string,
  ): Promise<readonly [number, string]> {
    return new Promise((resolve, reject) => {
      const headers = {
        ...{ connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABkAAQAAP__' },
        ...{ authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        'content-length': String(Buffer.byteLength(body)),
      }
      const asked = request(`${world.at.baseUrl}${path}`, { method, headers }, (response) => {
        let text = ''
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString('utf8')
        })
        response.on('end', () => resolve([response.statusCode ?? 0, text]))
      })
      asked.on('error', reject)
      asked.end(body)
    })
  }

  test('a read, a write with its body, and an address where nothing is', async () => {
    const installed = await world.install()
    await world.payAndRelay(installed.merchant, 2)
    const { token } = installed
    const [readStatus, readText] = await ask('GET', '/v1/deliveries', '', token)
    expect([readStatus, (JSON.parse(readText) as { data: unknown[] }).data.length]).toEqual([200, 2])
    const padded = JSON.stringify({ sequence: 2 }) + ' '.repeat(100_000)
    expect(await ask('POST', '/v1/deliveries:ack', padded, token)).toEqual([200, '{"cursor":2}'])
    expect((await ask('GET', '/nothing', '', token))[0]).toBe(404)
  })

  test('and a WebSocket to another address', async () => {
    const { token } = await world.install()
    const url = `${world.at.baseUrl}/v1/deliveries?x=`
    const refusal = await refusedSocket(url.replace('/v1/deliveries?x=', '/v2'), token)
    expect(refusal).toMatchObject({ status: 404, code: 'http.not_found' })
  })
})

describe('a message from the app', () => {
  test.each([
    ['no JSON', 'hello', 4400],
    ['no object', '3', 4400],
    ['another type', '{"type":"hello"}', 4400],
    ['no sequence', '{"type":"ack"}', 4400],
    ['half a sequence', ack(1.5), 4400],
    ['a negative sequence', ack(-1), 4400],
    ['a sequence as text', ack('1'), 4400],
    ['a sequence that the stream has not reached', ack(1_000), 4400],
    ['bytes', randomBytes(8), 1003],
    ['a text that is too long', ack(1).padEnd(limits.socketMessageBytesMax + 1), 1009],
  ])('that is %s closes the socket and nothing else', async (_what, message, code) => {
    const installed = await world.install()
    await world.payAndRelay(installed.merchant)
    const [client, other] = [await open(installed), await open(installed)]
    client.send(message)
    expect((await client.closed).code).toBe(code)
    other.send(ack(1))
    await other.until('the other is served', ({ acked }) => acked.length === 1)
    other.ws.close()
  })

  /** A frame as RFC 6455 §5.2 draws it, masked with nought. */
  const frame = (firstByte: number, payload: Uint8Array) =>
    Buffer.concat([Buffer.from([firstByte, 0x80 | payload.byteLength, 0, 0, 0, 0]), payload])

  test.each([
    ['text that is no UTF-8', frame(0x81, Buffer.from([0xc3, 0x28])), 1007],
    ['a frame of a reserved kind', frame(0x83, Buffer.from('x')), 1002],
  ])('that is %s is closed by the protocol’s own code', async (_what, bytes, code) => {
    const client = await open(await world.install())
    const { _socket: raw } = client.ws as unknown as { _socket: { write(bytes: Uint8Array): void } }
    raw.write(bytes)
    expect((await client.closed).code).toBe(code)
  })
})

describe('a socket is closed', () => {
  test('when its app’s server answers no ping', async () => {
    const deaf = await open(await world.install(), { autoPong: false })
    expect(await deaf.closed).toEqual({ code: 4408, reason: 'no pong' })
  })

  test('and not before, when it answers', async () => {
    const client = await open(await world.install())
    let pings = 0
    client.ws.on('ping', () => {
      pings += 1
      client.ws.emit('message', Buffer.from('{"type":"acked","cursor":0}'))
    })
    await client.until('five pings', () => pings >= 5)
    client.ws.close()
    expect((await client.closed).code).toBe(1005)
  })

  test('within 5 s of the revocation of its token', async () => {
    const installed = await world.install()
    const client = await open(installed)
    const basic = Buffer.from(`${installed.app.appId}:${installed.app.clientSecret}`).toString('base64')
    const response = await fetch(`${world.at.baseUrl}/oauth/revoke`, {
      method: 'POST',
      headers: { authorization: `Basic ${basic}` },
      body: new URLSearchParams({ token: installed.token }),
    })
    expect(response.status).toBe(200)
    const startedAt = performance.now()
    expect((await client.closed).code).toBe(4401)
    expect(performance.now() - startedAt).toBeLessThan(5_000)
  })

  test('within 5 s of a revocation that this process is not told of', async () => {
    const installed = await world.install()
    const client = await open(installed)
    const revoke = 'update oauth_token set revoked_at = now() where app_id = $1'
    await execute(world.at.db.queries, revoke, installed.app.appId)
    const startedAt = performance.now()
    expect((await client.closed).code).toBe(4401)
    expect(performance.now() - startedAt).toBeLessThan(5_000)
  })

  test('within 5 s of a rule that stops its app, and shows nothing that came after', async () => {
    const installed = await world.install()
    const client = await open(installed)
    await world.addRule({ effect: 'stop', appId: installed.app.appId })
    const startedAt = performance.now()
    expect([4401, 4403]).toContain((await client.closed).code)
    expect(performance.now() - startedAt).toBeLessThan(5_000)
    await world.payAndRelay(installed.merchant)
    expect(client.items).toEqual([])
  })

  test('when its token has expired, and a fresh one goes on where it was', async () => {
    const installed = await world.install()
    await world.payAndRelay(installed.merchant)
    const client = await open(installed)
    await client.until('the first', ({ items }) => items.length === 1)
    world.at.clock.advance(limits.clientCredentialsTokenMs)
    expect((await client.closed).code).toBe(4401)
    await world.payAndRelay(installed.merchant)
    const next = await openSocket(world.at.baseUrl, await appToken(world.at, installed.app), {
      query: `?after=${client.items.at(-1)?.sequence}`,
    })
    await next.until('the second', ({ items }) => items.length === 1)
    expect(next.items[0]?.sequence).toBe(2)
    next.ws.close()
  })
})

describe('a rule that pauses an app’s events', () => {
  test('holds the socket still; what waited comes when it is lifted', async () => {
    const installed = await world.install()
    const ruleId = await world.addRule({ effect: 'pause_events', appId: installed.app.appId })
    world.at.clock.advance(2_100)
    const client = await open(installed)
    await world.payAndRelay(installed.merchant)
    const statements = watchStatements(world.at.db)
    await execute(world.at.db.queries, 'update rule set lifted_at = now() where id = $1', ruleId)
    world.at.clock.advance(2_100)
    await client.until('what waited', ({ items }) => items.length === 1)
    statements.end()
    // It was asked for at the pace of the re-check, not in a circle.
    expect(statements.texts.filter((text) => text.includes('s.next_sequence')).length).toBeLessThan(20)
    client.ws.close()
  })
})
