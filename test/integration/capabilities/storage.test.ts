import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { execute, sql } from '../../../src/db/index.ts'
import { limits, newId } from '../../../src/kernel/index.ts'
import type { ApiClient } from '../../support/api-client.ts'
import { startTestPlatform, type TestPlatform } from '../../support/platform.ts'
import { leavingNothing } from '../../support/row-counts.ts'
import { makeStory, type TestApp, type TestMerchant, type Tokens } from '../../support/story.ts'

let at: TestPlatform
let merchant: TestMerchant
let app: TestApp
let tokens: Tokens
let mine: ApiClient
/** The same app at another merchant, and another app at the same merchant. */
let elsewhere: ApiClient
let neighbour: ApiClient

beforeAll(async () => {
  at = await startTestPlatform()
  const story = makeStory(at)
  const publisher = await story.publisher()
  const manifest = { required: ['order:read'] }
  app = await story.publish(publisher, { manifest })
  const other = await story.publish(publisher, { manifest })
  merchant = await story.merchant()
  tokens = await story.connect(merchant, app)
  mine = at.bearer(tokens.access_token)
  elsewhere = at.bearer((await story.connect(await story.merchant(), app)).access_token)
  neighbour = at.bearer((await story.connect(merchant, other)).access_token)
})
afterAll(() => at.close())

const path = (key: string) => `/v1/storage/${encodeURIComponent(key)}`
const set = (key: string, value: unknown, api = mine) =>
  api.request<{ code?: string; value?: unknown }>('PUT', path(key), { json: { value } })
const keysOf = async (api: ApiClient, query = '') =>
  (await api.call<{ data: readonly { key: string }[] }>('GET', `/v1/storage${query}`)).data.map(
    ({ key }) => key,
  )

describe('a stored value', () => {
  test.each<[string, unknown]>([
    ['null', null],
    ['false', false],
    ['text with U+0000 and half a surrogate pair', 'a\u0000b\ud800'],
    ['a number that is no integer', 0.1],
    ['nested', { a: [1, { b: null }], 'ключ 🍵': '茶' }],
    ['an empty object', {}],
  ])('comes back as it went in: %s', async (_what, value) => {
    expect((await set('value', value)).status).toBe(200)
    expect((await mine.call('GET', path('value')))['value']).toEqual(value)
  })

  test.each([
    'a/b',
    'a b',
    'ключ',
    '🍵',
    'a%2Fb',
    '..',
    'a:ship',
    "'; drop table storage_item; --",
    'x'.repeat(256),
  ])('may have any key: %j', async (key) => {
    await set(key, key)
    expect(await mine.call('GET', path(key))).toMatchObject({ key, value: key })
    expect((await mine.request('DELETE', path(key))).status).toBe(204)
    expect((await mine.refused('GET', path(key), 404)).code).toBe('storage.not_found')
  })

  test('is replaced by the next one, and deleting what is not there is fine', async () => {
    await set('replaced', 1)
    await set('replaced', 2)
    expect((await mine.call('GET', path('replaced')))['value']).toBe(2)
    expect((await mine.request('DELETE', path('never there'))).status).toBe(204)
  })

  test('of more than 64 KiB is refused and the one before stays', async () => {
    await set('large', 'small')
    await leavingNothing(at, async () => {
      const { status, body } = await set('large', 'x'.repeat(limits.storageValueBytesMax))
      expect([status, body.code]).toEqual([413, 'storage.value_too_large'])
    })
    expect((await mine.call('GET', path('large')))['value']).toBe('small')
    expect((await set('large', 'x'.repeat(limits.storageValueBytesMax - 2))).status).toBe(200)
  })

  test('needs a value, and a key of at most 256 characters', async () => {
    expect((await mine.refused('PUT', path('k'), 400, { json: {} })).errors?.[0]?.pointer).toBe('/value')
    expect((await mine.refused('GET', path('x'.repeat(257)), 400)).errors?.[0]?.pointer).toBe('/key')
  })
})

test('the list walks in key order, by prefix and by cursor', async () => {
  for (const key of ['order:2', 'order:1', 'order:%', 'other', 'order:Z', 'order:a'])
    await set(key, 1, elsewhere)
  expect(await keysOf(elsewhere, '?prefix=order%3A')).toEqual([
    'order:%',
    'order:1',
    'order:2',
    'order:Z',
    'order:a',
  ])
  expect(await keysOf(elsewhere, '?prefix=order%3A%25')).toEqual(['order:%'])
  const first = await elsewhere.call<{ nextCursor: string }>('GET', '/v1/storage?limit=2')
  expect(first).toMatchObject({ hasMore: true, nextCursor: 'order:1' })
  expect(await keysOf(elsewhere, `?limit=2&after=${encodeURIComponent(first.nextCursor)}`)).toEqual([
    'order:2',
    'order:Z',
  ])
})

test('one installation never sees, overwrites or deletes what another stored', async () => {
  await set('shared', 'mine')
  for (const api of [elsewhere, neighbour]) {
    expect((await api.refused('GET', path('shared'), 404)).code).toBe('storage.not_found')
    expect(await keysOf(api)).not.toContain('shared')
    await set('shared', 'theirs', api)
    await api.request('DELETE', path('shared'))
  }
  expect((await mine.call('GET', path('shared')))['value']).toBe('mine')
})

describe('the quota', () => {
  /** Rows of which the content does not matter. */
  async function fill(items: number, sizeBytes: number): Promise<void> {
    await execute(
      at.db.queries,
      `insert into storage_item (merchant_id, installation_id, key, value, size_bytes, updated_at)
       select $1, $2, 'filler:' || n, '1', $4::int, now() from generate_series(1, $3::int) n`,
      merchant.merchantId,
      tokens.installation_id,
      items,
      sizeBytes,
    )
  }
  const clear = () =>
    execute(at.db.queries, 'delete from storage_item where installation_id = $1', tokens.installation_id)

  test('of 1,000 keys holds, also when two come at once', async () => {
    await clear()
    await fill(limits.storageItemsMax - 1, 1)
    const answers = await Promise.all(['a', 'b', 'c'].map((key) => set(key, 1)))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409, 409])
    await leavingNothing(at, async () => {
      expect((await set('one more', 1)).body.code).toBe('storage.quota_exceeded')
    })
    expect((await set('filler:1', 2)).status).toBe(200)
  })

  test('of 1 MiB counts what a replaced value frees', async () => {
    await clear()
    await fill(1, limits.storageBytesMax - 100)
    expect((await set('rest', 'x'.repeat(90))).status).toBe(200)
    expect((await set('rest', 'x'.repeat(98))).status).toBe(200)
    await leavingNothing(at, async () => {
      expect((await set('rest', 'x'.repeat(99))).body.code).toBe('storage.quota_exceeded')
    })
    await mine.request('DELETE', path('filler:1'))
    expect((await set('rest', 'x'.repeat(1_000))).status).toBe(200)
  })

  test('of one installation is not used up by another', async () => {
    await clear()
    await fill(limits.storageItemsMax, 1)
    expect((await set('free', 1, neighbour)).status).toBe(200)
  })
})

test('an installation that has ended can store nothing more, though its caller is still believed', async () => {
  const ids = { clock: at.clock, random: at.random }
  const installationId = newId('installation', ids)
  const caller = {
    kind: 'app' as const,
    appId: app.appId,
    installation: { appId: app.appId, installationId, merchantId: merchant.merchantId, grantEpoch: 1 },
    scopes: new Set<string>(),
    bounds: [],
    personId: null,
  }
  await expect(at.act('storage.set', caller, { key: 'late', value: 1 })).rejects.toMatchObject({
    code: 'capability.unauthenticated',
  })
  expect(
    await sql(at.db.queries, 'select key from storage_item where installation_id = $1', installationId),
  ).toEqual([])
})
