import { Webhook } from 'standardwebhooks'
import { Webhook as SvixWebhook } from 'svix'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { present, seededRandom } from '../../../src/kernel/index.ts'
import { mintSecret, publicJwkOf, publicKeyTextOf } from '../../../src/webhooks/secret.ts'
import { sign, signerOf } from '../../../src/webhooks/sign.ts'
import { type Fixture, openFixture, payOrders } from '../../integration/events/fixture.ts'
import { startReceiver, type TestReceiver } from '../../support/test-receiver.ts'

// The vectors of the official libraries (standard-webhooks b2fa7b87; JavaScript and Go, then Rust), and the one for v1a
// of Svix's server.
const vectors = [
  {
    secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    eventId: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    sentAtS: 1_614_265_330,
    body: '{"test": 2432232314}',
    signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  },
  {
    secret: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD',
    eventId: 'msg_27UH4WbU6Z5A5EzD8u03UvzRbpk',
    sentAtS: 1_649_367_553,
    body: '{"email":"test@example.com","username":"test_user"}',
    signature: 'v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=',
  },
  {
    secret: 'whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==',
    eventId: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    sentAtS: 1_614_265_330,
    body: '{"test": 2432232314}',
    signature: 'v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==',
  },
] as const

describe('signing', () => {
  test.each(vectors)('gives the libraries’ own vector for $eventId', ({ signature, secret, ...signable }) => {
    expect(sign(signable, [signerOf(secret)])).toBe(signature)
  })

  test('with two secrets gives both, separated by a space, in their order', () => {
    const [{ signature, secret, ...signable }] = vectors
    const other = vectors[1].secret
    expect(sign(signable, [secret, other].map(signerOf))).toBe(
      `${signature} ${sign(signable, [signerOf(other)])}`,
    )
  })

  test('a secret is whsec_ and the base64 of 24 to 64 random bytes', () => {
    const secret = mintSecret(seededRandom('secrets'))
    const bytes = Buffer.from(secret.slice('whsec_'.length), 'base64')
    expect(secret.startsWith('whsec_')).toBe(true)
    expect(bytes.toString('base64')).toBe(secret.slice('whsec_'.length))
    expect(bytes.length).toBe(32)
  })

  test('the public key of a v1a secret is the one that its vector names', () => {
    expect(publicKeyTextOf(present(publicJwkOf(vectors[2].secret), 'a public key'))).toBe(
      'whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=',
    )
  })

  test('a v1a secret is whsk_ and the base64 of a seed and its public key', () => {
    const secret = mintSecret(seededRandom('secrets'), 'v1a')
    const bytes = Buffer.from(secret.slice('whsk_'.length), 'base64')
    expect(bytes.length).toBe(64)
    expect(publicJwkOf(secret)).toEqual({
      kty: 'OKP',
      crv: 'Ed25519',
      x: bytes.subarray(32).toString('base64url'),
    })
  })
})

interface Sent {
  readonly body: string
  readonly headers: Record<string, string>
}

/** What both libraries say to a request; they must agree. */
function verdict(secret: string, { body, headers }: Sent): 'accepted' | 'refused' {
  const verdicts = [Webhook, SvixWebhook].map((Verifier) => {
    try {
      new Verifier(secret).verify(body, headers)
      return 'accepted'
    } catch {
      return 'refused'
    }
  })
  expect(new Set(verdicts).size).toBe(1)
  return verdicts[0] === 'accepted' ? 'accepted' : 'refused'
}

describe('what Stoa sends', () => {
  let fixture: Fixture
  let receiver: TestReceiver
  let secret: string
  let sent: Sent

  beforeAll(async () => {
    fixture = await openFixture()
    receiver = await startReceiver()
    const installed = await fixture.install({ granted: ['order:read', 'customer:read'] })
    secret = await fixture.addEndpoint(installed, receiver.url)
    const events = fixture.makeEvents()
    await payOrders(fixture, events, installed.merchantId, 1, true)
    await events.relayNow()
    await events.drainNow()
    const [request] = receiver.requests
    sent = { body: request?.body ?? '', headers: { ...request?.headers } }
  })
  afterAll(async () => {
    await receiver.close()
    await fixture.close()
  })

  const changed = (name: string, value: string): Sent => ({
    ...sent,
    headers: { ...sent.headers, [name]: value },
  })
  const without = (name: string): Sent => {
    const { [name]: _gone, ...headers } = sent.headers
    return { ...sent, headers }
  }

  test('is accepted by both libraries, as it came', () => {
    expect(verdict(secret, sent)).toBe('accepted')
  })

  test('has the three headers in the specification’s form', () => {
    expect(sent.headers['webhook-id']).toMatch(/^evt_[0-9A-Z]{26}$/)
    expect(sent.headers['webhook-timestamp']).toMatch(/^\d{10}$/)
    expect(sent.headers['webhook-signature']).toMatch(/^v1,[A-Za-z0-9+/]{43}=$/)
  })

  test('is a CloudEvent whose type, time and data the payload recommendation asks for', () => {
    const event = JSON.parse(sent.body) as Record<string, unknown>
    expect(event).toMatchObject({
      specversion: '1.0',
      type: 'order.paid',
      datacontenttype: 'application/json',
    })
    expect(event['id']).toBe(sent.headers['webhook-id'])
    expect(Object.keys(event)).toEqual([
      ...[
        'specversion',
        'id',
        'source',
        'type',
        'subject',
        'time',
        'datacontenttype',
        'dataschema',
        'merchantid',
        'data',
      ],
    ])
  })

  test('among other signatures, of an unknown version too, the right one is enough', () => {
    const right = sent.headers['webhook-signature'] ?? ''
    const wrong = `v1,${Buffer.alloc(32).toString('base64')}`
    expect(verdict(secret, changed('webhook-signature', `v2,${right.slice(3)} ${wrong} ${right}`))).toBe(
      'accepted',
    )
  })

  test('the secret works without its prefix', () => {
    expect(verdict(secret.slice('whsec_'.length), sent)).toBe('accepted')
  })

  test.each([
    ['another secret', () => verdict(mintSecret(seededRandom('other')), sent)],
    [
      'one changed byte of the body',
      () => verdict(secret, { ...sent, body: sent.body.replace('CNY', 'USD') }),
    ],
    ['an empty body', () => verdict(secret, { ...sent, body: '' })],
    ['no id', () => verdict(secret, without('webhook-id'))],
    ['no timestamp', () => verdict(secret, without('webhook-timestamp'))],
    ['no signature', () => verdict(secret, without('webhook-signature'))],
    ['another id', () => verdict(secret, changed('webhook-id', 'evt_other'))],
    ['a timestamp that is no number', () => verdict(secret, changed('webhook-timestamp', 'yesterday'))],
    [
      'a timestamp six minutes old',
      () => verdict(secret, changed('webhook-timestamp', String(Math.floor(Date.now() / 1000) - 360))),
    ],
    [
      'a timestamp six minutes ahead',
      () => verdict(secret, changed('webhook-timestamp', String(Math.floor(Date.now() / 1000) + 360))),
    ],
    ['an empty signature', () => verdict(secret, changed('webhook-signature', 'v1,'))],
    [
      'a signature cut short',
      () =>
        verdict(secret, changed('webhook-signature', (sent.headers['webhook-signature'] ?? '').slice(0, 20))),
    ],
    [
      'an unknown version alone',
      () =>
        verdict(
          secret,
          changed('webhook-signature', (sent.headers['webhook-signature'] ?? '').replace('v1', 'v2')),
        ),
    ],
  ])('is refused with %s', (_what, check) => expect(check()).toBe('refused'))
})
