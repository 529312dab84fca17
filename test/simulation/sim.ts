import { createHash } from 'node:crypto'
import type { Clock, Timers } from '../../src/kernel/index.ts'
import { type Chance, makeChance } from './chance.ts'

/** One simulated process. What it waits for when it is killed never comes. */
export interface Owner {
  readonly name: string
  readonly skewMs: number
  alive: boolean
  /** It was told to end, and may leave unrecorded what was in flight. */
  stopping: boolean
  /** When the database last failed it, on purpose. */
  hurtAtMs: number
  /** Rejects when it is killed: its transactions roll back. */
  readonly death: Promise<never>
  die(): void
}

/** Something that waits to happen; the seed says when. Owner null: it happens outside of any process. */
export interface Step {
  readonly label: string
  readonly owner: Owner | null
  mayRun(): boolean
  run(): Promise<void> | void
}

interface Timer {
  readonly owner: Owner | null
  atMs: number
  readonly everyMs: number | null
  run(): void
}

export interface Violation {
  readonly invariant: string
  readonly detail: string
}

/** One schedule: its time, what waits, and what has happened. */
export interface Sim {
  readonly chance: Chance
  /** True time; processes have their own. */
  nowMs: number
  readonly clock: Clock
  /** Whether anything may fail. */
  faulty: boolean
  readonly steps: Step[]
  readonly timers: Timer[]
  violation: Violation | null
  note(text: string): void
  fail(invariant: string, detail: string): void
  hash(): string
  /** The last lines of the trace. */
  tail(): readonly string[]
}

const startMs = Date.UTC(2026, 10, 2)
const tailMax = 60

export function makeSim(seed: string): Sim {
  const hash = createHash('sha256')
  const lines: string[] = []
  const sim: Sim = {
    chance: makeChance(seed),
    nowMs: startMs,
    clock: { nowMs: () => sim.nowMs },
    faulty: true,
    steps: [],
    timers: [],
    violation: null,
    note(text) {
      const line = `${sim.nowMs - startMs} ${text}`
      hash.update(line)
      lines.push(line)
      if (lines.length > tailMax) lines.shift()
    },
    fail(invariant, detail) {
      if (sim.violation !== null) return
      sim.violation = { invariant, detail }
      sim.note(`BROKEN ${invariant}: ${detail}`)
    },
    hash: () => hash.copy().digest('hex'),
    tail: () => [...lines],
  }
  return sim
}

export function makeOwner(name: string, skewMs: number): Owner {
  let kill: (error: Error) => void = () => undefined
  const death = new Promise<never>((_resolve, reject) => {
    kill = reject
  })
  death.catch(() => undefined)
  const owner: Owner = {
    ...{ name, skewMs, alive: true, stopping: false, hurtAtMs: Number.NEGATIVE_INFINITY, death },
    die() {
      owner.alive = false
      kill(new Error(`${name} was killed`))
    },
  }
  return owner
}

export function clockOf(sim: Sim, { skewMs }: Owner): Clock {
  return { nowMs: () => sim.nowMs + skewMs }
}

/** Timers of a process, or of nobody. */
export function timersOf(sim: Sim, owner: Owner | null): Timers {
  function start(delayMs: number, everyMs: number | null, run: () => void) {
    const timer: Timer = { owner, atMs: sim.nowMs + Math.max(0, Math.ceil(delayMs)), everyMs, run }
    if (owner?.alive !== false) sim.timers.push(timer)
    return () => remove(sim.timers, timer)
  }
  return {
    after: (delayMs, run) => start(delayMs, null, run),
    every: (intervalMs, run) => start(intervalMs, intervalMs, run),
  }
}

function remove<T>(list: T[], one: T): void {
  const place = list.indexOf(one)
  if (place >= 0) list.splice(place, 1)
}

/** Until everything that can go on has gone on: nothing of the event path waits for anything but steps and timers. */
export function rest(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

export function runnable(sim: Sim): readonly Step[] {
  return sim.steps.filter((step) => step.mayRun())
}

export async function runStep(sim: Sim, step: Step): Promise<void> {
  remove(sim.steps, step)
  sim.note(`${step.owner?.name ?? '·'} ${step.label}`)
  await step.run()
  await rest()
}

export function dueTimers(sim: Sim): readonly Timer[] {
  return sim.timers.filter(({ atMs }) => atMs <= sim.nowMs)
}

export async function fire(sim: Sim, timer: Timer): Promise<void> {
  if (timer.everyMs === null) remove(sim.timers, timer)
  else timer.atMs = sim.nowMs + timer.everyMs
  sim.note(`${timer.owner?.name ?? '·'} timer`)
  timer.run()
  await rest()
}

export function nextTimerAtMs(sim: Sim): number | null {
  return sim.timers.length === 0 ? null : Math.min(...sim.timers.map(({ atMs }) => atMs))
}

/** Removes everything that waits on behalf of a process. */
export function forget(sim: Sim, owner: Owner): void {
  const others = sim.steps.filter((step) => step.owner !== owner)
  sim.steps.splice(0, sim.steps.length, ...others)
  const timers = sim.timers.filter((timer) => timer.owner !== owner)
  sim.timers.splice(0, sim.timers.length, ...timers)
}
