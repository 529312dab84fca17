import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type HttpClient, type HttpOutcome, makeHttpClient, systemClock } from '../../../src/kernel/index.ts'

let server: Server
let base: string
let redirected = 0
const open = makeHttpClient({ clock: systemClock, connectMs: 500, allowLoopback: true, connectionsMax: 8 })
const guarded = makeHttpClient({
  clock: systemClock,
  connectMs: 500,
  allowLoopback: false,
  connectionsMax: 8,
})

const answers: Readonly<Record<string, RequestListener>> = {
  '/ok': (_request, response) => response.writeHead(200, { 'x-a': 'b' }).end('fine'),
  '/redirect': (_request, response) => response.writeHead(302, { location: '/target' }).end(),
  '/target': (_request, response) => {
    redirected += 1
    response.end()
  },
  '/large': (_request, response) => response.end('x'.repeat(200_000)),
  '/hang': () => undefined,
  '/reset': (request) => request.socket.destroy(),
  '/drip': (_request, response) => {
    response.writeHead(200)
    const timer = setInterval(() => response.write('.'), 50)
    response.once('close', () => clearInterval(timer))
  },
}

beforeAll(async () => {
  server = createServer((request, response) => answers[request.url ?? '']?.(request, response))
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterAll(async () => {
  await open.close()
  await guarded.close()
  server.closeAllConnections()
  server.close()
})

function send(client: HttpClient, url: string): Promise<HttpOutcome> {
  return client.send({
    url,
    method: 'POST',
    headers: {},
    body: '{}',
    timeoutMs: 400,
    responseBytesMax: 1_000,
  })
}

test('an answer of any status is a value', async () => {
  expect(await send(open, `${base}/ok`)).toMatchObject({
    kind: 'response',
    status: 200,
    body: 'fine',
    headers: { 'x-a': 'b' },
  })
})

test('a redirect is an answer and is not followed', async () => {
  expect(await send(open, `${base}/redirect`)).toMatchObject({ kind: 'response', status: 302 })
  expect(redirected).toBe(0)
})

test('an answer is read up to its bound', async () => {
  const outcome = await send(open, `${base}/large`)
  expect(outcome).toMatchObject({ kind: 'response', bodyTruncated: true, body: 'x'.repeat(1_000) })
})

test.each(['/hang', '/drip'])('%s ends at the deadline', async (path) => {
  const outcome = await send(open, base + path)
  expect(outcome).toMatchObject({ kind: 'failed', reason: 'timeout' })
})

test('a reset and a closed port are values', async () => {
  expect(await send(open, `${base}/reset`)).toMatchObject({ kind: 'failed', reason: 'reset' })
  expect(await send(open, 'http://127.0.0.1:1/')).toMatchObject({ kind: 'failed', reason: 'connect' })
})

describe('the guard refuses', () => {
  test.each([
    'http://127.0.0.1:PORT/ok',
    'http://[::1]:PORT/ok',
    'http://2130706433:PORT/ok',
    'http://0x7f.1:PORT/ok',
    'http://0177.0.0.1:PORT/ok',
    'http://127.1:PORT/ok',
    'http://0:PORT/ok',
    'http://[::ffff:127.0.0.1]:PORT/ok',
    'http://[::ffff:7f00:1]:PORT/ok',
    'http://[64:ff9b::7f00:1]:PORT/ok',
    'http://169.254.169.254/latest/meta-data',
    'http://[fe80::1]/',
    'http://10.0.0.1/',
  ])('%s', async (url) => {
    const { port } = server.address() as AddressInfo
    const outcome = await send(guarded, url.replace('PORT', String(port)))
    expect(outcome).toMatchObject({ kind: 'failed', reason: 'address_refused' })
  })

  // The name may lead elsewhere a moment later; this time nobody was asked.
  test('a name that leads to a refused address', async () => {
    const { port } = server.address() as AddressInfo
    const outcome = await send(guarded, `http://localhost:${port}/ok`)
    expect(outcome).toMatchObject({ kind: 'failed', reason: 'name_refused' })
  })

  test('private addresses even where loopback is allowed', async () => {
    expect(await send(open, 'http://169.254.169.254/')).toMatchObject({
      kind: 'failed',
      reason: 'address_refused',
    })
  })
})
