import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { sql } from '../../../src/db/index.ts'
import type { OutgoingDelivery } from '../../../src/events/index.ts'
import { limits, present } from '../../../src/kernel/index.ts'
import { startReceiver, status, type TestReceiver } from '../../support/test-receiver.ts'
import { type Fixture, type Installed, openFixture } from '../events/fixture.ts'
import { endpointRowOf } from './endpoint-rows.ts'

let fixture: Fixture
let receiver: TestReceiver

beforeAll(async () => {
  fixture = await openFixture()
})
afterAll(() => fixture.close())
beforeEach(async () => {
  receiver = await startReceiver()
})
afterEach(() => receiver.close())

const endpointOf = (installed: Installed) => endpointRowOf(fixture, installed)

/** A paused endpoint whose receiver still answers 500. */
async function paused(): Promise<Installed> {
  receiver.behave(status(500))
  const installed = await fixture.install()
  await fixture.addEndpoint(installed, receiver.url)
  const { recorded, deliver } = await open(installed)
  await recorded?.([{ outcome: await deliver(outgoing(installed)), state: 'exhausted' }])
  expect((await endpointOf(installed)).state).toBe('paused')
  return installed
}

const outgoing = (installed: Installed, change: Partial<OutgoingDelivery> = {}): OutgoingDelivery => ({
  ...installed,
  ...{ id: 'dlv_1', eventId: 'evt_1', eventType: 'order.paid', subject: 'ord_1', sequence: 7n, attempt: 1 },
  ...{
    sentAtMs: fixture.clock.nowMs(),
    replayId: null,
    thin: false,
    body: '{}',
    granted: [],
    grantEpoch: 1,
  },
  ...change,
})
const open = async ({ streamId, appId }: Installed) =>
  present(await fixture.webhooks({ timeoutMs: 1_000 }).open({ streamId, appId }), 'a receiver')

describe('a receiver that the sink opens', () => {
  test('names a replay and a thin body in headers, and neither on live traffic', async () => {
    const installed = await fixture.install()
    await fixture.addEndpoint(installed, receiver.url)
    const { deliver } = await open(installed)
    await deliver(outgoing(installed))
    await deliver(outgoing(installed, { replayId: 'rpl_1', thin: true }))
    const [live, replayed] = receiver.requests.map(({ headers }) => headers)
    expect(Object.keys(live ?? {})).not.toEqual(expect.arrayContaining(['webhook-replay']))
    expect(live).not.toHaveProperty('webhook-thin')
    expect(replayed).toMatchObject({ 'webhook-replay': 'rpl_1', 'webhook-thin': 'true' })
  })

  test.each([
    [429, true],
    [502, true],
    [504, true],
    [500, false],
    [503, false],
  ])('%i: the receiver asks for less: %s', async (code, overloaded) => {
    receiver.behave(status(code))
    const installed = await fixture.install()
    await fixture.addEndpoint(installed, receiver.url)
    const outcome = await (await open(installed)).deliver(outgoing(installed))
    expect(outcome).toMatchObject({ kind: 'failed', overloaded })
  })

  test('says what its developers decided about order and rate', async () => {
    const installed = await fixture.install()
    await fixture.addEndpoint(installed, receiver.url)
    expect(await open(installed)).toMatchObject({ fifo: false, ratePerSecond: null, probing: false })
    await sql(
      fixture.db.queries,
      'update endpoint set fifo = true, rate_per_second = 5 where stream_id = $1',
      installed.streamId,
    )
    expect(await open(installed)).toMatchObject({ fifo: true, ratePerSecond: 5 })
  })

  test('of a paused endpoint opens when a probe is due, for one delivery', async () => {
    const installed = await paused()
    const { streamId, appId } = installed
    expect(await fixture.webhooks().open({ streamId, appId })).toBeNull()
    fixture.clock.advance(limits.webhookProbeMs)
    const probe = await open(installed)
    expect(probe).toMatchObject({ probing: true, concurrencyMax: 1 })
    const seen = receiver.requests.length
    expect(await probe.deliver(outgoing(installed))).toMatchObject({ kind: 'deferred', delayMs: 0 })
    // Whoever holds it still sends nothing by it.
    expect(await probe.deliver(outgoing(installed))).toMatchObject({ kind: 'deferred' })
    expect(receiver.requests).toHaveLength(seen + 1)
    expect(await fixture.webhooks().open({ streamId, appId })).toBeNull()
  })

  test('sends nothing more by a receiver whose results have paused the endpoint', async () => {
    receiver.behave(status(500))
    const installed = await fixture.install()
    await fixture.addEndpoint(installed, receiver.url)
    const opened = await open(installed)
    const outcome = await opened.deliver(outgoing(installed))
    await opened.recorded?.([{ outcome, state: 'exhausted' }])
    expect(await opened.deliver(outgoing(installed))).toMatchObject({ kind: 'deferred', delayMs: 0 })
    expect(receiver.requests).toHaveLength(1)
    expect((await endpointOf(installed)).state).toBe('paused')
  })

  test('counts a probe once that two nodes made at the same time', async () => {
    const installed = await paused()
    fixture.clock.advance(limits.webhookProbeMs)
    const nodes = await Promise.all([open(installed), open(installed)])
    await Promise.all(nodes.map(({ deliver }) => deliver(outgoing(installed))))
    expect((await endpointOf(installed)).probe_failures).toBe(1)
  })
})
