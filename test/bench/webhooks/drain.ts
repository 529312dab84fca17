import { limits } from '../../../src/kernel/index.ts'
import { median } from '../figures.ts'
import type { Place } from '../places.ts'
import { type Post, runBareLoop } from './bare-loop.ts'
import { bullPlaceOf, runBullJobs } from './bull-jobs.ts'
import type { ReceiverProcess } from './receiver-process.ts'
import { fillOutbox, openWorld, postsOf, recorded, type World } from './world.ts'

/** Medians over the rounds, of ratios taken within one round: the machine is not as fast in the next one. */
export interface DrainFigures {
  readonly shareOfBare: number
  readonly overBull: number
}

/** Sends everything that is due, to the recorded attempts; deliveries per second. */
async function drainOnce(world: World, sent: number): Promise<number> {
  const before = await recorded(world)
  const events = world.fixture.makeEvents()
  const startedAtMs = performance.now()
  await events.drainNow()
  const seconds = (performance.now() - startedAtMs) / 1000
  const after = await recorded(world)
  if (after - before !== sent) throw new Error(`${after - before} of ${sent} deliveries were recorded`)
  return sent / seconds
}

interface Round {
  readonly bare: number
  readonly drain: number
  readonly bull: number
}

/** One receiver, `count` due deliveries a round, signed and recorded, beside a bare loop and `jobs` BullMQ jobs. */
export async function benchDrain(
  place: Place,
  receiver: ReceiverProcess,
  { count, rounds, jobs }: { readonly count: number; readonly rounds: number; readonly jobs: number },
  say: (line: string) => void,
): Promise<DrainFigures & { readonly posts: readonly Post[] }> {
  const world = await openWorld(place)
  const figures: Round[] = []
  let posts: readonly Post[] = []
  try {
    const [installed] = await world.addEndpoints([`${receiver.origin}/one`])
    if (installed === undefined) throw new Error('no endpoint')
    for (let round = 0; round < rounds; round += 1) {
      await fillOutbox(world, count, `r${round}x`)
      await world.fixture.makeEvents({}).relayNow()
      if (round === 0) {
        posts = await postsOf(world, installed)
        // Once before the clock starts: the first thousands of requests compile the code that the others run.
        await runBareLoop(receiver.origin, posts.slice(0, count / 4), limits.drainConcurrencyMax)
      }
      const bare = await runBareLoop(receiver.origin, posts, limits.drainConcurrencyMax)
      const drain = await drainOnce(world, count)
      const bull = await runBullJobs(bullPlaceOf(place, world), receiver.origin, posts.slice(0, jobs))
      figures.push({ bare, drain, bull })
      say(
        `  bare loop ${bare.toFixed(0)}/s, drain ${drain.toFixed(0)}/s, BullMQ, one job per delivery, ` +
          `${bull.toFixed(0)}/s: ${((100 * drain) / bare).toFixed(0)} %, ${(drain / bull).toFixed(1)} times`,
      )
    }
  } finally {
    await world.close()
  }
  return {
    shareOfBare: median(figures.map(({ bare, drain }) => drain / bare)),
    overBull: median(figures.map(({ bull, drain }) => drain / bull)),
    posts,
  }
}
