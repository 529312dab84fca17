import { median, round } from '../figures.ts'
import { findPlaces, type Place } from '../places.ts'
import type { Post } from './bare-loop.ts'
import { bullPlaceOf, runBullJobs } from './bull-jobs.ts'
import { benchDrain } from './drain.ts'
import { benchNeighbour } from './neighbour.ts'
import { benchPipeline, benchPublish } from './pipeline.ts'
import { type ReceiverProcess, startReceiver } from './receiver-process.ts'
import { openWorld } from './world.ts'

interface Sizes {
  readonly deliveries: number
  readonly embeddedDeliveries: number
  readonly rounds: number
  readonly jobs: number
  readonly embeddedJobs: number
  readonly pipeline: number
  readonly burst: number
  readonly seconds: number
  readonly pairs: number
  readonly phaseMs: number
  readonly endpoints: readonly number[]
}

const fullSizes: Sizes = {
  deliveries: 20_000,
  embeddedDeliveries: 6_000,
  rounds: 3,
  jobs: 7_000,
  embeddedJobs: 2_000,
  pipeline: 20_000,
  burst: 2_000,
  seconds: 5,
  pairs: 5,
  phaseMs: 4_000,
  endpoints: [1, 10, 200],
}
const smallSizes: Sizes = {
  deliveries: 300,
  embeddedDeliveries: 300,
  rounds: 1,
  jobs: 100,
  embeddedJobs: 100,
  pipeline: 200,
  burst: 20,
  seconds: 1,
  pairs: 1,
  phaseMs: 300,
  endpoints: [1, 20],
}

const steadyPerSecond = 200

interface Figures {
  readonly shareOfBare: number
  readonly overBull: number
  readonly pipelineOverBull: number
  readonly publishP95Ms: number
  readonly deliveryP95Ms: number
}

/** From publish to recorded attempt over the most endpoints, each round beside BullMQ with one job per delivery. */
async function comparePipeline(
  place: Place,
  receiver: ReceiverProcess,
  { posts, sizes, say }: { readonly posts: readonly Post[]; readonly sizes: Sizes; say(line: string): void },
): Promise<number> {
  const endpoints = sizes.endpoints.at(-1) ?? 1
  const ratios: number[] = []
  for (let round = 0; round < sizes.rounds; round += 1) {
    const perSecond = await benchPipeline(place, receiver, { endpoints, deliveries: sizes.pipeline })
    const world = await openWorld(place)
    let bull: number
    try {
      bull = await runBullJobs(bullPlaceOf(place, world), receiver.origin, posts)
    } finally {
      await world.close()
    }
    ratios.push(perSecond / bull)
    say(
      `published to recorded, ${endpoints} endpoints: ${perSecond.toFixed(0)} deliveries/s, ` +
        `BullMQ ${bull.toFixed(0)}/s: ${(perSecond / bull).toFixed(1)} times`,
    )
  }
  return median(ratios)
}

async function runPlace(
  place: Place,
  receiver: ReceiverProcess,
  sizes: Sizes,
  say: (line: string) => void,
): Promise<Figures> {
  say(`── ${place.name}`)
  const count = place.kind === 'pglite' ? sizes.embeddedDeliveries : sizes.deliveries
  const jobs = place.kind === 'pglite' ? sizes.embeddedJobs : sizes.jobs
  say(`drain: ${count} due deliveries to one receiver, signed and recorded`)
  const { posts, ...drain } = await benchDrain(place, receiver, { count, jobs, rounds: sizes.rounds }, say)

  for (const endpoints of sizes.endpoints.slice(0, -1)) {
    const deliveries = Math.max(sizes.pipeline / 40, (sizes.pipeline * endpoints) / 40)
    const perSecond = await benchPipeline(place, receiver, { endpoints, deliveries })
    say(`published to recorded, ${endpoints} endpoints: ${perSecond.toFixed(0)} deliveries/s`)
  }
  const pipelineOverBull = await comparePipeline(place, receiver, { posts: posts.slice(0, jobs), sizes, say })

  const publish = await benchPublish(place, receiver, {
    ...{ burst: sizes.burst, perSecond: steadyPerSecond, seconds: sizes.seconds },
  })
  say(
    `publish: ${publish.publishPerSecond.toFixed(0)}/s; at ${steadyPerSecond}/s p95 ` +
      `${publish.publishP95Ms.toFixed(1)} ms, to the receiver p95 ${publish.deliveryP95Ms.toFixed(0)} ms`,
  )
  return { ...drain, pipelineOverBull, ...publish }
}

/** Runs it; gives the ratios of its last line. */
export async function run(options: readonly string[]): Promise<object> {
  const say = (line: string) => console.log(line)
  const sizes = options.includes('--small') ? smallSizes : fullSizes
  const only = options.find((option) => option.startsWith('--only='))?.slice('--only='.length)
  const receiver = await startReceiver()
  try {
    const places = await findPlaces(only, say)
    const figures = new Map<string, Figures>()
    for (const place of places) figures.set(place.name, await runPlace(place, receiver, sizes, say))
    const server = figures.get('postgresql')
    const main = server ?? figures.values().next().value
    const last = places.find(({ name }) => name === 'postgresql') ?? places[0]
    let shift = Number.NaN
    if (last !== undefined && !options.includes('--no-neighbour')) {
      const endpoints = sizes.endpoints.at(-1) ?? 1
      say(`neighbour: 1 of ${endpoints} endpoints hangs, on ${last.name}`)
      const { pairs, phaseMs } = sizes
      shift = await benchNeighbour(last, receiver, { endpoints, pairs, phaseMs, eventsPerSecond: 2 }, say)
    }
    return {
      drain_share_of_bare_loop: round(main?.shareOfBare),
      drain_over_bullmq_jobs: round(server?.overBull),
      pipeline_over_bullmq_jobs: round(server?.pipelineOverBull),
      pglite_over_bullmq_jobs: round(figures.get('pglite')?.overBull),
      publish_p95_ms: round(main?.publishP95Ms),
      delivery_p95_ms: round(main?.deliveryP95Ms),
      neighbour_p95_shift: round(shift, 3),
    }
  } finally {
    await receiver.stop()
  }
}
