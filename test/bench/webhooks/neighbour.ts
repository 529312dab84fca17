import { setTimeout as sleep } from 'node:timers/promises'
import type { Events } from '../../../src/events/index.ts'
import { median, p95 } from '../figures.ts'
import type { Place } from '../places.ts'
import { withStarted } from './pipeline.ts'
import type { ReceiverProcess } from './receiver-process.ts'
import { openWorld, publishOne, type World } from './world.ts'

export interface NeighbourOptions {
  readonly endpoints: number
  readonly pairs: number
  readonly phaseMs: number
  readonly eventsPerSecond: number
}

/** Publishes steadily for one phase; gives the p95 of what reached the healthy endpoints. */
async function phase(
  world: World,
  events: Events,
  receiver: ReceiverProcess,
  { phaseMs, eventsPerSecond, endpoints }: NeighbourOptions,
): Promise<number> {
  receiver.order({ kind: 'reset' })
  const count = Math.max(1, Math.round((phaseMs * eventsPerSecond) / 1000))
  for (let i = 0; i < count; i += 1) {
    await publishOne(world, events)
    await sleep(1000 / eventsPerSecond)
  }
  // The last ones are on their way.
  for (let waitedMs = 0; waitedMs < 10_000; waitedMs += 50) {
    const { latenciesMs } = await receiver.report()
    if (latenciesMs.length >= count * (endpoints - 1)) break
    await sleep(50)
  }
  return p95((await receiver.report()).latenciesMs)
}

/**
 * One endpoint of many hangs: how much later the others get theirs, as a share of what it is without. Phases with and
 * without it alternate; the median over the pairs.
 */
export async function benchNeighbour(
  place: Place,
  receiver: ReceiverProcess,
  options: NeighbourOptions,
  say: (line: string) => void,
): Promise<number> {
  const world = await openWorld(place)
  try {
    const healthy = Array.from({ length: options.endpoints - 1 }, (_, i) => `${receiver.origin}/${i}`)
    await world.addEndpoints([`${receiver.origin}/hang`, ...healthy])
    return await withStarted(world, async (events) => {
      await phase(world, events, receiver, options)
      const shifts: number[] = []
      for (let pair = 0; pair < options.pairs; pair += 1) {
        receiver.order({ kind: 'hang', on: true })
        const onMs = await phase(world, events, receiver, options)
        receiver.order({ kind: 'hang', on: false })
        const offMs = await phase(world, events, receiver, options)
        shifts.push(onMs / offMs - 1)
        say(`  p95 of the healthy: ${onMs} ms while one hangs, ${offMs} ms while none does`)
      }
      return median(shifts)
    })
  } finally {
    receiver.order({ kind: 'hang', on: false })
    await world.close()
  }
}
