import { expect, test } from 'vitest'
import { checkEndpointUrl } from '../../../src/webhooks/check-url.ts'

test.each([
  'https://hooks.example.com/stoa',
  'https://hooks.example.com:8443/a?b=c',
  'https://1.1.1.1/hook',
  'https://[2606:4700::1111]/hook',
])('%s is fine', (url) => expect(checkEndpointUrl(url, false)).toBeNull())

test.each([
  'not a url',
  'ftp://hooks.example.com/',
  'http://hooks.example.com/',
  'https://user:secret@hooks.example.com/',
  'https://hooks.example.com/#part',
  'https://localhost/',
  'https://api.localhost/',
  'https://127.0.0.1/',
  'https://0x7f.1/',
  'https://2130706433/',
  'https://[::1]/',
  'https://[::ffff:127.0.0.1]/',
  'https://10.0.0.1/',
  'https://169.254.169.254/latest/meta-data/',
  'https://[fe80::1]/',
  'https://[64:ff9b::a00:1]/',
  'javascript:alert(1)',
])('%s is refused', (url) => expect(checkEndpointUrl(url, false)).not.toBeNull())

test.each(['http://127.0.0.1:4001/x', 'http://localhost:4001/x', 'https://[::1]/', 'http://[::1]:9/'])(
  '%s is fine where addresses of this machine are allowed',
  (url) => expect(checkEndpointUrl(url, true)).toBeNull(),
)

test.each(['http://hooks.example.com/', 'https://10.0.0.1/', 'http://192.168.1.1/'])(
  '%s is refused even there',
  (url) => expect(checkEndpointUrl(url, true)).not.toBeNull(),
)
