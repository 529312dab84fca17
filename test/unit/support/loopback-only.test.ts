import { once } from 'node:events'
import { connect, createServer, Socket } from 'node:net'
import { expect, test } from 'vitest'

test.each([
  ['connect(options)', () => connect({ host: '192.0.2.1', port: 80 })],
  ['connect(port, host)', () => connect(80, 'example.com')],
  ['socket.connect(port, host)', () => new Socket().connect(80, 'example.com')],
])('a test cannot leave this machine by %s', (_name, leave) => {
  expect(leave).toThrow('a test tried to leave this machine')
})

test('fetch cannot either', async () => {
  const failure = await fetch('http://192.0.2.1/').catch((error: unknown) => error)
  expect(failure).toMatchObject({ cause: { message: expect.stringContaining('tried to leave') } })
})

test('a server on loopback is reached', async () => {
  const server = createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const socket = connect(typeof address === 'object' ? (address?.port ?? 0) : 0, '127.0.0.1')
  const [data] = (await once(socket, 'data')) as [Buffer]
  expect(data.toString()).toBe('hello')
  socket.destroy()
  server.close()
})
