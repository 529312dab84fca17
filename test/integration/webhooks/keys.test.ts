import { Webhook } from 'standardwebhooks'
import { Webhook as SvixWebhook } from 'svix'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { sql } from '../../../src/db/index.ts'
import { limits } from '../../../src/kernel/index.ts'
import { verifyWebhook, type WebhookJwk } from '../../../src/sdk/index.ts'
import { startTestPlatform, type TestPlatform } from '../../support/platform.ts'
import { startReceiver, type TestReceiver } from '../../support/test-receiver.ts'
import { type EndpointWorld, makeEndpointWorld, type WireEndpoint } from './endpoint-world.ts'

let at: TestPlatform
let receiver: TestReceiver
let world: EndpointWorld

beforeAll(async () => {
  at = await startTestPlatform()
})
afterAll(() => at.close())
beforeEach(async () => {
  receiver = await startReceiver()
  world = await makeEndpointWorld(at)
})
afterEach(() => receiver.close())

interface KeySet {
  readonly keys: readonly (WebhookJwk & { readonly kid: string; readonly endpoint: string })[]
  readonly nextCursor: string | null
}

const keysPath = '/.well-known/webhooks.json'
const keysOf = ({ id }: WireEndpoint) => at.anonymous.call<KeySet>('GET', `${keysPath}?endpoint=${id}`)

/** One event, as it came. */
async function receive() {
  await world.pay()
  await at.platform.events.drainNow()
  const request = receiver.requests.at(-1)
  if (request === undefined) throw new Error('nothing came')
  return request
}

interface Rotated {
  readonly id: string
  readonly signature: string
  readonly secret: string | null
  readonly publicKey: string | null
}

const rotate = (endpoint: WireEndpoint, json: object = {}) =>
  world.api.call<Rotated>('POST', `${world.pathOf(endpoint)}/secrets`, json)

describe('an endpoint with v1a', () => {
  test('shows its public key and no secret, and signs so that the key set verifies it', async () => {
    const endpoint = await world.create(receiver.url, { signature: 'v1a' })
    expect(endpoint.secret).toBeNull()
    expect(endpoint.secrets).toMatchObject([{ signature: 'v1a', expiresAt: null }])
    const { publicKey = null, id: kid } = endpoint.secrets[0] ?? { id: '' }
    expect(publicKey).toMatch(/^whpk_[A-Za-z0-9+/]{43}=$/)
    const set = await keysOf(endpoint)
    const x = Buffer.from((publicKey ?? '').slice('whpk_'.length), 'base64').toString('base64url')
    expect(set).toEqual({
      keys: [{ kty: 'OKP', crv: 'Ed25519', x, kid, use: 'sig', alg: 'EdDSA', endpoint: endpoint.id }],
      nextCursor: null,
    })
    const request = await receive()
    expect(request.headers['webhook-signature']).toMatch(/^v1a,[A-Za-z0-9+/]{86}==$/)
    for (const keys of [set, publicKey ?? ''])
      expect(await verifyWebhook(request, { keys, nowMs: at.clock.nowMs() })).toMatchObject({ sequence: 1 })
  })

  test('keeps its private key sealed', async () => {
    const endpoint = await world.create(receiver.url, { signature: 'v1a' })
    const [row] = await sql<{ sealed: string; public_jwk: object }>(
      at.db.queries,
      'select sealed, public_jwk from endpoint_secret where endpoint_id = $1',
      endpoint.id,
    )
    expect(row?.sealed).toMatch(/^v1\./)
    expect(row?.sealed).not.toContain('whsk_')
    expect(Object.keys(row?.public_jwk ?? {}).toSorted()).toEqual(['crv', 'kty', 'x'])
  })
})

describe('rotating', () => {
  test('from v1 to v1a: both sign for a day, and independent libraries verify the old one', async () => {
    const endpoint = await world.create(receiver.url)
    const rotated = await rotate(endpoint, { signature: 'v1a' })
    expect(rotated).toMatchObject({ signature: 'v1a', secret: null })
    const request = await receive()
    expect(request.headers['webhook-signature']).toMatch(/^v1a,\S+ v1,\S+$/)
    for (const Verifier of [Webhook, SvixWebhook])
      expect(new Verifier(endpoint.secret ?? '').verify(request.body, request.headers)).toBeDefined()
    const nowMs = at.clock.nowMs()
    await verifyWebhook(request, { keys: rotated.publicKey ?? '', nowMs })
    at.clock.advance(limits.secretOverlapMs)
    expect((await receive()).headers['webhook-signature']).toMatch(/^v1a,\S+$/)
  })

  test('a v1a key: both keys are in the set until the overlap ends, and both sign', async () => {
    const endpoint = await world.create(receiver.url, { signature: 'v1a' })
    const rotated = await rotate(endpoint, { overlapSeconds: 3_600 })
    expect(rotated.signature).toBe('v1a')
    const old = endpoint.secrets[0]?.id ?? ''
    expect((await keysOf(endpoint)).keys.map(({ kid }) => kid).toSorted()).toEqual(
      [old, rotated.id].toSorted(),
    )
    const request = await receive()
    expect(request.headers['webhook-signature']).toMatch(/^v1a,\S+ v1a,\S+$/)
    for (const keys of [rotated.publicKey ?? '', endpoint.secrets[0]?.publicKey ?? ''])
      await verifyWebhook(request, { keys, nowMs: at.clock.nowMs() })
    at.clock.advance(3_600_000)
    expect((await keysOf(endpoint)).keys.map(({ kid }) => kid)).toEqual([rotated.id])
    expect((await receive()).headers['webhook-signature']).toMatch(/^v1a,\S+$/)
  })

  test('without an overlap the old key is gone at once; a week is the longest', async () => {
    const endpoint = await world.create(receiver.url, { signature: 'v1a' })
    const rotated = await rotate(endpoint, { overlapSeconds: 0 })
    expect((await keysOf(endpoint)).keys.map(({ kid }) => kid)).toEqual([rotated.id])
    const path = `${world.pathOf(endpoint)}/secrets`
    await world.api.call('POST', path, { overlapSeconds: 7 * 24 * 3_600 })
    await world.api.refused('POST', path, 400, { json: { overlapSeconds: 7 * 24 * 3_600 + 1 } })
  })
})

describe('the public key set', () => {
  test('is for everybody and may be kept for five minutes; a refusal may not', async () => {
    const { headers } = await at.anonymous.request('GET', keysPath)
    expect(headers['cache-control']).toBe('public, max-age=300')
    const refused = await at.anonymous.request('GET', `${keysPath}?endpoint=nonsense`)
    expect([refused.status, refused.headers['cache-control']]).toEqual([400, 'no-store'])
  })

  test('holds no shared secret, no key of another endpoint, and none of a deleted one', async () => {
    const shared = await world.create(receiver.url)
    expect(await keysOf(shared)).toEqual({ keys: [], nextCursor: null })
    await world.api.request('DELETE', world.pathOf(shared))
    const mine = await world.create(receiver.url, { signature: 'v1a' })
    const other = await makeEndpointWorld(at)
    const theirs = await other.create(receiver.url, { signature: 'v1a' })
    expect((await keysOf(mine)).keys.every(({ endpoint }) => endpoint === mine.id)).toBe(true)
    const all = (await at.anonymous.call<KeySet>('GET', keysPath)).keys.map(({ endpoint }) => endpoint)
    expect(all).toEqual(expect.arrayContaining([mine.id, theirs.id]))
    await other.api.request('DELETE', other.pathOf(theirs))
    expect(await keysOf(theirs)).toEqual({ keys: [], nextCursor: null })
    expect(await at.anonymous.call('GET', `${keysPath}?endpoint=end_00000000000000000000000000`)).toEqual({
      keys: [],
      nextCursor: null,
    })
  })

  test('of ten thousand endpoints comes in pages that miss none', async () => {
    const endpoint = await world.create(receiver.url, { signature: 'v1a' })
    const extra = limits.webhookKeysMax + 5
    await sql(
      at.db.queries,
      `insert into endpoint_secret (id, endpoint_id, scheme, sealed, public_jwk, created_at)
       select 'esc_00000000000000000000' || lpad(n::text, 6, '0'), endpoint_id, scheme, sealed, public_jwk, created_at
       from endpoint_secret, generate_series(1, $2::int) as n where endpoint_id = $1`,
      endpoint.id,
      extra,
    )
    const kids: string[] = []
    let after = ''
    do {
      const page: KeySet = await at.anonymous.call('GET', `${keysPath}?endpoint=${endpoint.id}${after}`)
      expect(page.keys.length).toBeLessThanOrEqual(limits.webhookKeysMax)
      kids.push(...page.keys.map(({ kid }) => kid))
      after = page.nextCursor === null ? '' : `&after=${page.nextCursor}`
    } while (after !== '')
    expect(new Set(kids).size).toBe(extra + 1)
    expect(kids).toHaveLength(extra + 1)
  })
})
