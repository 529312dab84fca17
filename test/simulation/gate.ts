import type { Owner, Sim, Step } from './sim.ts'
import type { World } from './world.ts'

// Between the event path and its rows: each call waits until the seed lets it happen, may fail before or after it has
// happened, and may be answered late.

const readsOnly = new Set([
  ...['hasUnrelayed', 'listRules', 'listDueStreams', 'findNextDue', 'listDue', 'findEvent'],
  ...['tryRelayLock', 'listUnrelayed', 'listSubscriptions', 'findReceiver'],
])
/** What SQL gives in no particular order. */
const unordered = new Set(['listDueStreams', 'listRules', 'advanceStreams'])

/** What a call to a store was answered. */
export interface Answered {
  readonly owner: Owner
  readonly name: string
  readonly args: readonly unknown[]
  readonly result: unknown
}

/** Who has transactions open, and who of them has written. */
export interface Gate {
  readonly sim: Sim
  readonly exclusive: boolean
  readonly open: Map<object, { readonly owner: Owner; ended: Promise<unknown> }>
  writer: object | null
  answered(call: Answered): void
  /** Its process goes on with that. */
  heard(call: Answered): void
  /** Rows may have changed. */
  changed(): void
}

export function makeGate(sim: Sim, world: World, hear: Pick<Gate, 'answered' | 'heard' | 'changed'>): Gate {
  return { sim, exclusive: world.exclusive, open: new Map(), writer: null, ...hear }
}

/** Whether a statement outside of transactions may happen now. */
export function isFree(gate: Gate, writes: boolean): boolean {
  if (gate.exclusive) return gate.open.size === 0
  return !writes || gate.writer === null
}

const faults = { none: 94, refused: 1, lost: 1, late: 4 } as const

function drawFault(sim: Sim): keyof typeof faults {
  return sim.faulty ? sim.chance.weighted(faults) : 'none'
}

/** The promise that a process waits for; `effect` happens when the seed says so. */
function pass<T>(
  sim: Sim,
  owner: Owner,
  step: Pick<Step, 'label' | 'mayRun'>,
  effect: () => Promise<T>,
  undo?: () => Promise<unknown>,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    if (!owner.alive) return
    const fail = (words: string) => {
      owner.hurtAtMs = sim.nowMs
      sim.note(`${owner.name} ${step.label}: ${words}`)
      reject(new Error(words))
    }
    async function run(): Promise<void> {
      const fault = drawFault(sim)
      if (fault === 'refused') {
        await undo?.()
        return fail('not reached')
      }
      const answer = await happen(effect, { resolve, reject })
      if (fault === 'lost') fail('answer lost')
      else if (fault === 'late')
        sim.steps.push({ label: `answer to ${step.label}`, owner, mayRun: () => true, run: answer })
      else answer()
    }
    sim.steps.push({ ...step, owner, run })
  })
}

/** As `pass`, for what does not fail. */
export function inTurn<T>(
  sim: Sim,
  owner: Owner,
  step: Pick<Step, 'label' | 'mayRun'>,
  effect: () => Promise<T>,
): Promise<T> {
  return new Promise<T>((resolve) => {
    if (owner.alive) sim.steps.push({ ...step, owner, run: async () => resolve(await effect()) })
  })
}

/** Lets it happen; gives what tells the process. */
async function happen<T>(
  effect: () => Promise<T>,
  to: { resolve(result: T): void; reject(error: unknown): void },
): Promise<() => void> {
  try {
    const result = await effect()
    return () => to.resolve(result)
  } catch (error) {
    return () => to.reject(error)
  }
}

function sorted(name: string, result: unknown): unknown {
  if (!unordered.has(name) || !Array.isArray(result)) return result
  const keyOf = (row: { readonly id?: string }) => row.id ?? JSON.stringify(row)
  return [...result].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
}

type Members = Readonly<Record<string, (...args: readonly unknown[]) => Promise<unknown>>>

function wrap<S extends object>(
  members: S,
  call: (name: string, args: readonly unknown[], effect: () => Promise<unknown>) => Promise<unknown>,
): S {
  const wrapped = Object.entries(members as unknown as Members).map(([name, member]) => [
    name,
    (...args: readonly unknown[]) => call(name, args, async () => sorted(name, await member(...args))),
  ])
  return Object.fromEntries(wrapped) as S
}

type Transact<Tx> = <T>(work: (tx: Tx) => Promise<T>) => Promise<T>

/** A transaction whose begin, statements and end each wait; a killed process's is rolled back. */
function gatedTx<Tx extends object>(gate: Gate, owner: Owner, transact: Transact<Tx>): Transact<Tx> {
  const { sim } = gate
  const inside = (tx: Tx, ref: object) =>
    wrap(tx, (name, args, effect) => {
      const writes = !readsOnly.has(name)
      const mayRun = () => gate.exclusive || !writes || gate.writer === null || gate.writer === ref
      return pass(sim, owner, { label: name, mayRun }, async () => {
        if (writes) gate.writer = ref
        const result = await effect()
        gate.answered({ owner, name, args, result })
        return result
      })
    })

  return async <T>(work: (tx: Tx) => Promise<T>): Promise<T> => {
    const ref = {}
    const over = makeLatch()
    const end = makeLatch()
    let ended: Promise<T> | null = null
    const begin = () =>
      new Promise<void>((entered, failed) => {
        ended = transact(async (tx) => {
          entered()
          const settled = await Promise.race([Promise.allSettled([work(inside(tx, ref))]), owner.death])
          over.resolve()
          await Promise.race([end.promise, owner.death])
          if (settled[0].status === 'rejected') throw settled[0].reason
          return settled[0].value
        }).finally(() => {
          gate.changed()
          gate.open.delete(ref)
          if (gate.writer === ref) gate.writer = null
        })
        gate.open.set(ref, { owner, ended })
        ended.catch(failed)
      })
    // Nothing fails here: a begin without its transaction would have to be undone.
    await inTurn(sim, owner, { label: 'begin', mayRun: () => !gate.exclusive || gate.open.size === 0 }, begin)
    await over.promise
    const finish = () => {
      end.resolve()
      return ended as unknown as Promise<T>
    }
    const rollBack = () => {
      end.reject(new Error('connection lost'))
      return Promise.allSettled([ended])
    }
    return pass(sim, owner, { label: 'end', mayRun: () => true }, finish, rollBack)
  }
}

function makeLatch() {
  let resolve: () => void = () => undefined
  let reject: (error: Error) => void = () => undefined
  const promise = new Promise<void>((onOpen, onFail) => {
    resolve = onOpen
    reject = onFail
  })
  return { promise, resolve, reject }
}

/** The store as one process has it. */
export function gated<Tx extends object, S extends { readonly tx: Transact<Tx> }>(
  gate: Gate,
  owner: Owner,
  store: S,
): S {
  const members = wrap(store, async (name, args, effect) => {
    const writes = !readsOnly.has(name)
    const step = { label: name, mayRun: () => isFree(gate, writes) }
    const result = await pass(gate.sim, owner, step, async () => {
      const done = await effect()
      if (writes) gate.changed()
      gate.answered({ owner, name, args, result: done })
      return done
    })
    gate.heard({ owner, name, args, result })
    return result
  })
  return { ...members, tx: gatedTx(gate, owner, store.tx as Transact<Tx>) }
}
