import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startReceiver, type TestReceiver } from '../../support/test-receiver.ts'
import { attemptsOf, deliveriesOf, type Fixture, openFixture, payOrders } from './fixture.ts'

let fixture: Fixture
let receiver: TestReceiver

beforeAll(async () => {
  fixture = await openFixture()
  receiver = await startReceiver()
})
afterAll(async () => {
  await receiver.close()
  await fixture.close()
})

describe('from publish to a signed request', () => {
  test('an event reaches the endpoint once, signed, in the order of the stream, and is recorded', async () => {
    const installed = await fixture.install()
    const secret = await fixture.addEndpoint(installed, receiver.url)
    const events = fixture.makeEvents()
    const eventIds = await payOrders(fixture, events, installed.merchantId, 3)
    expect(await events.relayNow()).toBe(3)
    expect(await events.drainNow()).toBe(3)

    expect(receiver.requests.map(({ headers }) => headers['webhook-id']).sort()).toEqual([...eventIds].sort())
    expect(receiver.requests.map(({ headers }) => headers['webhook-sequence']).sort()).toEqual([
      '1',
      '2',
      '3',
    ])
    for (const { headers, body, method } of receiver.requests) {
      expect(method).toBe('POST')
      expect(headers['webhook-attempt']).toBe('1')
      expect(headers['content-type']).toBe('application/json')
      expect(headers['user-agent']).toMatch(/^Stoa-Webhooks\//)
      new Webhook(secret).verify(body, headers)
    }
    const deliveries = await deliveriesOf(fixture, installed.streamId)
    expect(deliveries.map(({ state, sequence }) => [state, sequence])).toEqual([
      ['delivered', 1n],
      ['delivered', 2n],
      ['delivered', 3n],
    ])
    const attempts = await attemptsOf(fixture, installed.streamId)
    expect(attempts).toHaveLength(3)
    expect(
      attempts.every(
        ({ outcome, status, error }) => outcome === 'delivered' && status === 200 && error === null,
      ),
    ).toBe(true)
    expect(await events.relayNow()).toBe(0)
    expect(await events.drainNow()).toBe(0)
  })
})
