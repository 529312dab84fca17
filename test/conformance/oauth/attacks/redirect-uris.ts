import { beforeAll, describe, expect, test } from 'vitest'
import { expectError, expectErrorPage, expectPage } from '../expectations.ts'
import type { App, World } from '../world.ts'

let world: World
let web: App
let native: App

async function prepare(opened: World): Promise<void> {
  world = opened
  web = world.app
  native = await world.publish({ name: 'Till', redirectUris: ['http://127.0.0.1:9/cb', 'http://[::1]:9/cb'] })
}

const webTricks: readonly (readonly [trick: string, uris: readonly string[]])[] = [
  [
    'another path',
    [
      'https://app.example.com',
      'https://app.example.com/',
      'https://app.example.com/callback/',
      'https://app.example.com/callback/evil',
      'https://app.example.com//callback',
      'https://app.example.com/./callback',
      'https://app.example.com/x/../callback',
      'https://app.example.com/callback/..%2fevil',
      'https://app.example.com/callback;evil',
      'https://app.example.com/Callback',
      'https://app.example.com/callback?next=1',
      'https://app.example.com/callback?',
    ],
  ],
  [
    'a port',
    [
      'https://app.example.com:443/callback',
      'https://app.example.com:8443/callback',
      'https://app.example.com:/callback',
    ],
  ],
  [
    'user information',
    [
      'https://user@app.example.com/callback',
      'https://user:password@app.example.com/callback',
      'https://app.example.com@evil.example.com/callback',
      'https://app.example.com%40evil.example.com/callback',
      'https://app.example.com:x@evil.example.com/callback',
    ],
  ],
  [
    'a fragment',
    [
      'https://app.example.com/callback#',
      'https://app.example.com/callback#/evil',
      'https://evil.example.com/#https://app.example.com/callback',
      'https://evil.example.com#@app.example.com/callback',
    ],
  ],
  [
    'encoding',
    [
      'https://app.example.com/callbac%6b',
      'https://app.example.com%2fcallback',
      'https%3A%2F%2Fapp.example.com%2Fcallback',
      'https://app.example.com/callback%00',
      'https://app.example.com/callback%20',
      'https://app.example.com/callback\n',
      ' https://app.example.com/callback',
      'https:\\\\app.example.com\\callback',
      'https://app.example.com\\@evil.example.com/callback',
      'https:/app.example.com/callback',
      'https:app.example.com/callback',
      'HTTPS://app.example.com/callback',
      'https://APP.example.com/callback',
      'https://аpp.example.com/callback',
      'https://app.example.com./callback',
    ],
  ],
  [
    'another host or scheme',
    [
      'https://evil.example.com/callback',
      'https://evil.app.example.com/callback',
      'https://app.example.com.evil.example.com/callback',
      'https://app-example.com/callback',
      'https://example.com/callback',
      'http://app.example.com/callback',
      '//app.example.com/callback',
      '/callback',
      'javascript:alert(1)//https://app.example.com/callback',
      'data:text/html,x',
      'com.example.app:/callback',
    ],
  ],
  [
    'an open redirector of the app',
    [
      'https://app.example.com/callback?next=https://evil.example.com/',
      'https://app.example.com/out?to=https://evil.example.com/',
      'https://app.example.com/callback/../out?to=https://evil.example.com/',
      'https://app.example.com/callback&next=https://evil.example.com/',
    ],
  ],
]

const loopbackTricks: readonly (readonly [trick: string, uris: readonly string[]])[] = [
  [
    'other spellings of the same IPv4 address',
    [
      'http://127.1:9/cb',
      'http://2130706433:9/cb',
      'http://0x7f.0.0.1:9/cb',
      'http://0177.0.0.1:9/cb',
      'http://127.0.0.1.:9/cb',
      'http://127.000.000.001:9/cb',
    ],
  ],
  [
    'other spellings of the same IPv6 address',
    [
      'http://[0:0:0:0:0:0:0:1]:9/cb',
      'http://[::0001]:9/cb',
      'http://[::ffff:127.0.0.1]:9/cb',
      'http://[::ffff:7f00:1]:9/cb',
      'http://[::1%25lo]:9/cb',
      'http://::1:9/cb',
    ],
  ],
  [
    'addresses that are not loopback',
    [
      'http://[::]:9/cb',
      'http://0.0.0.0:9/cb',
      'http://127.0.0.2:9/cb',
      'http://localhost:9/cb',
      'http://localhost.evil.example.com:9/cb',
      'http://127.0.0.1.evil.example.com:9/cb',
      'http://127.0.0.1:9@evil.example.com/cb',
      'http://evil.example.com:9/cb',
    ],
  ],
  [
    'what is not a port',
    [
      'http://127.0.0.1:65536/cb',
      'http://127.0.0.1:99999999/cb',
      'http://127.0.0.1:-1/cb',
      'http://127.0.0.1:9x/cb',
      'http://127.0.0.1:/cb',
    ],
  ],
  [
    'more than another port',
    [
      'http://127.0.0.1:10/cb/',
      'http://127.0.0.1:10/cb?x=1',
      'http://127.0.0.1:10/cb#x',
      'http://127.0.0.1:10/other',
      'http://user@127.0.0.1:10/cb',
      'https://127.0.0.1:10/cb',
    ],
  ],
]

async function expectRefused(app: App, redirect_uri: string): Promise<void> {
  const reply = await world.direct.open(await world.direct.authorization({ redirect_uri }, app))
  expectErrorPage(reply)
  // Nor does the page lead there.
  expect(reply.text).not.toMatch(/(href|action|content)="[^"]*(evil|app\.example)/)
}

export function redirectUriAttacks(open: () => World): void {
  beforeAll(() => prepare(open()))

  describe('a redirect URI of a web app', () => {
    test.each(webTricks)('with %s gets an error page and no redirect', async (_trick, uris) => {
      for (const uri of uris) await expectRefused(web, uri)
    })

    test('that is another app’s own gets an error page and no redirect', async () => {
      await expectRefused(web, native.redirectUri)
    })

    test('named twice gets no redirect to either', async () => {
      const redirect_uri = [web.redirectUri, 'https://evil.example.com/']
      for (const uris of [redirect_uri, [...redirect_uri].reverse()])
        expectErrorPage(
          await world.direct.open(await world.direct.authorization({ redirect_uri: uris }, web)),
        )
    })

    test('may not change between the request and the redemption', async () => {
      const code = await world.direct.code()
      for (const uri of webTricks.flatMap(([, uris]) => uris.slice(0, 2)))
        expectError(await world.direct.redeem(code, { redirect_uri: uri }), 400, 'invalid_grant')
    })
  })

  describe('a loopback redirect URI', () => {
    test.each(loopbackTricks)('with %s gets an error page and no redirect', async (_trick, uris) => {
      for (const uri of uris) await expectRefused(native, uri)
    })

    test('with another port is the one thing that is accepted', async () => {
      for (const redirect_uri of ['http://127.0.0.1:10/cb', 'http://[::1]:10/cb'])
        expectPage(await world.direct.open(await world.direct.authorization({ redirect_uri }, native)))
    })

    test('may not change its port between the request and the redemption', async () => {
      const code = await world.direct.code({ redirect_uri: 'http://127.0.0.1:10/cb' }, native)
      const changes = { redirect_uri: 'http://127.0.0.1:11/cb' }
      expectError(await world.direct.redeem(code, changes), 400, 'invalid_grant')
    })
  })
}
