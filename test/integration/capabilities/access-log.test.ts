import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { makeRecorder } from '../../../src/access-log/index.ts'
import type { AccessRecord } from '../../../src/capability/index.ts'
import { execute, sql } from '../../../src/db/index.ts'
import { type IdKind, limits, newId, toDate } from '../../../src/kernel/index.ts'
import type { ApiClient } from '../../support/api-client.ts'
import { quietLog } from '../../support/database.ts'
import { startTestPlatform, type TestPlatform } from '../../support/platform.ts'
import { makeStory, type Story, type TestApp, type TestMerchant } from '../../support/story.ts'

let at: TestPlatform
let story: Story
let app: TestApp
let merchant: TestMerchant
let api: ApiClient

beforeAll(async () => {
  at = await startTestPlatform()
  story = makeStory(at)
  app = await story.publish(await story.publisher(), {
    manifest: { required: ['order:read'], optional: ['customer:read'] },
  })
})
beforeEach(async () => {
  merchant = await story.merchant()
  api = at.bearer((await story.connect(merchant, app)).access_token)
})
afterAll(() => at.close())

interface Entry {
  readonly id: string
  readonly actor: string
  readonly appId: string | null
  readonly personId: string | null
  readonly operation: string
  readonly via: string
  readonly outcome: string
  readonly code: string | null
  readonly rows: number
  readonly personal: boolean
}

const orders = () => `/host/v1/merchants/${merchant.merchantId}/orders`
const createOrder = () =>
  at.host.call<{ id: string }>('POST', orders(), {
    lines: [{ name: 'Tea', quantity: 1, unitPrice: { amount: 1, currency: 'CNY' } }],
    customer: { name: 'Lin Yue' },
  })

/** Records are written in groups, at most 50 ms apart. */
const written = () =>
  new Promise((resolve) => {
    setTimeout(resolve, limits.accessRecordBufferMs * 2)
  })

async function entriesOf(of: TestMerchant): Promise<readonly Entry[]> {
  await written()
  const path = `/merchant/v1/merchants/${of.merchantId}/access-records?limit=200`
  const { data } = await of.owner.api.call<{ data: readonly Entry[] }>('GET', path)
  return data
}

async function entries(operation: string): Promise<readonly Entry[]> {
  return (await entriesOf(merchant)).filter((entry) => entry.operation === operation)
}

describe('every use is recorded and shown to the merchant', () => {
  test('a read by an app, with the rows it got', async () => {
    await createOrder()
    await createOrder()
    await api.call('GET', '/v1/orders')
    expect(await entries('order.list')).toMatchObject([
      { actor: 'app', appId: app.appId, via: 'rest', outcome: 'ok', code: null, rows: 2, personal: false },
    ])
  })

  test('a write by the host', async () => {
    await createOrder()
    expect(await entries('order.create')).toMatchObject([
      { actor: 'host', appId: null, personId: null, outcome: 'ok' },
    ])
  })

  test('a denial, with its code', async () => {
    const { id } = await createOrder()
    await api.refused('POST', `/v1/orders/${id}:ship`, 403)
    expect(await entries('order.mark_shipped')).toMatchObject([
      { outcome: 'denied', code: 'capability.permission_not_granted', rows: 0 },
    ])
  })

  test('a failure, with its code', async () => {
    await api.refused('GET', '/v1/orders/ord_00000000000000000000000000', 404)
    expect(await entries('order.get')).toMatchObject([
      { outcome: 'failed', code: 'order.not_found', rows: 0 },
    ])
  })

  test('what members of the merchant do, on pages and by API, uninstalling included', async () => {
    const browser = at.browser(merchant.owner)
    await browser.open(`/m?merchant=${merchant.merchantId}`)
    expect(await entries('market.list')).toMatchObject([{ actor: 'person', via: 'console' }])
    const { data } = await merchant.owner.api.call<{ data: readonly { id: string }[] }>(
      'GET',
      `/merchant/v1/merchants/${merchant.merchantId}/installations`,
    )
    await merchant.owner.api.call('DELETE', `/merchant/v1/installations/${data[0]?.id}`)
    expect(await entries('installation.delete')).toMatchObject([
      { actor: 'person', personId: merchant.owner.personId, via: 'rest', outcome: 'ok' },
    ])
  })

  test('a denial of a member whose role is too small', async () => {
    const staff = await story.member(merchant.merchantId, 'staff')
    await staff.api.refused('GET', `/merchant/v1/merchants/${merchant.merchantId}/access-records`, 403)
    expect(await entries('access.list')).toContainEqual(
      expect.objectContaining({
        personId: staff.personId,
        outcome: 'denied',
        code: 'capability.role_required',
      }),
    )
  })

  test('by an app that was granted it, reading who ordered is marked and durable before the answer', async () => {
    const seen = await story.publish(app.publisher, {
      manifest: { required: ['order:read', 'customer:read'] },
    })
    const seeing = at.app(await story.connect(merchant, seen))
    const { id } = await createOrder()
    await seeing.call('GET', `/v1/orders/${id}`)
    const rows = await sql(
      at.db.queries,
      `select personal from access_record where merchant_id = $1 and operation = 'order.get'`,
      merchant.merchantId,
    )
    expect(rows).toEqual([{ personal: true }])
  })
})

describe('nobody else reads or writes a merchant’s records', () => {
  test('another merchant gets the answer of a merchant that does not exist', async () => {
    const other = await story.merchant()
    const path = (id: string) => `/merchant/v1/merchants/${id}/access-records`
    const [foreign, missing] = [
      await other.owner.api.refused('GET', path(merchant.merchantId), 404),
      await other.owner.api.refused('GET', path('mer_00000000000000000000000000'), 404),
    ]
    expect({ ...foreign, requestId: '' }).toEqual({ ...missing, requestId: '' })
    expect(await entriesOf(merchant)).not.toContainEqual(
      expect.objectContaining({ personId: other.owner.personId }),
    )
  })

  test('what strangers send as a merchant’s id neither lands there nor harms the records of others', async () => {
    const stranger = await at.person()
    for (const merchantId of [merchant.merchantId, 'x\u0000', 'y'.repeat(10_000), '\ud800'])
      await stranger.api.request('POST', '/developer/v1/publishers', { json: { name: 'x', merchantId } })
    await api.call('GET', '/v1/installation')
    expect(await entries('installation.get_own')).toHaveLength(1)
    expect(await entries('publisher.create')).toEqual([])
  })
})

test('the list walks by cursor through every record once, newest first', async () => {
  for (let i = 0; i < 5; i += 1) await api.call('GET', '/v1/installation')
  await written()
  const seen: string[] = []
  let after = ''
  do {
    const page = await merchant.owner.api.call<{ data: readonly Entry[]; nextCursor: string | null }>(
      'GET',
      `/merchant/v1/merchants/${merchant.merchantId}/access-records?limit=2${after}`,
    )
    seen.push(
      ...page.data.filter(({ operation }) => operation === 'installation.get_own').map(({ id }) => id),
    )
    after = page.nextCursor === null ? '' : `&after=${page.nextCursor}`
    if (seen.length > 20) break
  } while (after !== '')
  expect(new Set(seen).size).toBe(5)
  expect(seen).toHaveLength(5)
})

describe('the recorder', () => {
  const record = (operation: string, change: Partial<AccessRecord> = {}): AccessRecord => ({
    caller: { kind: 'host' },
    ...{ operation, via: 'rest', merchantId: merchant.merchantId, outcome: 'ok', code: null, rows: 0 },
    ...{ personal: false, requestId: 'req_test', atMs: at.clock.nowMs(), durationMs: 1 },
    ...change,
  })
  const make = () =>
    makeRecorder({ queries: at.db.queries, clock: at.clock, random: at.random, log: quietLog })

  test('loses nothing while the table cannot be written, and writes it afterwards', async () => {
    const recorder = make()
    await execute(at.db.queries, 'alter table access_record rename to access_record_gone')
    const refused = recorder.buffer(record('late.one'))
    await expect(refused).rejects.toMatchObject({ code: 'kernel.unavailable', status: 503 })
    await execute(at.db.queries, 'alter table access_record_gone rename to access_record')
    await recorder.close()
    expect(await entries('late.one')).toHaveLength(1)
  })

  test('keeps the others when the database refuses one of a group', async () => {
    const recorder = make()
    void recorder.buffer(record('good.one'))
    // No value that can come through the door: its operation would have to hold U+0000.
    void recorder.buffer(record('bad\u0000one'))
    void recorder.buffer(record('good.two'))
    await recorder.close()
    expect((await entriesOf(merchant)).map(({ operation }) => operation)).toEqual(
      expect.arrayContaining(['good.one', 'good.two']),
    )
  })

  test('refuses at once when too many wait, instead of losing one', async () => {
    const recorder = make()
    for (let i = 0; i < limits.accessRecordBufferMax; i += 1) void recorder.buffer(record('full.one'))
    expect(() => recorder.buffer(record('one.too_many'))).toThrow(
      expect.objectContaining({ code: 'kernel.unavailable' }),
    )
    await recorder.close()
    const [row] = await sql(
      at.db.queries,
      `select count(*)::int as n from access_record where operation = 'full.one'`,
    )
    expect(row).toEqual({ n: limits.accessRecordBufferMax })
  })
})

describe('a rule of the platform', () => {
  async function rule(change: Readonly<Record<string, string>>): Promise<void> {
    const id = newId('rule' satisfies IdKind, { clock: at.clock, random: at.random })
    await at.db.queries.rule.create({
      data: {
        ...{ id, effect: 'stop', reasonCode: 'test', message: {}, createdBy: 'per_any', ...change },
        createdAt: toDate(at.clock.nowMs()),
      },
    })
    // Rules are read every 2 s, tokens every 3 s.
    at.clock.advance(3_001)
  }
  const lift = () =>
    execute(at.db.queries, 'update rule set lifted_at = now() where lifted_at is null').then(() =>
      at.clock.advance(3_001),
    )

  test('that drops a scope hides its fields and refuses its operations, and is undone by lifting it', async () => {
    const seen = await story.publish(app.publisher, {
      manifest: { required: ['order:read', 'customer:read'] },
    })
    const seeing = at.app(await story.connect(merchant, seen))
    const { id } = await createOrder()
    await rule({ effect: 'drop_scope', appId: seen.appId, scope: 'customer:read' })
    expect(await seeing.call('GET', `/v1/orders/${id}`)).not.toHaveProperty('customer')
    await rule({ effect: 'drop_scope', appId: seen.appId, scope: 'order:read' })
    expect((await seeing.refused('GET', `/v1/orders/${id}`, 403)).code).toBe('rules.scope_dropped')
    expect((await api.request('GET', `/v1/orders/${id}`)).status).toBe(200)
    await lift()
    expect(await seeing.call('GET', `/v1/orders/${id}`)).toHaveProperty('customer')
  })

  test('against a publisher holds for its apps at that merchant, and for nobody else’s', async () => {
    const foreign = await story.publish(await story.publisher(), { manifest: { required: ['order:read'] } })
    const other = at.bearer((await story.connect(merchant, foreign)).access_token)
    const publisherId = app.publisher.publisherId
    await rule({ effect: 'read_only', publisherId, merchantId: merchant.merchantId })
    const put = (client: ApiClient) => client.request('PUT', '/v1/storage/a', { json: { value: 1 } })
    expect((await put(api)).body).toMatchObject({ code: 'rules.app_read_only' })
    expect((await api.request('GET', '/v1/orders')).status).toBe(200)
    expect((await put(other)).status).toBe(200)
    await lift()
    expect((await put(api)).status).toBe(200)
  })

  test('about one version or one host stops nothing at the door', async () => {
    await rule({ effect: 'stop', appId: app.appId, versionId: app.versionId })
    await rule({ effect: 'block_host', appId: app.appId, host: 'evil.example' })
    expect((await api.request('GET', '/v1/orders')).status).toBe(200)
    await lift()
  })

  test('that stops an app ends every access within 5 s', async () => {
    await rule({ effect: 'stop', appId: app.appId })
    expect([401, 403]).toContain((await api.request('GET', '/v1/orders')).status)
    await lift()
    expect((await api.request('GET', '/v1/orders')).status).toBe(200)
  })
})
