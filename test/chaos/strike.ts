import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../../examples/demo/steps.ts'
import { present } from '../../src/kernel/index.ts'
import { calm, type Failing, goneEndpoint, type Mood } from './behaviour.ts'
import { ask } from './control.ts'
import type { Journal } from './journal.ts'
import type { FaultLine } from './lines.ts'
import type { Node } from './nodes.ts'
import type { PlannedStrike, Strike } from './plan.ts'
import type { ChaosPlatform } from './platform.ts'
import { eventsPerUnit } from './publish.ts'
import { portsOf } from './socket-owner.ts'
import type { GoneEndpoint } from './world.ts'

export interface Arena {
  readonly platform: ChaosPlatform
  readonly receiverUrl: string
  readonly faults: Journal
  readonly gone: GoneEndpoint
  /** Lets the publisher go on by so many events; its requests are on their way when this resolves. */
  publishMore(events: number): Promise<void>
}

export interface ReceiverState {
  /** Of the connections on which a delivery is in flight: where they come from. */
  readonly ports: readonly number[]
  readonly taken: number
  readonly failuresLeft: number
}

/** A kill is worth something only with so many deliveries in flight. */
const inFlightMin = 10
const inFlightMs = 60_000

// Where too little is in flight after a while, there is too little to deliver.
const moreAfterMs = 1_000
const moreEvents = 2 * eventsPerUnit
// All of the publisher is busy with them for some moments.
const burstEvents = 10 * eventsPerUnit

// Slow enough that many are in flight at any moment, fast enough that none runs into a timeout.
const slow: Mood = { ...calm, answerMs: [300, 900] }

// What was answered before the blow may not be recorded yet: results wait up to 20 ms for their group commit, which on
// a busy machine takes a while (60 ms were seen). Those of this time before the blow count as in flight.
const unrecordedMs = 500

// A drain hears of its lost session with its next statement.
const sessionsNoticedMs = 500

const redisAwayMs = 3_000

// A request takes tens of milliseconds, where a delivery to the slow receiver takes hundreds.
const requestShare = 10

// Deliveries that last until the sender gives up take the places of others: only a few of them.
const failuresMax: Readonly<Record<Failing, number>> = {
  500: 12,
  502: 12,
  429: 12,
  reset: 12,
  hang: 4,
  drip: 4,
}
const goneOrders = 3
const goneMs = 30_000
const failingMsMax = 4_000

const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`

interface InFlight {
  readonly seenMs: number
  readonly open: number
  readonly ids: readonly string[]
}

const nothingInFlight: InFlight = { seenMs: 0, open: 0, ids: [] }

function setMood({ receiverUrl }: Arena, mood: Mood): Promise<unknown> {
  return ask(`${receiverUrl}/mood`, mood)
}

function inFlightSince({ receiverUrl }: Arena, sinceMs: number): Promise<InFlight> {
  return ask<InFlight>(`${receiverUrl}/in-flight?since=${sinceMs}`)
}

function readState({ receiverUrl }: Arena): Promise<ReceiverState> {
  return ask<ReceiverState>(`${receiverUrl}/state`)
}

/** Waits for a random moment with enough in flight, as `count` counts it; gives how many. */
async function momentToStrike(
  arena: Arena,
  pauseMs: number,
  count: (state: ReceiverState) => number = ({ ports }) => ports.length,
): Promise<number> {
  await setMood(arena, slow)
  let askedAt = performance.now()
  const enough = () =>
    until(`${inFlightMin} deliveries in flight`, inFlightMs, async () => {
      const inFlight = count(await readState(arena))
      if (inFlight >= inFlightMin) return inFlight
      if (performance.now() - askedAt > moreAfterMs) {
        askedAt = performance.now()
        await arena.publishMore(moreEvents)
      }
      return null
    })
  await enough()
  await sleep(pauseMs)
  return enough()
}

/** The deliveries in flight that this process has sent. */
function sentBy(node: Node, { ports }: ReceiverState): number {
  const own = portsOf(node.processId())
  return ports.filter((port) => own.has(port)).length
}

/** Waits until one of them has enough in flight, and chooses it. */
async function momentToKill(arena: Arena, nodes: readonly Node[], pauseMs: number) {
  const [only] = nodes
  if (nodes.length === 1 && only !== undefined)
    return { node: only, count: await momentToStrike(arena, pauseMs) }
  let node: Node | undefined
  const count = await momentToStrike(arena, pauseMs, (state) => {
    const counts = nodes.map((one) => sentBy(one, state))
    const most = Math.max(...counts)
    node = nodes[counts.indexOf(most)]
    return most
  })
  return { node: present(node, 'a worker with deliveries in flight'), count }
}

async function write(arena: Arena, fault: string, times: Pick<FaultLine, 'atMs' | 'ableMs'>, seen: InFlight) {
  const { seenMs, open, ids: inFlight } = seen
  await arena.faults.append({ fault, ...times, seenMs, open, inFlight, gone: null } satisfies FaultLine)
}

type Kill = Extract<Strike, { readonly kind: 'kill' }>

async function momentFor(arena: Arena, target: Kill['target'], pauseMs: number) {
  const { api, workers } = arena.platform
  if (target !== 'api') return momentToKill(arena, workers, pauseMs)
  const count = await momentToStrike(arena, pauseMs)
  // Requests must be on their way too; they are short.
  await arena.publishMore(burstEvents)
  await sleep(pauseMs / requestShare)
  return { node: api, count }
}

async function kill(arena: Arena, { target, skewMs }: Kill, pauseMs: number): Promise<string> {
  const { node, count } = await momentFor(arena, target, pauseMs)
  const atMs = Date.now()
  await node.kill()
  const dead = performance.now()
  // Whoever only takes requests holds nothing in flight: its death excuses no duplicate.
  const seen = target === 'api' ? nothingInFlight : await inFlightSince(arena, atMs - unrecordedMs)
  await setMood(arena, calm)
  await node.start(skewMs)
  const hasSurvivor = arena.platform.workers.some((worker) => worker !== node)
  const fault = `kill -9 ${node.name}`
  await write(arena, fault, { atMs, ableMs: hasSurvivor ? atMs : Date.now() }, seen)
  const clock = skewMs === 0 ? '' : `, its clock ${skewMs} ms off`
  return `${fault} with ${count} in flight; another after ${seconds(performance.now() - dead)}${clock}`
}

async function crashPostgresql(arena: Arena, pauseMs: number): Promise<string> {
  const cluster = present(arena.platform.cluster, 'a cluster to crash')
  const count = await momentToStrike(arena, pauseMs)
  const atMs = Date.now()
  await cluster.crash()
  await cluster.start()
  const ableMs = Date.now()
  // Asked only now: what was answered while it was away could not be recorded either.
  const seen = await inFlightSince(arena, atMs - unrecordedMs)
  await write(arena, 'crash of PostgreSQL', { atMs, ableMs }, seen)
  return `SIGQUIT to PostgreSQL with ${count} in flight; answers again after ${seconds(ableMs - atMs)}`
}

async function endSessions(arena: Arena, pauseMs: number): Promise<string> {
  const cluster = present(arena.platform.cluster, 'a cluster with sessions')
  const count = await momentToStrike(arena, pauseMs)
  const atMs = Date.now()
  const ended = await cluster.endSessions()
  await sleep(sessionsNoticedMs)
  await write(
    arena,
    'end of all sessions',
    { atMs, ableMs: atMs },
    await inFlightSince(arena, atMs - unrecordedMs),
  )
  return `${ended} sessions of PostgreSQL ended with ${count} in flight`
}

// Redis carries wakes alone: whatever happens to it excuses nothing.

async function emptyRedis(arena: Arena): Promise<string> {
  const redis = present(arena.platform.redis, 'a Redis to empty')
  const atMs = Date.now()
  await redis.empty()
  await write(arena, 'empty Redis', { atMs, ableMs: atMs }, nothingInFlight)
  return 'Redis emptied'
}

async function stopRedis(arena: Arena): Promise<string> {
  const redis = present(arena.platform.redis, 'a Redis to stop')
  const atMs = Date.now()
  await redis.stop()
  await sleep(redisAwayMs)
  await redis.start()
  await write(arena, 'stop of Redis', { atMs, ableMs: atMs }, nothingInFlight)
  return `Redis stopped, started empty after ${seconds(Date.now() - atMs)}`
}

async function failReceiver(arena: Arena, failing: Failing): Promise<string> {
  const most = failuresMax[failing]
  await setMood(arena, { ...calm, failing, failuresMax: most })
  const endsAt = performance.now() + failingMsMax
  const left = await until('the receiver’s failures', 2 * failingMsMax, async () => {
    const { failuresLeft } = await readState(arena)
    return failuresLeft === 0 || performance.now() > endsAt ? { failuresLeft } : null
  })
  return `the receiver failed ${most - left.failuresLeft} deliveries: ${failing}`
}

/** An endpoint answers 410; from the moment it is stopped the checker holds every request to it against the platform. */
async function answerGone(arena: Arena): Promise<string> {
  const { gone, faults } = arena
  await gone.publish(1)
  await until('the end of the endpoint that answered 410', goneMs, async () =>
    (await gone.state()) === 'stopped' ? true : null,
  )
  const atMs = Date.now()
  const nothing = { seenMs: 0, open: 0, inFlight: [] }
  const line: FaultLine = { fault: 'answer 410', atMs, ableMs: atMs, gone: goneEndpoint, ...nothing }
  await faults.append(line)
  await gone.publish(goneOrders)
  return `the receiver answered 410; its endpoint is stopped, ${goneOrders} orders more are published to it`
}

function hit(arena: Arena, { strike, pauseMs }: PlannedStrike): Promise<string> {
  switch (strike.kind) {
    case 'kill':
      return kill(arena, strike, pauseMs)
    case 'crash-postgresql':
      return crashPostgresql(arena, pauseMs)
    case 'end-sessions':
      return endSessions(arena, pauseMs)
    case 'empty-redis':
      return emptyRedis(arena)
    case 'stop-redis':
      return stopRedis(arena)
    case 'answer-410':
      return answerGone(arena)
    case 'failing-receiver':
      return failReceiver(arena, strike.failing)
  }
}

/** Strikes, makes good, and writes down what was in flight; answers what is told of it. */
export async function carryOut(arena: Arena, planned: PlannedStrike): Promise<string> {
  const told = await hit(arena, planned)
  await setMood(arena, calm)
  return told
}
