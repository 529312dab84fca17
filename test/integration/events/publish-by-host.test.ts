import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bind, bindingOf } from '../../../src/db/executor.ts'
import { sql } from '../../../src/db/index.ts'
import { limits, newId, type Transaction } from '../../../src/kernel/index.ts'
import type { Answer, ProblemBody } from '../../support/api-client.ts'
import { startTestPlatform, type TestPlatform } from '../../support/platform.ts'
import { leavingNothing } from '../../support/row-counts.ts'
import { makeStory, type Story, type TestApp, type TestMerchant } from '../../support/story.ts'
import { startReceiver, type TestReceiver } from '../../support/test-receiver.ts'
import { orderData } from './fixture.ts'

let at: TestPlatform
let story: Story
let merchantId: string

beforeAll(async () => {
  at = await startTestPlatform()
  story = makeStory(at)
  merchantId = (await story.merchant()).merchantId
})
afterAll(() => at.close())

interface Published {
  readonly id: string
  readonly repeated: boolean
}

const orderId = () => newId('order', at)

interface Sent {
  readonly type: string
  readonly merchantId: string
  readonly subject: string
  readonly data: unknown
  readonly source?: string
  readonly externalId?: string
  readonly occurredAt?: string
}

function paid(change: Partial<Sent> = {}): Sent {
  const subject = orderId()
  return { type: 'order.paid', merchantId, subject, data: orderData(subject), ...change }
}

const post = (json: unknown, headers: Readonly<Record<string, string>> = {}) =>
  at.host.request<Published & ProblemBody>('POST', '/host/v1/events', { json, headers })
const postBatch = (events: readonly unknown[], headers: Readonly<Record<string, string>> = {}) =>
  at.host.request<{ readonly data: readonly Published[] } & ProblemBody>('POST', '/host/v1/events:batch', {
    json: { events },
    headers,
  })

interface EventRow {
  readonly id: string
  readonly subject: string
  readonly type: string
  readonly data: string
  readonly source: string
}

const eventsOf = (merchant: string) =>
  sql<EventRow>(
    at.db.queries,
    'select id, subject, type, data, source from event where merchant_id = $1 order by seq',
    merchant,
  )

const freshMerchant = async () => (await story.merchant()).merchantId

const wrongPlaces = ({ body }: Answer<ProblemBody>) =>
  body.errors?.map(({ pointer, code }) => `${pointer} ${code}`).sort()

describe('one event', () => {
  test('is stored as it was sent, and its id is the answer', async () => {
    const event = paid({ source: 'https://erp.example/orders', occurredAt: '2026-11-22T09:30:00Z' })
    const { status, body } = await post(event)
    expect([status, body.repeated]).toEqual([201, false])
    const [row] = await sql<EventRow & { occurred_at: Date }>(
      at.db.queries,
      'select id, subject, type, data, source, occurred_at from event where id = $1',
      body.id,
    )
    expect(row).toMatchObject({ type: 'order.paid', source: event.source, subject: event.subject })
    expect(JSON.parse(row?.data ?? '')).toEqual(event.data)
    expect(row?.occurred_at.toISOString()).toBe('2026-11-22T09:30:00.000Z')
  })

  test('without the host key is refused, and with another credential too', async () => {
    await leavingNothing(at, async () => {
      const { code } = await at.anonymous.refused('POST', '/host/v1/events', 401, { json: paid() })
      expect(code).toBe('capability.unauthenticated')
    })
    const { api } = await at.person()
    await api.refused('POST', '/host/v1/events', 401, { json: paid() })
    await api.refused('POST', '/host/v1/events:batch', 401, { json: { events: [paid()] } })
  })

  test.each<[string, () => object, number, string, readonly string[]]>([
    [
      'of a type nobody declared',
      () => paid({ type: 'order.lost' }),
      422,
      'events.invalid_event',
      ['/type unknown_type'],
    ],
    [
      'of a type that only the platform publishes',
      () => paid({ type: 'app.installed' }),
      422,
      'events.invalid_event',
      ['/type platform_type'],
    ],
    [
      'of a merchant that is not there',
      () => paid({ merchantId: newId('merchant', at) }),
      422,
      'events.invalid_event',
      ['/merchantId unknown_merchant'],
    ],
    [
      'whose data is not what the type says',
      () => paid({ data: { ...orderData('ord_1'), total: { amount: -1, currency: 'CNY' }, more: 1 } }),
      422,
      'events.invalid_event',
      ['/data/more additionalProperties', '/data/orderId pattern', '/data/total/amount minimum'],
    ],
    [
      'with a source that is no URI reference',
      () => paid({ source: 'http://[' }),
      422,
      'events.invalid_event',
      ['/source uri-reference'],
    ],
    [
      'with a merchant id that is none',
      () => paid({ merchantId: 'shop-7' }),
      400,
      'capability.invalid_input',
      ['/merchantId pattern'],
    ],
    ['without data', () => paid({ data: undefined }), 400, 'capability.invalid_input', ['/data required']],
  ])('%s is refused at its place and leaves nothing', async (_what, event, status, code, places) => {
    await leavingNothing(at, async () => {
      const answer = await post(event())
      expect([answer.status, answer.body.code]).toEqual([status, code])
      // The wrong merchant id breaks no other rule.
      expect(wrongPlaces(answer)).toEqual(expect.arrayContaining([...places]))
    })
  })

  test('in a body that is too large is 413', async () => {
    const raw = JSON.stringify({ ...paid(), padding: 'x'.repeat(limits.requestBodyBytesMax) })
    const headers = { 'content-type': 'application/json' }
    const answer = await at.host.request<ProblemBody>('POST', '/host/v1/events', { raw, headers })
    expect([answer.status, answer.body.code]).toEqual([413, 'capability.body_too_large'])
  })
})

describe('a batch', () => {
  test('is published as a whole, in its order', async () => {
    const merchant = await freshMerchant()
    // Keys in the opposite order of the events: what is inserted in the order of the key still comes out in this one.
    const events = Array.from({ length: limits.eventsPerBatchMax }, (_, index) =>
      paid({ merchantId: merchant, source: '/erp', externalId: `order-${1_000 - index}` }),
    )
    const { status, body } = await postBatch(events)
    expect([status, body.data.length]).toEqual([201, limits.eventsPerBatchMax])
    const rows = await eventsOf(merchant)
    expect(rows.map(({ id }) => id)).toEqual(body.data.map(({ id }) => id))
    expect(rows.map(({ subject }) => subject)).toEqual(events.map(({ subject }) => subject))
  })

  test('with one wrong event stores none, and tells every wrong place of all events', async () => {
    await leavingNothing(at, async () => {
      const answer = await postBatch([
        paid(),
        paid({ type: 'order.lost' }),
        paid({ data: { ...orderData(orderId()), total: { amount: 'much', currency: 'CNY' } } }),
        paid({ merchantId: newId('merchant', at), subject: 'a\u0001b' }),
      ])
      expect([answer.status, answer.body.code]).toEqual([422, 'events.invalid_event'])
      expect(wrongPlaces(answer)).toEqual([
        '/events/1/type unknown_type',
        '/events/2/data/total/amount type',
        '/events/3/merchantId unknown_merchant',
        '/events/3/subject text',
      ])
    })
  })

  test('that is wrong everywhere tells no more than its bound', async () => {
    const answer = await postBatch(
      Array.from({ length: 300 }, () => paid({ type: 'order.lost', source: 'http://[' })),
    )
    expect(answer.body.errors).toHaveLength(limits.inputProblemsMax)
  })

  test('of more than its bound, or of none, is refused', async () => {
    const one = { type: 'x', merchantId, subject: 'x', data: 1 }
    const many = await postBatch(Array.from({ length: limits.eventsPerBatchMax + 1 }, () => one))
    expect([many.status, wrongPlaces(many)]).toEqual([400, ['/events maxItems']])
    expect((await postBatch([])).status).toBe(400)
  })

  test('of 500 events takes three statements, as one of a single event does', async () => {
    const merchant = await freshMerchant()
    const place = (event: Sent, index: number) => ({ pointer: `/events/${index}`, event })
    const countFor = (events: readonly Sent[]) =>
      at.db.tx(async (tx) => {
        const texts = watch(tx)
        await at.platform.events.publishAsHost(tx, events.map(place))
        return texts.length
      })
    const batch = Array.from({ length: limits.eventsPerBatchMax }, (_, index) =>
      paid({ merchantId: merchant, externalId: `few-${index}` }),
    )
    // Merchants, rows; and a third for those that are known already.
    expect(await countFor([paid()])).toBe(2)
    expect(await countFor(batch)).toBe(2)
    expect(await countFor(batch)).toBe(3)
    expect(await eventsOf(merchant)).toHaveLength(limits.eventsPerBatchMax)
  })
})

/** Texts of the statements that run in this transaction from now on. */
function watch(tx: Transaction): readonly string[] {
  const binding = bindingOf(tx)
  const texts: string[] = []
  const run: typeof binding.executor.run = (text, values) => {
    texts.push(text)
    return binding.executor.run(text, values)
  }
  bind(tx, { ...binding, executor: { run } })
  return texts
}

describe('what is sent twice is published once', () => {
  test('with the same key: the same answer, and no second event', async () => {
    const merchant = await freshMerchant()
    const key = { 'idempotency-key': `publish-${merchant}` }
    const events = [paid({ merchantId: merchant }), paid({ merchantId: merchant })]
    const first = await postBatch(events, key)
    const second = await postBatch(events, key)
    expect([second.status, second.headers['idempotency-replayed']]).toEqual([201, 'true'])
    expect(second.body).toEqual(first.body)
    expect(await eventsOf(merchant)).toHaveLength(2)
    const other = await postBatch([paid({ merchantId: merchant })], key)
    expect([other.status, other.body.code]).toEqual([422, 'capability.idempotency_key_reused'])
  })

  test('with the same source and externalId: the same id, said to be a repetition', async () => {
    const merchant = await freshMerchant()
    const event = paid({ merchantId: merchant, source: '/pos', externalId: 'receipt-1' })
    const first = await post(event)
    const second = await post(event)
    expect([second.status, second.body]).toEqual([201, { id: first.body.id, repeated: true }])
    expect((await post({ ...event, source: '/web' })).body.repeated).toBe(false)
    expect(await eventsOf(merchant)).toHaveLength(2)
  })

  test('by two requests at once: both get one id', async () => {
    const merchant = await freshMerchant()
    const event = paid({ merchantId: merchant, externalId: `race-${merchant}` })
    const answers = await Promise.all(Array.from({ length: 6 }, () => post(event)))
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 6 }, () => 201))
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1)
    expect(answers.filter(({ body }) => !body.repeated)).toHaveLength(1)
    expect(await eventsOf(merchant)).toHaveLength(1)
  })

  test('by batches at once that share events in opposite orders: each once, and none waits for the other forever', async () => {
    const merchant = await freshMerchant()
    const events = Array.from({ length: 40 }, (_, index) =>
      paid({ merchantId: merchant, externalId: `${merchant}-${index}` }),
    )
    const turned = [...events].reverse()
    const answers = await Promise.all([postBatch(events), postBatch(turned), postBatch(events)])
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201])
    const [first = [], second = [], third] = answers.map(({ body }) => body.data.map(({ id }) => id))
    expect([...second].reverse()).toEqual(first)
    expect(third).toEqual(first)
    expect(await eventsOf(merchant)).toHaveLength(40)
  })

  test('inside one batch: the second is the first', async () => {
    const merchant = await freshMerchant()
    const event = paid({ merchantId: merchant, externalId: `twin-${merchant}` })
    const { body } = await postBatch([event, paid({ merchantId: merchant }), event])
    expect(body.data.map(({ repeated }) => repeated)).toEqual([false, false, true])
    expect(body.data[2]?.id).toBe(body.data[0]?.id)
    expect(await eventsOf(merchant)).toHaveLength(2)
  })

  test('after a crash before the commit it is new, after one behind the commit it is known', async () => {
    const merchant = await freshMerchant()
    const event = paid({ merchantId: merchant, externalId: `crash-${merchant}` })
    const crashed = at.db.tx(async (tx) => {
      await at.platform.events.publishAsHost(tx, [{ pointer: '', event }])
      throw new Error('the process is gone')
    })
    await expect(crashed).rejects.toThrow('the process is gone')
    expect(await eventsOf(merchant)).toEqual([])
    const first = await post(event)
    // The answer of `first` was lost on its way.
    const again = await post(event)
    expect([first.body.repeated, again.body]).toEqual([false, { id: first.body.id, repeated: true }])
    expect(await eventsOf(merchant)).toHaveLength(1)
  })

  test('but another event under that id is refused, in words that do not say whose it is', async () => {
    const event = paid({ source: '/pos', externalId: 'receipt-2' })
    await post(event)
    await leavingNothing(at, async () => {
      const other = await postBatch([paid(), { ...event, subject: orderId() }])
      const foreign = await postBatch([paid(), { ...event, merchantId: await freshMerchantInside() }])
      expect([other.status, other.body.code]).toEqual([409, 'events.external_id_taken'])
      expect(wrongPlaces(other)).toEqual(['/events/1/externalId taken'])
      const told = ({ code, detail, errors }: ProblemBody) => ({ code, detail, errors })
      expect(told(foreign.body)).toEqual(told(other.body))
    })
  })
})

let secondMerchant: Promise<string> | null = null
/** Made before anything is counted. */
function freshMerchantInside(): Promise<string> {
  secondMerchant ??= freshMerchant()
  return secondMerchant
}
beforeAll(() => freshMerchantInside())

describe('what reaches an app', () => {
  let receiver: TestReceiver
  let app: TestApp
  beforeAll(async () => {
    receiver = await startReceiver()
    const publisher = await story.publisher()
    app = await story.publish(publisher, {
      manifest: { required: ['order:read'], optional: ['customer:read'], events: ['order.paid'] },
    })
  })
  afterAll(() => receiver.close())

  async function bodyAfter(merchant: TestMerchant): Promise<{ readonly data: Record<string, unknown> }> {
    const subject = orderId()
    await post(paid({ merchantId: merchant.merchantId, subject, data: orderData(subject, true) }))
    await at.platform.events.relayNow()
    const [row] = await sql<{ text: string }>(
      at.db.queries,
      'select b.text from delivery d join body b on b.hash = d.body_hash where d.merchant_id = $1 and d.subject = $2',
      merchant.merchantId,
      subject,
    )
    return JSON.parse(row?.text ?? 'null')
  }

  test('holds only the fields that its grant allows', async () => {
    const [narrow, wide] = [await story.merchant(), await story.merchant()]
    await story.install(narrow, app)
    await story.install(wide, app, ['customer:read'])
    const members = Object.keys(orderData('ord_1')).sort()
    expect(Object.keys((await bodyAfter(narrow)).data).sort()).toEqual(members)
    expect(Object.keys((await bodyAfter(wide)).data).sort()).toEqual([...members, 'customer'].sort())
  })
})
