import { act, letGo, type Stage } from './actions.ts'
import type { Defect } from './defects.ts'
import { isFree, makeGate } from './gate.ts'
import { makeInvariants } from './invariants.ts'
import { skewMsMax, watchLeases } from './leases.ts'
import { makeProcess } from './process.ts'
import { flakyHttp, type Mood } from './receiver.ts'
import { findNextDue } from './row-due.ts'
import type { Rows } from './rows.ts'
import { catalog, makeScene } from './scene.ts'
import {
  dueTimers,
  fire,
  forget,
  makeOwner,
  makeSim,
  nextTimerAtMs,
  rest,
  runnable,
  runStep,
  type Sim,
  type Violation,
} from './sim.ts'
import type { World } from './world.ts'

export interface ScheduleOptions {
  readonly seed: string
  /** A world with these rows and nothing else. */
  open(rows: Rows): Promise<World>
  /** What is wrong on purpose. */
  readonly defect?: Defect
  /** Steps in which things fail; then everything has to come right. */
  readonly steps?: number
  /** Rows are looked at after so many steps. */
  readonly lookEvery?: number
}

export interface ScheduleResult {
  readonly seed: string
  readonly violation: Violation | null
  /** Of the whole trace. */
  readonly hash: string
  readonly tail: readonly string[]
  readonly steps: number
}

interface Run extends Stage {
  readonly leases: ReturnType<typeof watchLeases>
  mood: Mood
  started: number
  actionsLeft: number
}

const processesMax = 3
const second = 1_000
const hour = 3_600 * second

function startProcess(run: Run): void {
  const { sim, gate, world, invariants, leases } = run
  run.started += 1
  const owner = makeOwner(`p${run.started}`, sim.chance.between(-skewMsMax, skewMsMax))
  const httpClient = flakyHttp(sim, owner, {
    mood: () => run.mood,
    leaseAt: (url) => leases.of(owner, url.slice(url.lastIndexOf('/') + 1)),
    mayArrive: () => isFree(gate, false),
    watcher: invariants,
  })
  const process = makeProcess({
    sim,
    gate,
    world,
    catalog,
    owner,
    httpClient,
    processes: () => run.processes,
  })
  run.processes.push(process)
  sim.note(`start ${owner.name}`)
  process.path.start().catch(() => undefined)
}

function remove(run: Run, name: string): void {
  const place = run.processes.findIndex(({ owner }) => owner.name === name)
  if (place >= 0) run.processes.splice(place, 1)
}

async function killOne(run: Run): Promise<void> {
  const process = run.sim.chance.pick(run.processes)
  run.sim.note(`kill ${process.owner.name}`)
  remove(run, process.owner.name)
  await process.kill()
}

function stopOne(run: Run): void {
  const { owner, path } = run.sim.chance.pick(run.processes)
  run.sim.note(`stop ${owner.name}`)
  owner.stopping = true
  remove(run, owner.name)
  path.stop().then(
    () => {
      owner.die()
      forget(run.sim, owner)
    },
    () => undefined,
  )
}

function pass(run: Run, toMs: number): void {
  if (toMs <= run.sim.nowMs) return
  run.sim.nowMs = toMs
  run.leases.timeHasPassed()
}

function jumpMs({ chance }: Sim): number {
  const kind = chance.weighted({ moment: 50, seconds: 35, stall: 12, hours: 3 })
  if (kind === 'moment') return chance.between(1, 100)
  if (kind === 'seconds') return chance.between(100, 3 * second)
  return kind === 'stall' ? chance.between(3 * second, 20 * second) : chance.between(1, 80) * hour
}

const turns = { step: 70, timer: 16, time: 10, act: 6, kill: 1, stop: 0.4, start: 1.5, mood: 0.7 } as const

type Turn = keyof typeof turns

/** What happens to processes, receivers and people; false: nothing can at the moment. */
async function intervene(run: Run, kind: Turn): Promise<boolean> {
  const { sim, processes } = run
  if (kind === 'kill' && processes.length > 0) await killOne(run)
  else if (kind === 'stop' && processes.length > 1) stopOne(run)
  else if (kind === 'mood') run.mood = sim.chance.pick(['well', 'poor', 'down'])
  else if (kind === 'start' && processes.length < processesMax) startProcess(run)
  else if (kind === 'act' && run.actionsLeft > 0 && isFree(run.gate, true)) {
    run.actionsLeft -= 1
    await act(run)
  } else return false
  return true
}

/** One turn in which everything may go wrong. */
async function turn(run: Run): Promise<void> {
  const { sim } = run
  const kind = sim.chance.weighted(turns)
  const isDone = await intervene(run, kind)
  if (run.processes.length === 0) startProcess(run)
  else if (!isDone) await goOn(run, kind)
  await rest()
}

/** Something that waits happens, or time passes. */
async function goOn(run: Run, kind: Turn): Promise<void> {
  const { sim } = run
  const steps = runnable(sim)
  const timers = dueTimers(sim)
  if (kind === 'time' && timers.length === 0) pass(run, sim.nowMs + jumpMs(sim))
  else if (steps.length > 0 && (kind !== 'timer' || timers.length === 0))
    await runStep(sim, sim.chance.pick(steps))
  else if (timers.length > 0) await fire(sim, sim.chance.pick(timers))
  else pass(run, nextTimerAtMs(sim) ?? sim.nowMs)
}

/** When something of the rows is due next; null: everything has ended, or waits for its receiver to pull it. */
function nextWorkAtMs(rows: Rows, nowMs: number): number | null {
  if ([...rows.event.values()].some(({ relayed_at: relayedAtMs }) => relayedAtMs === null)) return nowMs
  const times = [...rows.stream.values()].flatMap(({ id, lease_until: leaseUntilMs }) => {
    const dueAtMs = findNextDue(rows, id, nowMs)
    return dueAtMs === null ? [] : Math.max(dueAtMs, leaseUntilMs ?? 0)
  })
  return times.length === 0 ? null : Math.min(...times)
}

const healingStepsMax = 20_000

/** Nothing fails any more: everything that was committed has to come right. */
async function heal(run: Run, look: () => Promise<Rows>): Promise<number> {
  const { sim } = run
  sim.faulty = false
  sim.note('heal')
  while (!isFree(run.gate, true)) await turnOfSteps(run)
  await letGo(run)
  if (run.processes.length === 0) startProcess(run)
  for (let count = 0; count < healingStepsMax; count += 1) {
    if (sim.violation !== null || !(await healOn(run, look))) return count
  }
  sim.fail('at-least-once', 'something is due for ever')
  return healingStepsMax
}

/** False: nothing is left to do. */
async function healOn(run: Run, look: () => Promise<Rows>): Promise<boolean> {
  const { sim } = run
  const timers = dueTimers(sim)
  if (runnable(sim).length > 0) await turnOfSteps(run)
  else if (timers.length > 0) await fire(sim, sim.chance.pick(timers))
  else {
    const workAtMs = nextWorkAtMs(await look(), sim.nowMs)
    if (workAtMs === null) return false
    // By the second while something is at work; else at once to when it is due for the slowest clock.
    const soonMs = nextTimerAtMs(sim) ?? sim.nowMs
    pass(run, workAtMs > sim.nowMs + 20 * second ? workAtMs + skewMsMax : soonMs)
  }
  return true
}

async function turnOfSteps({ sim }: Run): Promise<void> {
  await runStep(sim, sim.chance.pick(runnable(sim)))
}

/** Rows are read from a database only when they have changed. */
function cached(world: World): { readonly world: World; changed(): void } {
  if (!world.exclusive) return { world, changed: () => undefined }
  let known: Promise<Rows> | null = null
  const changed = () => {
    known = null
  }
  const rows = () => {
    known ??= world.rows()
    return known
  }
  const people = Object.entries(world.people).map(([name, act]: [string, (...args: never[]) => unknown]) => [
    name,
    async (...args: never[]) => {
      const result = await act(...args)
      changed()
      return result
    },
  ])
  return { world: { ...world, rows, people: Object.fromEntries(people) as World['people'] }, changed }
}

/** Plays one schedule; the same seed plays the same one. */
export async function runSchedule(options: ScheduleOptions): Promise<ScheduleResult> {
  const { seed, defect, steps = 300, lookEvery = 1 } = options
  const sim = makeSim(seed)
  const opened = await options.open(makeScene(sim.chance))
  const { world, changed } = cached(defect === undefined ? opened : defect.spoil(opened))
  const leases = watchLeases(sim)
  const invariants = makeInvariants(sim, () => world.rows())
  const gate = makeGate(sim, world, { ...leases, changed })
  const run: Run = {
    ...{ sim, world, gate, invariants, leases, processes: [], lastSeq: 0, lift: new Map() },
    ...{
      mood: sim.chance.pick(['well', 'poor', 'down']),
      started: 0,
      actionsLeft: sim.chance.between(6, 30),
    },
  }
  const look = async () => {
    const rows = await world.rows()
    invariants.look(rows)
    return rows
  }
  for (let processes = sim.chance.between(1, processesMax); processes > 0; processes -= 1) startProcess(run)
  let count = 0
  for (; count < steps && sim.violation === null; count += 1) {
    await turn(run)
    if (count % lookEvery === 0 && isFree(gate, true)) await look()
  }
  if (sim.violation === null) count += await heal(run, look)
  if (sim.violation === null) invariants.lookAtEnd(await look())
  for (const process of run.processes) await process.kill()
  return { seed, violation: sim.violation, hash: sim.hash(), tail: sim.tail(), steps: count }
}
