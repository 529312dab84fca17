import { expect, test } from 'vitest'
import { isRegistered } from '../../../src/oauth/client/redirect-uri.ts'

const registered = [
  'https://app.example.com/cb',
  'http://127.0.0.1:9/cb',
  'http://[::1]/cb?x=1',
  'https://127.0.0.1:9/tls',
]

test.each([...registered, 'http://127.0.0.1/cb', 'http://127.0.0.1:65535/cb', 'http://[::1]:51004/cb?x=1'])(
  '%s is registered',
  (uri) => {
    expect(isRegistered(uri, registered)).toBe(true)
  },
)

test.each([
  'https://app.example.com:444/cb',
  'http://127.0.0.1:65536/cb',
  'http://127.0.0.1:123456/cb',
  'http://127.0.0.1:9/cb/',
  'http://127.0.0.1:9/CB',
  'http://127.0.0.1:9@evil.example.com/cb',
  'http://127.0.0.1.evil.example.com/cb',
  'http://user@127.0.0.1:9/cb',
  'http://localhost:9/cb',
  'http://127.0.0.2:9/cb',
  'http://127.1:9/cb',
  'http://0x7f.0.0.1:9/cb',
  'http://[::ffff:127.0.0.1]:9/cb',
  'http://[0:0:0:0:0:0:0:1]:9/cb?x=1',
  'http://[::1]:9/cb',
  'http://[::1]:9/cb?x=1#y',
  'https://127.0.0.1:10/tls',
  'http://127.0.0.1:9/tls',
  'HTTP://127.0.0.1:9/cb',
  'http://127.0.0.1:/cb',
  '',
])('“%s” is not', (uri) => {
  expect(isRegistered(uri, registered)).toBe(false)
})
