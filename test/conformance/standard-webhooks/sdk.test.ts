import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type VerifyOptions,
  verifyWebhook,
  type WebhookKey,
  WebhookVerificationError,
} from '../../../src/sdk/index.ts'
import { type Fixture, openFixture, payOrders } from '../../integration/events/fixture.ts'
import { startReceiver, type TestReceiver } from '../../support/test-receiver.ts'

interface Signed {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const sentAtS = 1_614_265_330
const nowMs = sentAtS * 1000
const id = 'msg_p5jXN8AQM9LWM0D4loKWxJek'
const body = '{"test": 2432232314}'
const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const v1 = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
const publicKey = 'whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4='
const v1a = 'v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=='
const jwk = {
  kty: 'OKP',
  crv: 'Ed25519',
  kid: 'esc_1',
  use: 'sig',
  x: Buffer.from(publicKey.slice('whpk_'.length), 'base64').toString('base64url'),
}
const strange = `v1,${Buffer.alloc(32, 7).toString('base64')}`

function signed(signature: string, change: Partial<Signed> = {}): Signed {
  const headers = { 'webhook-id': id, 'webhook-timestamp': String(sentAtS), 'webhook-signature': signature }
  return { headers, body, ...change }
}

function withHeader(name: string, value: string | null, request = signed(v1)): Signed {
  const { [name]: _before, ...headers } = request.headers
  return { ...request, headers: value === null ? headers : { ...headers, [name]: value } }
}

async function codeOf(request: Signed, options: Partial<VerifyOptions> = {}): Promise<string> {
  try {
    await verifyWebhook(request, { keys: secret, nowMs, ...options })
    return 'accepted'
  } catch (error) {
    if (error instanceof WebhookVerificationError) return error.code
    throw error
  }
}

describe('accepts', () => {
  test.each<[string, Signed, VerifyOptions['keys']]>([
    ['the libraries’ v1 vector', signed(v1), secret],
    [
      'the Rust library’s v1 vector',
      {
        headers: {
          'webhook-id': 'msg_27UH4WbU6Z5A5EzD8u03UvzRbpk',
          'webhook-timestamp': '1649367553',
          'webhook-signature': 'v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=',
        },
        body: '{"email":"test@example.com","username":"test_user"}',
      },
      'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD',
    ],
    ['a secret without its prefix', signed(v1), secret.slice('whsec_'.length)],
    ['a secret as bytes', signed(v1), Buffer.from(secret.slice('whsec_'.length), 'base64')],
    ['the v1a vector by whpk_', signed(v1a), publicKey],
    ['the v1a vector by a JSON Web Key', signed(v1a), jwk],
    ['the v1a vector by a JSON Web Key Set', signed(v1a), { keys: [jwk] }],
    ['both versions at once, by either key', signed(`${v1} ${v1a}`), publicKey],
    [
      'a list with an unknown version and a wrong signature before',
      signed(`v2,AAAA ${strange} ${v1}`),
      secret,
    ],
    ['any of several keys', signed(v1), [publicKey, 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD', secret]],
  ])('%s', async (_what, request, keys) => {
    const at = Number(request.headers['webhook-timestamp']) * 1000
    expect(await codeOf(request, { keys, nowMs: at })).toBe('accepted')
  })

  test('the headers of the Fetch API, and names in any case', async () => {
    const { headers } = signed(v1)
    const upper = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]),
    )
    const options = { keys: secret, nowMs }
    expect((await verifyWebhook({ headers: new Headers(headers), body }, options)).id).toBe(id)
    expect((await verifyWebhook({ headers: upper, body }, options)).id).toBe(id)
  })

  test('a body in bytes', async () => {
    const bytes = new TextEncoder().encode(body)
    const { event } = await verifyWebhook({ ...signed(v1), body: bytes }, { keys: secret, nowMs })
    expect(event).toEqual({ test: 2_432_232_314 })
  })

  test('what is just five minutes old or ahead', async () => {
    expect(await codeOf(signed(v1), { nowMs: nowMs + 300_000 })).toBe('accepted')
    expect(await codeOf(signed(v1), { nowMs: nowMs - 300_000 })).toBe('accepted')
  })
})

describe('refuses', () => {
  test.each<[string, string, Signed, Partial<VerifyOptions>]>([
    ['no id', 'missing_header', withHeader('webhook-id', null), {}],
    ['no timestamp', 'missing_header', withHeader('webhook-timestamp', null), {}],
    ['no signature', 'missing_header', withHeader('webhook-signature', null), {}],
    ['an empty id', 'missing_header', withHeader('webhook-id', ''), {}],
    ['an id with a dot', 'invalid_id', withHeader('webhook-id', 'msg.1'), {}],
    ['another id', 'no_matching_signature', withHeader('webhook-id', 'msg_other'), {}],
    ['a timestamp that is no number', 'invalid_timestamp', withHeader('webhook-timestamp', 'yesterday'), {}],
    ['a timestamp with a fraction', 'invalid_timestamp', withHeader('webhook-timestamp', '1614265330.5'), {}],
    ['a timestamp below zero', 'invalid_timestamp', withHeader('webhook-timestamp', '-1614265330'), {}],
    ['another timestamp', 'no_matching_signature', withHeader('webhook-timestamp', '1614265331'), {}],
    ['a timestamp too old', 'timestamp_too_old', signed(v1), { nowMs: nowMs + 301_000 }],
    ['a timestamp too new', 'timestamp_too_new', signed(v1), { nowMs: nowMs - 301_000 }],
    ['a clock that is none', 'timestamp_too_old', signed(v1), { nowMs: Number.NaN }],
    ['less tolerance', 'timestamp_too_old', signed(v1), { nowMs: nowMs + 2_000, toleranceMs: 1_000 }],
    ['an empty signature', 'no_matching_signature', signed('v1,'), {}],
    ['a signature without a version', 'no_matching_signature', signed(v1.slice('v1,'.length)), {}],
    ['a signature cut short', 'no_matching_signature', signed(v1.slice(0, 20)), {}],
    ['a signature that is too long', 'no_matching_signature', signed(`${v1.slice(0, -1)}AAAA`), {}],
    ['an unknown version alone', 'no_matching_signature', signed(v1.replace('v1', 'v2')), {}],
    ['a v1 signature called v1a', 'no_matching_signature', signed(v1.replace('v1', 'v1a')), {}],
    [
      'a v1a signature called v1',
      'no_matching_signature',
      signed(v1a.replace('v1a', 'v1')),
      { keys: publicKey },
    ],
    [
      'a v1a signature changed',
      'no_matching_signature',
      signed(v1a.replace('hnO3', 'hnO4')),
      { keys: publicKey },
    ],
    ['v1a by a secret alone', 'no_matching_signature', signed(v1a), {}],
    ['v1 by a public key alone', 'no_matching_signature', signed(v1), { keys: publicKey }],
    ['another body', 'no_matching_signature', signed(v1, { body: '{"test":2432232314}' }), {}],
    ['an empty body', 'no_matching_signature', signed(v1, { body: '' }), {}],
    [
      'another secret',
      'no_matching_signature',
      signed(v1),
      { keys: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD' },
    ],
    ['an empty secret', 'invalid_key', signed(v1), { keys: 'whsec_' }],
    ['an empty text as a secret', 'invalid_key', signed(v1), { keys: '' }],
    ['no key at all', 'invalid_key', signed(v1), { keys: [] }],
    ['an empty key set', 'invalid_key', signed(v1a), { keys: { keys: [] } }],
    ['a secret that is not base64', 'invalid_key', signed(v1), { keys: 'whsec_*' }],
    ['a private key', 'invalid_key', signed(v1a), { keys: 'whsk_AAAA' }],
    ['a public key of another length', 'invalid_key', signed(v1a), { keys: 'whpk_AAAA' }],
    ['a key of another kind', 'invalid_key', signed(v1a), { keys: { kty: 'EC', crv: 'P-256', x: jwk.x } }],
  ])('%s: %s', async (_what, code, request, options) => {
    expect(await codeOf(request, options)).toBe(code)
  })

  test('a signed body that is no JSON object', async () => {
    const text = 'not json'
    const key = await crypto.subtle.importKey(
      ...([
        'raw',
        Buffer.from(secret.slice(6), 'base64'),
        { name: 'HMAC', hash: 'SHA-256' },
        false,
        ['sign'],
      ] as const),
    )
    const mac = await crypto.subtle.sign('HMAC', key, Buffer.from(`${id}.${sentAtS}.${text}`))
    const signature = `v1,${Buffer.from(mac).toString('base64')}`
    expect(await codeOf(signed(signature, { body: text }))).toBe('invalid_body')
  })
})

describe.each(['v1', 'v1a'] as const)('what Stoa sends with %s', (scheme) => {
  let fixture: Fixture
  let receiver: TestReceiver
  let keys: WebhookKey
  let sent: Signed

  beforeAll(async () => {
    fixture = await openFixture()
    receiver = await startReceiver()
    const installed = await fixture.install()
    keys = await fixture.addEndpoint(installed, receiver.url, scheme)
    const events = fixture.makeEvents()
    await payOrders(fixture, events, installed.merchantId)
    await events.relayNow()
    await events.drainNow()
    const [request] = receiver.requests
    sent = { headers: { ...request?.headers }, body: request?.body ?? '' }
  })
  afterAll(async () => {
    await receiver.close()
    await fixture.close()
  })

  test('is verified and read', async () => {
    expect(sent.headers['webhook-signature']).toMatch(new RegExp(`^${scheme},[A-Za-z0-9+/]+=*$`))
    const verified = await verifyWebhook<{ readonly orderId: string }>(sent, { keys, nowMs: Date.now() })
    expect(verified).toMatchObject({
      ...{ id: sent.headers['webhook-id'], sequence: 1, attempt: 1, replayId: null, thin: false },
      event: { type: 'order.paid', specversion: '1.0', subject: verified.event.data?.orderId },
    })
  })

  test('is refused after one changed byte', async () => {
    const changed = { ...sent, body: sent.body.replace('CNY', 'USD') }
    expect(await codeOf(changed, { keys, nowMs: Date.now() })).toBe('no_matching_signature')
  })
})
