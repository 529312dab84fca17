import { setTimeout as sleep } from 'node:timers/promises'
import type { Events } from '../../../src/events/index.ts'
import { p95 } from '../figures.ts'
import type { Place } from '../places.ts'
import type { ReceiverProcess } from './receiver-process.ts'
import { isIdle, openWorld, publishOne, recorded, type World } from './world.ts'

/** A process that publishes, relays and drains, as `npm start` is one. */
export async function withStarted<T>(world: World, work: (events: Events) => Promise<T>): Promise<T> {
  const queue = world.openQueue()
  const events = world.fixture.makeEvents(undefined, { queue })
  await events.start()
  await queue.ready()
  try {
    return await work(events)
  } finally {
    await events.stop()
    await queue.close()
  }
}

/** Waits until nothing is left to relay or to send; throws when not all was recorded then. */
async function untilRecorded(world: World, count: number, limitMs: number): Promise<void> {
  const endMs = Date.now() + limitMs
  // Not by counting attempts: that would cost the database as much as recording them.
  while (!(await isIdle(world))) {
    if (Date.now() > endMs) throw new Error(`not all of ${count} deliveries were sent in ${limitMs} ms`)
    await sleep(20)
  }
  const found = await recorded(world)
  if (found !== count) throw new Error(`${found} attempts were recorded, not ${count}`)
}

/** Deliveries per second from the first publication to the last recorded attempt, `endpoints` apps hearing each event. */
export async function benchPipeline(
  place: Place,
  receiver: ReceiverProcess,
  { endpoints, deliveries }: { readonly endpoints: number; readonly deliveries: number },
): Promise<number> {
  const world = await openWorld(place)
  try {
    await world.addEndpoints(Array.from({ length: endpoints }, (_, i) => `${receiver.origin}/${i}`))
    const count = Math.ceil(deliveries / endpoints)
    return await withStarted(world, async (events) => {
      // Connections, statements and code paths are warm before the clock starts.
      const warm = Math.ceil(count / 5)
      await publishMany(world, events, warm)
      await untilRecorded(world, warm * endpoints, 60_000)
      const startedAtMs = performance.now()
      await publishMany(world, events, count)
      await untilRecorded(world, (count + warm) * endpoints, 120_000)
      return (count * endpoints * 1000) / (performance.now() - startedAtMs)
    })
  } finally {
    await world.close()
  }
}

const publishers = 8

/** Publishes `count` events, eight at a time; gives how long each took. */
async function publishMany(world: World, events: Events, count: number): Promise<readonly number[]> {
  const times: number[] = []
  let left = count
  const work = async () => {
    while (left > 0) {
      left -= 1
      const startedAtMs = performance.now()
      await publishOne(world, events)
      times.push(performance.now() - startedAtMs)
    }
  }
  await Promise.all(Array.from({ length: publishers }, work))
  return times
}

export interface PublishFigures {
  /** As fast as eight publishers can. */
  readonly publishPerSecond: number
  /** At a steady pace: of one publication, and from its start to the receiver. */
  readonly publishP95Ms: number
  readonly deliveryP95Ms: number
}

/** Publishing to one endpoint: as fast as it goes, then at a steady pace with the latencies of both ends. */
export async function benchPublish(
  place: Place,
  receiver: ReceiverProcess,
  {
    burst,
    perSecond,
    seconds,
  }: { readonly burst: number; readonly perSecond: number; readonly seconds: number },
): Promise<PublishFigures> {
  const world = await openWorld(place)
  try {
    await world.addEndpoints([`${receiver.origin}/steady`])
    return await withStarted(world, async (events) => {
      const burstAtMs = performance.now()
      await publishMany(world, events, burst)
      const publishPerSecond = (burst * 1000) / (performance.now() - burstAtMs)
      await untilRecorded(world, burst, 60_000)

      receiver.order({ kind: 'reset' })
      const times: number[] = []
      const running: Promise<void>[] = []
      const startedAtMs = performance.now()
      for (let i = 0; i < perSecond * seconds; i += 1) {
        const waitMs = startedAtMs + (i * 1000) / perSecond - performance.now()
        if (waitMs > 0) await sleep(waitMs)
        const publishedAtMs = performance.now()
        running.push(publishOne(world, events).then(() => void times.push(performance.now() - publishedAtMs)))
      }
      await Promise.all(running)
      await untilRecorded(world, burst + perSecond * seconds, 60_000)
      const { latenciesMs } = await receiver.report()
      return { publishPerSecond, publishP95Ms: p95(times), deliveryP95Ms: p95(latenciesMs) }
    })
  } finally {
    await world.close()
  }
}
