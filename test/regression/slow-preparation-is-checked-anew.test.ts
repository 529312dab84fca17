import { expect, test } from 'vitest'
import { tryDelivery } from '../../src/events/drain/attempt-delivery.ts'
import type { Receiver } from '../../src/events/index.ts'
import { makeMeters } from '../../src/events/meters.ts'
import { limits } from '../../src/kernel/index.ts'
import { makeChance } from '../simulation/chance.ts'
import { makeRowModel } from '../simulation/row-model.ts'
import { catalog, makeScene, publicUrl } from '../simulation/scene.ts'
import { quietLog } from '../support/database.ts'

test.for([
  { tookMs: limits.drainFreshMs, ending: 'delivered' },
  { tookMs: limits.drainFreshMs + 1, ending: 'deferred' },
])('a body that took $tookMs ms to be made anew is $ending', async ({ tookMs, ending }) => {
  let nowMs = 1_000_000
  const { events } = makeRowModel(makeScene(makeChance('scene')))
  const event = { id: 'evt_1', source: '/host', type: 'order.paid', version: 1, merchantId: 'mer_1' }
  const findEvent = () => {
    nowMs += tookMs
    return Promise.resolve({ ...event, subject: 'ord_1', data: '{}', occurredAtMs: 0, createdAtMs: 0 })
  }
  const delivered = { kind: 'delivered', status: 200, error: null, response: '', log: null } as const
  const receiver: Receiver = {
    ...{
      concurrencyMax: 1,
      adaptive: false,
      fifo: false,
      ratePerSecond: null,
      probing: false,
      startSequence: 0n,
    },
    deliver: () => Promise.resolve(delivered),
  }
  const tried = await tryDelivery(
    {
      ...{ store: { ...events, findEvent }, catalog, publicUrl, clock: { nowMs: () => nowMs } },
      ...{ random: makeChance('ids'), log: quietLog, meters: makeMeters() },
    },
    receiver,
    {
      ...{ id: 'dlv_1', merchantId: 'mer_1', installationId: 'ins_1', appId: 'app_1', streamId: 'str_1' },
      ...{ sequence: 1n, eventId: 'evt_1', eventType: 'order.paid', subject: 'ord_1', state: 'pending' },
      // The grant has become narrower than what the stored body shows.
      ...{ scopes: ['customer:read', 'order:read'], granted: ['order:read'], grantEpoch: 2 },
      ...{ attempts: 0, createdAtMs: 0, body: '{}', live: true },
    },
    null,
  )
  expect(tried.ending.kind).toBe(ending)
})
