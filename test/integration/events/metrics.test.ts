import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { execute } from '../../../src/db/index.ts'
import { limits, makeLog } from '../../../src/kernel/index.ts'
import { startTestPlatform, type TestPlatform } from '../../support/platform.ts'
import { makeStory, type TestMerchant } from '../../support/story.ts'
import { startReceiver, status, type TestReceiver } from '../../support/test-receiver.ts'
import { watchStatements } from '../../support/watch-statements.ts'
import { orderData } from './fixture.ts'

let at: TestPlatform
let receiver: TestReceiver
let merchant: TestMerchant
let secret: string
const lines: Record<string, unknown>[] = []

/** A log whose lines the test reads. */
function readableLog() {
  const log = makeLog({ level: 'info' })
  return new Proxy(log, {
    get: (target, name) =>
      name === 'info'
        ? (values: object, message: string) => lines.push({ ...values, message })
        : (Reflect.get(target, name) as unknown),
  })
}

beforeAll(async () => {
  receiver = await startReceiver()
  at = await startTestPlatform({ log: readableLog() })
  const story = makeStory(at)
  const publisher = await story.publisher()
  const app = await story.publish(publisher, {
    manifest: { required: ['order:read'], events: ['order.paid'] },
  })
  merchant = await story.merchant()
  await story.install(merchant, app)
  const endpoint = await publisher.owner.api.call<{ readonly id: string; readonly secret: string }>(
    'POST',
    `/developer/v1/apps/${app.appId}/endpoints`,
    { url: receiver.url },
  )
  secret = endpoint.secret
  await execute(
    at.db.queries,
    `update endpoint set state = 'active', verified_at = now() where id = $1`,
    endpoint.id,
  )
  await at.platform.events.relayNow()
  await at.platform.events.drainNow()
})
afterAll(async () => {
  await at.close()
  await receiver.close()
})

/** Every number of /metrics by its name and labels; what was read from the database is not older than this call. */
async function numbers(): Promise<ReadonlyMap<string, number>> {
  at.clock.advance(limits.metricsFreshMs)
  const { text } = await at.anonymous.request('GET', '/metrics')
  return new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => {
        const space = line.lastIndexOf(' ')
        return [line.slice(0, space), Number(line.slice(space + 1))] as const
      }),
  )
}

async function publish(count: number): Promise<void> {
  const event = { type: 'order.paid', merchantId: merchant.merchantId, subject: 'ord_1' }
  const data = orderData('ord_01JD0000000000000000000001')
  const events = Array.from({ length: count }, () => ({ ...event, data }))
  await at.host.call('POST', '/host/v1/events:batch', { events })
}

describe('/metrics', () => {
  test('tells what waits in the outbox, how long, and that it has gone', async () => {
    const before = await numbers()
    expect(before.get('stoa_outbox_events')).toBe(0)
    expect(before.get('stoa_outbox_oldest_seconds')).toBe(0)
    await publish(3)
    at.clock.advance(20_000)
    const waiting = await numbers()
    expect(waiting.get('stoa_outbox_events')).toBe(3)
    expect(waiting.get('stoa_outbox_oldest_seconds')).toBeGreaterThanOrEqual(20)
    await at.platform.events.relayNow()
    const after = await numbers()
    expect(after.get('stoa_outbox_events')).toBe(0)
    const grown = (name: string) => (after.get(name) ?? 0) - (before.get(name) ?? 0)
    expect(grown('stoa_relay_batches_total')).toBe(1)
    expect(grown('stoa_relayed_events_total')).toBe(3)
    expect(grown('stoa_relayed_deliveries_total')).toBe(3)
    at.clock.advance(30_000)
    const due = await numbers()
    expect(due.get('stoa_deliveries_due')).toBe(3)
    expect(due.get('stoa_deliveries_oldest_due_seconds')).toBeGreaterThanOrEqual(30)
    await at.platform.events.drainNow()
    const drained = await numbers()
    expect(drained.get('stoa_deliveries_due')).toBe(0)
    expect(drained.get('stoa_deliveries_oldest_due_seconds')).toBe(0)
  })

  test('counts attempts by how they ended', async () => {
    const before = await numbers()
    receiver.behave((_request, index) => status(index % 2 === 0 ? 500 : 200))
    await publish(4)
    await at.platform.events.relayNow()
    await at.platform.events.drainNow()
    const after = await numbers()
    const grown = (outcome: string) => {
      const name = `stoa_attempts_total{outcome="${outcome}"}`
      return (after.get(name) ?? 0) - (before.get(name) ?? 0)
    }
    expect([grown('delivered'), grown('failed')]).toEqual([2, 2])
    expect(after.get('stoa_attempt_seconds_total')).toBeGreaterThanOrEqual(
      before.get('stoa_attempt_seconds_total') ?? 0,
    )
    receiver.behave(status(200))
  })

  test('shows what is in flight while it is, and not after', async () => {
    receiver.behave({ kind: 'hang' })
    const sofar = receiver.requests.length
    await publish(2)
    await at.platform.events.relayNow()
    const draining = at.platform.events.drainNow()
    await receiver.received(sofar + 1)
    const during = await numbers()
    expect(during.get('stoa_attempts_in_flight')).toBeGreaterThanOrEqual(1)
    expect(during.get('stoa_streams_draining')).toBe(1)
    receiver.behave(status(200))
    receiver.release(status(200))
    await draining
    const after = await numbers()
    expect(after.get('stoa_attempts_in_flight')).toBe(0)
    expect(after.get('stoa_streams_draining')).toBe(0)
  })

  test('counts a stream taken over from a drain that died', async () => {
    const before = await numbers()
    await execute(
      at.db.queries,
      `update stream set lease_owner = 'run_dead', lease_until = now() - interval '1 minute'`,
    )
    await publish(1)
    await at.platform.events.relayNow()
    await at.platform.events.drainNow()
    const after = await numbers()
    const name = 'stoa_lease_takeovers_total'
    expect((after.get(name) ?? 0) - (before.get(name) ?? 0)).toBe(1)
    await publish(1)
    await at.platform.events.relayNow()
    await at.platform.events.drainNow()
    expect((await numbers()).get(name)).toBe(after.get(name))
  })

  test('asks the database once in a while, however often it is scraped', async () => {
    await numbers()
    const watched = watchStatements(at.db)
    const scrapes = Array.from({ length: 10 }, () => at.anonymous.request('GET', '/metrics'))
    await Promise.all(scrapes)
    expect(watched.texts).toEqual([])
    at.clock.advance(limits.metricsFreshMs)
    await Promise.all(Array.from({ length: 10 }, () => at.anonymous.request('GET', '/metrics')))
    expect(watched.texts).toHaveLength(1)
    watched.end()
  })

  test('has the numbers of the process itself', async () => {
    const all = await numbers()
    expect(all.get('process_resident_memory_bytes')).toBeGreaterThan(1_000_000)
    expect([...all.keys()].some((name) => name.startsWith('nodejs_eventloop_lag'))).toBe(true)
  })
})

describe('the line of an attempt', () => {
  test('says what was sent where, how it ended, how long it took and how late it was, and no secret', async () => {
    lines.length = 0
    await publish(1)
    at.clock.advance(60_000)
    await at.platform.events.relayNow()
    at.clock.advance(5_000)
    await at.platform.events.drainNow()
    const [line] = lines.filter(({ message }) => message === 'delivery.attempted')
    expect(line).toMatchObject({
      deliveryId: expect.stringMatching(/^dlv_/) as unknown,
      eventId: expect.stringMatching(/^evt_/) as unknown,
      eventType: 'order.paid',
      streamId: expect.stringMatching(/^str_/) as unknown,
      appId: expect.stringMatching(/^app_/) as unknown,
      merchantId: merchant.merchantId,
      installationId: expect.stringMatching(/^ins_/) as unknown,
      attempt: 1,
      outcome: 'delivered',
      state: 'delivered',
      status: 200,
      error: null,
      durationMs: expect.any(Number) as unknown,
    })
    expect(line?.['lagMs']).toBeGreaterThanOrEqual(65_000)
    expect(line?.['lagMs']).toBeLessThan(120_000)
    const text = JSON.stringify(lines)
    expect(text).not.toContain(secret.slice('whsec_'.length))
    expect(text).not.toContain('Tea')
  })
})
