import type {
  Invocation,
  OnHostCall,
  Program,
  ProgramCheck,
  ProgramProblem,
  RunReport,
} from '../abi/index.ts'
import type { EngineClock } from './clock.ts'
import { failure } from './failure.ts'
import { type Instance, newInstance } from './instance.ts'
import { checkSource, loadLogBytesMax, loadProgram } from './load-program.ts'
import { makeMeter } from './meter.ts'
import { openRealm, type Realm } from './realm.ts'
import { runHandler } from './run-handler.ts'
import { seedWords } from './seed.ts'

/** What loading a bundle may use; running it has the limits of its invocation. */
export interface LoadLimits {
  readonly fuelMax: number
  readonly wallMsMax: number
}

interface EngineOptions {
  readonly wasmModule: WebAssembly.Module
  /** The bootstrap: see runtime/guest. */
  readonly guestSource: string
  readonly clock: EngineClock
  readonly loadLimits: LoadLimits
  /** What programs are loaded with when nobody says otherwise. */
  readonly memoryBytesMax: number
}

/** A program that was loaded once and can be run any number of times, each time from that state. */
interface Snapshot {
  readonly program: Program
  readonly memoryBytesMax: number
  readonly handlerTypes: readonly string[]
  readonly logs: string
}

type SnapshotResult =
  | { readonly ok: true; readonly snapshot: Snapshot }
  | { readonly ok: false; readonly problem: ProgramProblem }

/** boot → snapshot → invoke → restore → invoke → … One thing at a time: callers wait for each promise. */
export interface Engine {
  /** Loads a program, with the clock at 1970 and Math.random seeded by the program: loading is the same every time. */
  snapshot(program: Program, memoryBytesMax?: number): Promise<SnapshotResult>
  /** Runs one handler from the snapshot's state. Never rejects for anything the program does. */
  invoke(
    snapshot: Snapshot,
    invocation: Invocation,
    onHostCall: OnHostCall,
    onLog?: (text: string) => void,
  ): Promise<RunReport>
  /** Makes the snapshot's state again after a run. Left out, the next `invoke` does it first. */
  restore(snapshot: Snapshot): Promise<void>
}

/** After this many worlds an instance is exchanged, whatever it looks like. */
const worldsMax = 1_000
/** A guest with less left than this has run out of memory. */
const roomToGoOnBytes = 64 * 1024

/** A realm with a program in it. `ready`: loaded and not run yet. */
interface World {
  readonly instance: Instance
  readonly realm: Realm
  readonly program: Program
  readonly check: ProgramCheck
  ready: boolean
  reusable: boolean
}

function isSameProgram(a: Program, b: Program): boolean {
  if (a.id !== b.id || a.source !== b.source || a.fileName !== b.fileName) return false
  return a.hostFunctions.join() === b.hostFunctions.join()
}

// Anything but the handler's own doing may have left the engine in a state that no one has thought of.
function endedWell({ outcome }: RunReport): boolean {
  return outcome.kind === 'completed' || outcome.code === 'sandbox.handler_threw'
}

/** The report of a run whose program could not be loaded. */
export function loadFailedReport(runId: string, { message, stack }: ProgramProblem): RunReport {
  const outcome = { ...failure('sandbox.load_failed', message), ...(stack === undefined ? {} : { stack }) }
  return { runId, outcome, logs: '', logsTruncated: false, hostCalls: [], durationMs: 0 }
}

/** Keeps one Wasm instance and says which one the next world may be opened in. */
function makeInstances(options: EngineOptions): {
  take(program: Program, memoryBytesMax: number): Promise<Instance>
  giveBack(world: World): void
} {
  let idle: Instance | undefined
  let usedBy: Program | undefined
  let worlds = 0
  return {
    async take(program, memoryBytesMax) {
      const instance = idle
      idle = undefined
      worlds += 1
      // What a program left in freed memory must not meet another program, should the engine have a hole.
      const fits =
        instance?.memoryBytesMax === memoryBytesMax &&
        (usedBy === undefined || isSameProgram(usedBy, program))
      usedBy = program
      if (instance !== undefined && fits && worlds <= worldsMax) return instance
      worlds = 1
      return newInstance(options.wasmModule, memoryBytesMax)
    },
    giveBack({ instance, realm, reusable }) {
      // Freeing a world that ended badly can abort, and memory that grew never shrinks: such an instance is dropped.
      if (reusable && !instance.hasGrown() && realm.dispose()) idle = instance
    },
  }
}

/**
 * This engine has no memory image: every run gets a new runtime and context into which the bundle is evaluated again,
 * and a new Wasm instance whenever the program changes or the last run ended otherwise than by its handler.
 * @throws Error when the Wasm binary is not the build that the engine was written for.
 */
export async function boot(options: EngineOptions): Promise<Engine> {
  const { clock, guestSource, loadLimits } = options
  const instances = makeInstances(options)
  let world: World | undefined

  const open = async (program: Program, memoryBytesMax: number): Promise<World> => {
    if (world !== undefined) instances.giveBack(world)
    world = undefined
    const instance = await instances.take(program, memoryBytesMax)
    const meter = makeMeter(loadLimits, clock.monotonicMs)
    const config = {
      hostFunctions: program.hostFunctions,
      seed: seedWords(program.id),
      logCharsMax: loadLogBytesMax,
    }
    const realm = openRealm(instance, guestSource, config)
    const check = loadProgram(realm, program, meter)
    world = { instance, realm, program, check, ready: check.ok, reusable: check.ok }
    return world
  }
  const readyWorld = async (program: Program, memoryBytesMax: number): Promise<World> => {
    const last = world
    if (last?.ready !== true || last.instance.memoryBytesMax !== memoryBytesMax)
      return open(program, memoryBytesMax)
    return isSameProgram(last.program, program) ? last : open(program, memoryBytesMax)
  }

  const emptyProgram: Program = { id: '', source: '', fileName: 'empty.js', hostFunctions: [] }
  await open(emptyProgram, options.memoryBytesMax)
  return {
    async snapshot(program, memoryBytesMax = options.memoryBytesMax) {
      const refused = checkSource(program)
      const check = refused ?? (await readyWorld(program, memoryBytesMax)).check
      return check.ok ? { ok: true, snapshot: { program, memoryBytesMax, ...check } } : check
    },
    async invoke({ program }, invocation, onHostCall, onLog = () => undefined) {
      const used = await readyWorld(program, invocation.limits.memoryBytesMax)
      if (!used.check.ok) return loadFailedReport(invocation.runId, used.check.problem)
      used.ready = false
      used.reusable = false
      used.instance.setGuestClock(invocation.nowMs)
      const canAllocate = (): boolean => used.instance.canAllocate(roomToGoOnBytes)
      const report = await runHandler(used.realm, canAllocate, {
        program,
        invocation,
        clock,
        onHostCall,
        onLog,
      })
      used.reusable = endedWell(report) && used.realm.fault === undefined
      return report
    },
    async restore({ program, memoryBytesMax }) {
      await readyWorld(program, memoryBytesMax)
    },
  }
}

/** Loads a program only to say which handlers it has, or why it cannot be loaded. For uploads and reviews. */
export async function checkProgram(engine: Engine, program: Program): Promise<ProgramCheck> {
  const result = await engine.snapshot(program)
  return result.ok
    ? { ok: true, handlerTypes: result.snapshot.handlerTypes, logs: result.snapshot.logs }
    : result
}
