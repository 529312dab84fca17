import { type EventPath, makeEventPath } from '../../src/events/event-path.ts'
import type { EventCatalog } from '../../src/events/fan-out.ts'
import type { Sink } from '../../src/events/index.ts'
import { makeMeters } from '../../src/events/meters.ts'
import { makeRuleSource } from '../../src/events/rule-book.ts'
import type { HttpClient } from '../../src/kernel/index.ts'
import type { Queue } from '../../src/queue/index.ts'
import { webhookSink } from '../../src/webhooks/index.ts'
import { quietLog } from '../support/database.ts'
import { type Gate, gated } from './gate.ts'
import { publicUrl, secretKey } from './scene.ts'
import { clockOf, forget, type Owner, type Sim, timersOf } from './sim.ts'
import type { World } from './world.ts'

/** One process of the platform with its event path. */
export interface Process {
  readonly owner: Owner
  readonly path: EventPath
  readonly sink: Sink
  readonly handlers: ReadonlyMap<string, (key: string) => Promise<void>>
  /** As `kill -9`: nothing of it goes on, its transactions roll back, its leases stay. */
  kill(): Promise<void>
}

/** Wake-ups as a poor queue carries them: lost, late, twice, to whichever process. */
function flakyQueue(
  sim: Sim,
  owner: Owner,
  handlers: Map<string, (key: string) => Promise<void>>,
  processes: () => readonly Process[],
): Queue {
  function deliver(name: string, key: string): void {
    const run = () => {
      const able = processes().filter((process) => process.handlers.has(name))
      if (able.length > 0) void sim.chance.pick(able).handlers.get(name)?.(key)
    }
    sim.steps.push({ label: `job ${name} ${key}`, owner: null, mayRun: () => true, run })
  }
  return {
    kind: 'pglite',
    wake(name, { key, delayMs = 0 }) {
      const copies = sim.faulty ? sim.chance.pick([0, 1, 1, 2]) : 1
      for (let copy = 0; copy < copies; copy += 1)
        if (delayMs === 0) deliver(name, key)
        else timersOf(sim, null).after(delayMs, () => deliver(name, key))
      return Promise.resolve(copies > 0)
    },
    work: (name, handler) => void handlers.set(name, handler),
    every(_name, intervalMs, run) {
      let running = false
      timersOf(sim, owner).every(intervalMs, () => {
        if (running) return
        running = true
        const end = () => {
          running = false
        }
        run().then(end, end)
      })
    },
    ready: () => Promise.resolve(),
    close: () => Promise.resolve(),
  }
}

export interface ProcessOptions {
  readonly sim: Sim
  readonly gate: Gate
  readonly world: World
  readonly catalog: EventCatalog
  readonly owner: Owner
  readonly httpClient: HttpClient
  readonly processes: () => readonly Process[]
}

export function makeProcess({
  sim,
  gate,
  world,
  catalog,
  owner,
  httpClient,
  processes,
}: ProcessOptions): Process {
  const clock = clockOf(sim, owner)
  const random = sim.chance
  const store = gated(gate, owner, world.events)
  const endpoints = gated(gate, owner, world.endpoints)
  const handlers = new Map<string, (key: string) => Promise<void>>()
  const sink = webhookSink({ endpoints, httpClient, secretKey, clock, random, log: quietLog })
  const path = makeEventPath({
    ...{ store, catalog, clock, random, publicUrl, log: quietLog, meters: makeMeters() },
    queue: flakyQueue(sim, owner, handlers, processes),
    timers: timersOf(sim, owner),
    rules: makeRuleSource({ store, clock }),
    relays: true,
    isAlone: false,
    sinks: () => ({ backend: sink }),
    advanced: () => undefined,
  })
  return {
    ...{ owner, path, sink, handlers },
    async kill() {
      const open = [...gate.open.values()].filter((transaction) => transaction.owner === owner)
      owner.die()
      forget(sim, owner)
      await Promise.allSettled(open.map(({ ended }) => ended))
    },
  }
}
