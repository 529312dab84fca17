import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { mintToken, systemRandom } from '../../../src/kernel/index.ts'
import type { ApiClient, ProblemBody } from '../../support/api-client.ts'
import type { TestPlatform } from '../../support/platform.ts'
import { freshAddress, from, get, quotaMax, repeat, startMeteredPlatform } from '../../support/quotas.ts'
import { makeStory, type Story, type TestApp } from '../../support/story.ts'
import { openSocket } from '../stream/socket-client.ts'

let at: TestPlatform
let story: Story
let app: TestApp
beforeAll(async () => {
  at = await startMeteredPlatform()
  story = makeStory(at)
  app = await story.publish(await story.publisher())
})
afterAll(() => at.close())

/** A merchant's token of the app. */
async function installed(): Promise<ApiClient> {
  const { access_token: token } = await story.connect(await story.merchant(), app)
  return at.bearer(token)
}

const publicPath = '/openapi.json'
const unknownToken = () => mintToken('accessToken', systemRandom)

describe('the header fields', () => {
  test('every counted answer says whose quota it is, how large and how much is left', async () => {
    const api = await installed()
    const first = await api.request('GET', '/v1/orders')
    expect(first.headers['ratelimit-policy']).toBe('"installation";q=60;w=60')
    expect(first.headers['ratelimit']).toBe('"installation";r=59;t=60')
    const second = await api.request('GET', '/v1/orders')
    expect(second.headers['ratelimit']).toMatch(/^"installation";r=58;t=(60|59)$/)
    // An answer that refuses has used as much.
    const refused = await api.request('GET', '/v1/orders/ord_nothing')
    expect([refused.status, refused.headers['ratelimit']]).toEqual([
      expect.any(Number),
      expect.stringMatching(/^"installation";r=57;/),
    ])
  })

  test('a refusal is a problem with a stable code, the quota’s name and when to come again', async () => {
    const address = freshAddress()
    const stranger = at.anonymous.with(from(address))
    await repeat(quotaMax.address, get(stranger, publicPath))
    const { status, headers, body } = await stranger.request<ProblemBody>('GET', publicPath)
    expect(status).toBe(429)
    expect(body).toMatchObject({
      type: '/docs/errors#http.quota_exceeded',
      code: 'http.quota_exceeded',
      detail: '30 requests fit in 60 s (address)',
      'violated-policies': ['address'],
    })
    expect(headers['ratelimit-policy']).toBe('"address";q=30;w=60')
    expect(headers['ratelimit']).toMatch(/^"address";r=0;t=(60|59)$/)
    expect(headers['retry-after']).toMatch(/^(60|59)$/)
  })

  test('/openapi.json tells of the fields and of 429 for every operation but the probes', () => {
    const paths = Object.entries(at.openApi['paths'] as Record<string, Record<string, Operation>>)
    const operations = paths.flatMap(([path, item]) => Object.values(item).map((one) => ({ path, ...one })))
    const isProbe = ({ path }: { readonly path: string }) => path === '/healthz' || path === '/readyz'
    expect(operations.filter(isProbe)).toHaveLength(2)
    for (const { responses } of operations.filter(isProbe)) expect(responses['429']).toBeUndefined()
    for (const { path, responses } of operations.filter((one) => !isProbe(one))) {
      const [, done] = Object.entries(responses).find(([status]) => status.startsWith('2')) ?? []
      expect(done?.headers, path).toEqual(fields('RateLimit-Policy', 'RateLimit'))
      expect(responses['429']?.description, path).toContain('`http.quota_exceeded`')
      expect(responses['429']?.headers).toEqual(fields('RateLimit-Policy', 'RateLimit', 'Retry-After'))
    }
  })
})

interface Operation {
  readonly responses: Readonly<
    Record<string, { readonly description: string; readonly headers?: Readonly<Record<string, object>> }>
  >
}

function fields(...names: readonly string[]) {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]))
}

describe('who pays', () => {
  test('an app pays at each merchant apart, wherever its requests come from', async () => {
    const [busy, quiet] = [await installed(), await installed()]
    expect(await repeat(quotaMax.installation + 5, get(busy, '/v1/orders'))).toEqual({
      200: quotaMax.installation,
      429: 5,
    })
    expect((await busy.with(from(freshAddress())).request('GET', '/v1/orders')).status).toBe(429)
    expect((await quiet.request('GET', '/v1/orders')).status).toBe(200)
  })

  test('a person pays, and nobody else in the same office', async () => {
    const [busy, colleague] = [await at.person(), await at.person()]
    const address = from(freshAddress())
    const path = '/account/v1/sessions'
    expect(await repeat(quotaMax.person + 3, get(busy.api.with(address), path))).toEqual({
      200: quotaMax.person,
      429: 3,
    })
    // Token and session are the same person's.
    const page = await at.browser(busy).open('/m', address)
    expect([page.status, page.headers['ratelimit-policy']]).toEqual([429, '"person";q=30;w=60'])
    expect(page.headers['retry-after']).toMatch(/^\d+$/)
    expect(page.html).toContain('<!doctype html>')
    expect((await colleague.api.with(address).request('GET', path)).status).toBe(200)
  })

  test('the host’s systems pay for themselves', async () => {
    const { headers } = await at.host.request('POST', '/host/v1/merchants', {
      json: { kind: 'shop', name: 'Tea' },
    })
    expect(headers['ratelimit-policy']).toBe('"host";q=3000;w=60')
  })

  test('a network pays for what comes without a credential, and who has signed in there does not', async () => {
    const address = from(freshAddress())
    const person = await at.person()
    expect(await repeat(quotaMax.address + 4, get(at.anonymous.with(address), publicPath))).toEqual({
      200: quotaMax.address,
      429: 4,
    })
    expect((await at.browser().open('/sign-in', address)).status).toBe(429)
    expect((await person.api.with(address).request('GET', publicPath)).status).toBe(200)
    expect((await at.anonymous.with(from(freshAddress())).request('GET', publicPath)).status).toBe(200)
  })

  test('an IPv6 network is a /64: its addresses share a quota, its neighbour has another', async () => {
    const send = (address: string) => () => at.anonymous.with(from(address)).request('GET', publicPath)
    await repeat(quotaMax.address, send('2001:db8:5:6::1'))
    expect((await send('2001:db8:5:6:ffff:ffff:ffff:ffff')()).status).toBe(429)
    expect((await send('2001:DB8:5:06::2')()).status).toBe(429)
    expect((await send('2001:db8:5:7::1')()).status).toBe(200)
  })

  test('probes and files are not counted', async () => {
    const stranger = at.anonymous.with(from(freshAddress()))
    for (const path of ['/healthz', '/readyz', '/assets/stoa.css']) {
      const { status, headers } = await stranger.request('GET', path)
      expect([path, status, headers['ratelimit']]).toEqual([path, 200, undefined])
    }
    expect(await repeat(quotaMax.address + 1, get(stranger, '/healthz'))).toEqual({
      200: quotaMax.address + 1,
    })
  })

  test('when the window is over everybody has the whole quota again', async ({ skip }) => {
    if (at.db.kind !== 'pglite')
      skip('on a server windows end by the server’s time, which no test sets forward')
    const stranger = at.anonymous.with(from(freshAddress()))
    await repeat(quotaMax.address + 1, get(stranger, publicPath))
    at.clock.advance(30_000)
    expect((await stranger.request('GET', publicPath)).status).toBe(429)
    at.clock.advance(31_000)
    const { status, headers } = await stranger.request('GET', publicPath)
    expect([status, headers['ratelimit']]).toEqual([200, '"address";r=29;t=60'])
  })
})

describe('what a stranger cannot do', () => {
  test('wrong tokens cost the network that sends them, until its credentials are not looked at any more', async () => {
    const address = from(freshAddress())
    const api = await installed()
    const guess = () => at.bearer(unknownToken()).with(address).request('GET', '/v1/orders')
    expect(await repeat(quotaMax.refused + 2, guess)).toEqual({ 401: quotaMax.refused, 429: 2 })
    // Its own requests without a credential are another quota, and the app elsewhere has lost nothing.
    expect((await at.anonymous.with(address).request('GET', publicPath)).status).toBe(200)
    expect((await api.request('GET', '/v1/orders')).headers['ratelimit']).toMatch(/;r=59;/)
  })

  test('cookies that are nobody’s cost it the same', async () => {
    const address = from(freshAddress())
    const cookie = () => ({ cookie: `stoa_session=${mintToken('session', systemRandom)}` })
    const guess = () => at.anonymous.with({ ...address, ...cookie() }).request('GET', publicPath)
    await repeat(quotaMax.refused, guess)
    const { status, headers } = await guess()
    expect([status, headers['ratelimit-policy']]).toEqual([429, '"refused";q=30;w=60'])
  })

  test('forms without the token of their page cost it, too', async () => {
    const address = from(freshAddress())
    const { session } = await at.person()
    const browser = at.anonymous.with({ ...address, cookie: `stoa_session=${session}` })
    const send = () => browser.request('POST', '/account/v1/tokens:issue', { json: {} })
    expect(await repeat(quotaMax.refused + 1, send)).toEqual({ 403: quotaMax.refused, 429: 1 })
  })

  test('a socket counts like a request, and is refused like one', async () => {
    const address = from(freshAddress())
    const guess = () =>
      openSocket(at.baseUrl, unknownToken(), { headers: address }).then(
        () => ({ status: 101 }),
        (error: unknown) => error as { status: number; headers: Record<string, string> },
      )
    expect(await repeat(quotaMax.refused, guess)).toEqual({ 401: quotaMax.refused })
    expect(await guess()).toMatchObject({
      status: 429,
      headers: { 'ratelimit-policy': '"refused";q=30;w=60', 'retry-after': expect.stringMatching(/^\d+$/) },
    })
    // The address is the one the trusted proxy has seen: others behind the same proxy are looked at.
    expect(
      await openSocket(at.baseUrl, unknownToken(), { headers: from(freshAddress()) }).catch(
        (error: unknown) => error,
      ),
    ).toMatchObject({ status: 401 })
  })

  test('refusals are counted for /metrics, by quota', async () => {
    const { text } = await at.anonymous.request('GET', '/metrics')
    expect(text).toMatch(/^stoa_quota_refused_total\{quota="installation"\} [1-9]\d*$/m)
    expect(text).toMatch(/^stoa_quota_uncounted_total 0$/m)
  })
})

describe('without a trusted proxy', () => {
  test('X-Forwarded-For changes nothing: neither a quota of one’s own, nor somebody else’s', async () => {
    const bare = await startMeteredPlatform([])
    try {
      const send = () => bare.anonymous.with(from(freshAddress())).request('GET', publicPath)
      // The platform's own start has asked for the document once.
      expect(await repeat(quotaMax.address, send)).toEqual({ 200: quotaMax.address - 1, 429: 1 })
    } finally {
      await bare.close()
    }
  })
})
