import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { until } from '../../examples/demo/steps.ts'
import { seededRandom } from '../../src/kernel/index.ts'
import { startProgram } from '../process/support/stoa.ts'
import { goneEndpoint } from './behaviour.ts'
import { ask } from './control.ts'
import { openJournal } from './journal.ts'
import { fileNames } from './lines.ts'
import { drawPlan, type PlannedStrike } from './plan.ts'
import { type AtEnd, type ChaosPlatform, makeChaosPlatform } from './platform.ts'
import { type ScenarioName, scenarios } from './scenarios.ts'
import { type Arena, carryOut, type ReceiverState } from './strike.ts'
import { type ChaosWorld, makeChaosWorld } from './world.ts'

export interface RunOptions {
  readonly name: ScenarioName
  readonly events: number
  readonly kills: number
  readonly seed: string
  readonly logLevel: string
  /** Gets the three files, and what the servers need while they run. Every user can enter it. */
  readonly folder: string
  readonly print: (line: string) => void
  readonly atEnd: AtEnd
}

interface PublisherState {
  readonly acknowledged: number
  readonly retries: number
  readonly failure: string | null
  readonly isDone: boolean
}

interface Run extends Arena {
  readonly publisherUrl: string
  readonly pacer: Pacer
  readonly world: ChaosWorld
  readonly tell: (what: string) => void
}

/** Requests of the publisher at once. */
const publishedAtOnce = 8

// The publisher goes before the deliveries by so many events, so that it is at work whenever something is struck.
const leadEventsMax = 200
const paceMs = 100

// A delivery that fails twice, once by our doing and once because the machine is busy, comes after five minutes and a
// fifth. Nothing else takes nearly as long.
const settleMs = 7 * 60_000
const startMs = 60_000
const stallMs = 3 * 60_000
const tickMs = 10_000

/** No run takes longer, whatever happens. */
export function limitMsOf({ events, kills }: Pick<RunOptions, 'events' | 'kills'>): number {
  return startMs + settleMs + 120_000 + events * 25 + kills * 60_000
}

function startPart(
  options: RunOptions,
  part: 'receiver' | 'publisher',
  env: Readonly<Record<string, string>>,
) {
  const file = part === 'receiver' ? fileNames.received : fileNames.acknowledged
  return startProgram(`test/chaos/${part}.ts`, {
    CHAOS_FILE: path.join(options.folder, file),
    CHAOS_LIMIT_MS: String(limitMsOf(options)),
    ...env,
  })
}

async function startPublisher(options: RunOptions, platform: ChaosPlatform, { lanes }: ChaosWorld) {
  const publisher = startPart(options, 'publisher', {
    CHAOS_LANES: JSON.stringify(lanes),
    CHAOS_EVENTS: String(options.events),
    CHAOS_AT_ONCE: String(publishedAtOnce),
    CHAOS_BASE_URL: platform.api.baseUrl,
    CHAOS_HOST_KEY: platform.hostKey,
  })
  return publisher.listening()
}

async function publisherState(run: Run): Promise<PublisherState> {
  const state = await ask<PublisherState>(`${run.publisherUrl}/state`)
  if (state.failure !== null) throw new Error(`the publisher gave up: ${state.failure}`)
  return state
}

/** Waits while something goes on; fails when nothing has for minutes. */
async function whileMoving(
  what: string,
  measure: () => Promise<{ readonly isDone: boolean; readonly progress: number }>,
): Promise<void> {
  let best = -1
  let since = performance.now()
  await until(what, Number.POSITIVE_INFINITY, async () => {
    const { isDone, progress } = await measure()
    if (progress > best) {
      best = progress
      since = performance.now()
    }
    if (performance.now() - since > stallMs) throw new Error(`${what}: nothing moves any more at ${progress}`)
    return isDone ? true : null
  })
}

interface Pacer {
  /** Beyond so many events it publishes only what is asked for. */
  limit(events: number): void
  publishMore(events: number): Promise<void>
  stop(): void
}

/** Lets the publisher follow the deliveries. */
function startPacer(publisherUrl: string, receiverUrl: string): Pacer {
  let ceiling = 0
  const allow = (upTo: number) => ask(`${publisherUrl}/allow`, { upTo })
  const pace = async () => {
    const { taken } = await ask<ReceiverState>(`${receiverUrl}/state`)
    await allow(Math.min(ceiling, taken + leadEventsMax))
  }
  const timer = setInterval(() => void pace().catch(() => undefined), paceMs)
  return {
    limit(events) {
      ceiling = events
    },
    async publishMore(events) {
      const { acknowledged } = await ask<PublisherState>(`${publisherUrl}/state`)
      await allow(acknowledged + events)
    },
    stop: () => clearInterval(timer),
  }
}

async function strikeAll(run: Run, plan: readonly PlannedStrike[], events: number): Promise<void> {
  for (const [index, planned] of plan.entries()) {
    // Enough is left for the strikes to come, however long this one takes.
    run.pacer.limit(plan[index + 1]?.at ?? events)
    await whileMoving(`${planned.at} events delivered`, async () => {
      await publisherState(run)
      const { taken } = await ask<ReceiverState>(`${run.receiverUrl}/state`)
      return { isDone: taken >= planned.at, progress: taken }
    })
    run.tell(await carryOut(run, planned))
  }
  run.pacer.limit(events)
}

async function publishRest(run: Run): Promise<void> {
  await whileMoving('the end of publishing', async () => {
    const { acknowledged, isDone } = await publisherState(run)
    return { isDone, progress: acknowledged }
  })
}

/** Until the platform itself has nothing open any more, or time is up: the checker says what is missing then. */
async function settle(run: Run): Promise<void> {
  const { acknowledged, retries } = await publisherState(run)
  run.tell(`${acknowledged} acknowledged, ${retries} requests repeated; waiting for the deliveries`)
  const isEmpty = async () => {
    const { taken } = await ask<ReceiverState>(`${run.receiverUrl}/state`)
    // Before that an event may still be in the outbox, of which no delivery is known.
    if (taken < acknowledged) return null
    const open = await Promise.all([run.world.hasDeliveries('pending'), run.world.hasDeliveries('waiting')])
    return open.includes(true) ? null : true
  }
  await until('the last delivery', settleMs, isEmpty).catch((error: unknown) => {
    run.tell(`not settled: ${error instanceof Error ? error.message : String(error)}`)
  })
}

function startTicker(run: Run) {
  const show = async () => {
    const { acknowledged } = await publisherState(run)
    const { taken } = await ask<ReceiverState>(`${run.receiverUrl}/state`)
    run.tell(`${acknowledged} acknowledged, ${taken} delivered`)
  }
  const timer = setInterval(() => void show().catch(() => undefined), tickMs)
  return { stop: () => clearInterval(timer) }
}

/** What the processes logged, for whoever looks for a cause. The checker does not read it. */
function writeLogs({ api, workers }: ChaosPlatform, folder: string): void {
  for (const node of new Set([api, ...workers])) {
    writeFileSync(path.join(folder, `${node.name}.log`), `${node.log().join('\n')}\n`)
  }
}

/** Plays one scenario; leaves its three files in the folder. Ends what it started only through `atEnd`. */
export async function playScenario(options: RunOptions): Promise<void> {
  const { name, events, kills, seed, folder, print } = options
  const scenario = scenarios[name]
  const startedAt = performance.now()
  const tell = (what: string) =>
    print(`${((performance.now() - startedAt) / 1_000).toFixed(1).padStart(7)} s  ${what}`)
  mkdirSync(folder, { recursive: true })
  print(`\n${name}: ${scenario.title}; ${events} events, ${kills} kills, seed ${seed}`)

  const plan = drawPlan(scenario, { events, kills }, seededRandom(`${seed} ${name}`))
  const receiver = startPart(options, 'receiver', { CHAOS_SEED: seed })
  const receiverUrl = await receiver.listening()
  const platform = await makeChaosPlatform(scenario, options)
  const world = await makeChaosWorld(platform.api.baseUrl, platform.hostKey, receiverUrl)
  const secrets = [...world.lanes, { endpoint: goneEndpoint, secret: world.gone.secret }]
  for (const { endpoint, secret } of secrets) await ask(`${receiverUrl}/secret`, { endpoint, secret })
  const faults = await openJournal(path.join(folder, fileNames.faults))
  options.atEnd(() => faults.close())
  const publisherUrl = await startPublisher(options, platform, world)
  const pacer = startPacer(publisherUrl, receiverUrl)
  const run: Run = {
    ...{ platform, receiverUrl, faults, publisherUrl, pacer, world, tell },
    ...{ publishMore: pacer.publishMore, gone: world.gone },
  }
  tell('the world is made')

  const ticker = startTicker(run)
  try {
    await strikeAll(run, plan, events)
    await publishRest(run)
    await settle(run)
  } finally {
    pacer.stop()
    ticker.stop()
    writeLogs(platform, folder)
  }
}
