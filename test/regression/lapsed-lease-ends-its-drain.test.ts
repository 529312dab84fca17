import { expect, test } from 'vitest'
import { makeEventPath } from '../../src/events/event-path.ts'
import type { Outcome, Receiver } from '../../src/events/index.ts'
import { makeMeters } from '../../src/events/meters.ts'
import { makeRuleSource } from '../../src/events/rule-book.ts'
import { deafQueue } from '../integration/events/fixture.ts'
import { makeChance } from '../simulation/chance.ts'
import { makeRowModel } from '../simulation/row-model.ts'
import { catalog, makeScene, publicUrl } from '../simulation/scene.ts'
import { clockOf, dueTimers, fire, makeOwner, makeSim, rest, timersOf } from '../simulation/sim.ts'
import { quietLog } from '../support/database.ts'

// The receiver takes one delivery per second, so the second one waits for a timer. The process then stands still for
// longer than its lease, nobody takes the stream, and the renewal revives the lease after that timer has fired in vain.
test('a drain that slept through its lease ends, and what was due is sent by the next one', async () => {
  const sim = makeSim('lapsed')
  const owner = makeOwner('p1', 0)
  const { events: store, people } = makeRowModel(makeScene(makeChance('scene')))
  const [clock, timers] = [clockOf(sim, owner), timersOf(sim, owner)]
  const sent: number[] = []
  const delivered: Outcome = { kind: 'delivered', status: 200, error: null, response: '', log: null }
  const receiver: Receiver = {
    ...{
      concurrencyMax: 1,
      adaptive: false,
      fifo: false,
      ratePerSecond: 1,
      probing: false,
      startSequence: 0n,
    },
    deliver({ sequence }) {
      sent.push(Number(sequence))
      return Promise.resolve(delivered)
    },
  }
  const path = makeEventPath({
    ...{ store, catalog, clock, timers, publicUrl, random: sim.chance, log: quietLog, queue: deafQueue },
    ...{ meters: makeMeters(), rules: makeRuleSource({ store, clock }), relays: true, isAlone: false },
    sinks: () => ({ backend: { open: () => Promise.resolve(receiver) } }),
    advanced: () => undefined,
  })
  for (const seq of [1, 2]) {
    const time = { occurred_at: sim.nowMs, created_at: sim.nowMs, relayed_at: null }
    const event = {
      id: `evt_${seq}`,
      seq,
      source: '/host',
      external_id: null,
      type: 'order.paid',
      version: 1,
    }
    await people.publish({ ...event, merchant_id: 'mer_2', subject: 'ord_1', data: '{}', ...time }, true)
  }
  await path.relayNow()
  await path.start()
  await rest()
  sim.nowMs += 50
  for (const timer of dueTimers(sim)) await fire(sim, timer)
  expect(sent).toEqual([1])

  sim.nowMs += 20_000
  // Last made, first fired: the timer of the rate before the renewal.
  for (const timer of dueTimers(sim).toReversed()) await fire(sim, timer)
  for (let second = 0; second < 30; second += 1) {
    sim.nowMs += 1_000
    await path.start()
    for (const timer of dueTimers(sim)) await fire(sim, timer)
  }
  expect(sent).toEqual([1, 2])
})
