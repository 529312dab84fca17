import type {
  Invocation,
  OnHostCall,
  Program,
  ProgramCheck,
  RunFailureCode,
  RunReport,
} from '../abi/index.ts'
import type { LoadLimits } from '../engine/index.ts'
import { nodeClock } from './clock.ts'
import { type Job, makeCheckJob, makeRunJob } from './job.ts'
import type { ThreadSettings } from './messages.ts'
import { startThread, type Thread } from './thread.ts'
import { compileEngine } from './wasm.ts'

export interface SandboxPoolOptions {
  /** How many programs run at once. One more thread than this is kept, so that a replacement is always ready. */
  readonly workers: number
  /** How many runs and checks may wait; the next is answered with `sandbox.pool_full`. 256 unless told. */
  readonly queueMax?: number
  /** What a program that is only checked may use, and the size that threads prepare for. 32 MiB unless told. */
  readonly memoryBytesMax?: number
  /** What loading a bundle may use; 200 M fuel units and 2 s unless told. */
  readonly loadLimits?: LoadLimits
  /** How long after its time is over a thread may still end by itself before it is killed. 200 ms unless told. */
  readonly graceMs?: number
  /** Hears of defects that no caller can be told of: a host call that rejected, a thread that died. */
  readonly onError?: (error: unknown) => void
}

export interface SandboxPool {
  /** Runs one handler. Never rejects: whatever happens is in the report's outcome. */
  run(program: Program, invocation: Invocation, onHostCall: OnHostCall): Promise<RunReport>
  /** Loads a program without running a handler: for uploads and reviews. Never rejects. */
  check(program: Program): Promise<ProgramCheck>
  /** Ends every thread at once; runs and checks that are not finished are answered with `sandbox.closed`. */
  close(): Promise<void>
}

const mib = 1024 * 1024
/** How long to wait before starting a thread again when it died before it was ready. */
const restartDelayMs = 1_000

type Settings = Required<SandboxPoolOptions>

/** A thread's place in the pool. */
interface Slot {
  thread: Thread
  state: 'starting' | 'idle' | 'running' | 'restoring'
  /** The program that it has loaded. */
  programId: string | undefined
  cancelWatchdog: () => void
}

interface Pool {
  readonly settings: Settings
  readonly threadSettings: ThreadSettings
  readonly slots: Set<Slot>
  readonly queue: Job[]
  closed: boolean
  cancelRestart: () => void
}

// A busy main thread sees its timers before the messages that came meanwhile: they are read before anyone is killed.
function armWatchdog(slot: Slot, delayMs: number, code: RunFailureCode): void {
  slot.cancelWatchdog()
  let armed = true
  const cancel = nodeClock.after(delayMs, () => {
    setImmediate(() => {
      if (armed) void slot.thread.kill(code)
    })
  })
  slot.cancelWatchdog = () => {
    armed = false
    cancel()
  }
}

function giveJob(pool: Pool, slot: Slot, job: Job): void {
  const { graceMs, loadLimits } = pool.settings
  slot.state = 'running'
  slot.programId = job.task.program.id
  armWatchdog(slot, loadLimits.wallMsMax + graceMs, 'sandbox.load_failed')
  slot.thread.give(job.task, {
    ...job,
    onRunning() {
      if (job.wallMsMax !== undefined) armWatchdog(slot, job.wallMsMax + graceMs, 'sandbox.time_exceeded')
      job.onRunning()
    },
    onEnd(message) {
      slot.state = 'restoring'
      armWatchdog(slot, loadLimits.wallMsMax + graceMs, 'sandbox.worker_killed')
      job.onEnd(message)
      dispatch(pool)
    },
  })
}

/** Gives waiting jobs to idle threads, to one that has the program loaded where there is one. */
function dispatch(pool: Pool): void {
  for (;;) {
    const all = [...pool.slots]
    const idle = all.filter((slot) => slot.state === 'idle')
    const running = all.filter((slot) => slot.state === 'running').length
    const programId = pool.queue[0]?.task.program.id
    const slot = idle.find((each) => each.programId === programId) ?? idle[0]
    if (slot === undefined || running >= pool.settings.workers) return
    const job = pool.queue.shift()
    if (job === undefined) return
    giveJob(pool, slot, job)
  }
}

function refuseAll(pool: Pool, code: RunFailureCode): void {
  for (const job of pool.queue.splice(0)) job.onLost(code)
}

// A thread that was ready once is replaced at once. One that cannot even start would be started again without end.
function onExit(pool: Pool, slot: Slot, error: unknown): void {
  slot.cancelWatchdog()
  pool.slots.delete(slot)
  if (error !== undefined) pool.settings.onError(error)
  if (pool.closed) return
  if (slot.state !== 'starting') {
    void startSlot(pool).catch(() => undefined)
    dispatch(pool)
    return
  }
  if (pool.slots.size === 0) refuseAll(pool, 'sandbox.worker_killed')
  pool.cancelRestart()
  pool.cancelRestart = nodeClock.after(restartDelayMs, () => fill(pool))
}

/** Starts one more thread; resolves when it is ready, rejects when it ends before. */
function startSlot(pool: Pool): Promise<void> {
  return new Promise((resolve, reject) => {
    const events = {
      onIdle() {
        slot.cancelWatchdog()
        slot.state = 'idle'
        resolve()
        dispatch(pool)
      },
      onExit(error: unknown) {
        reject(error ?? new Error('the sandbox was closed while it started'))
        onExit(pool, slot, error)
      },
    }
    const slot: Slot = {
      thread: startThread(pool.threadSettings, events),
      state: 'starting',
      programId: undefined,
      cancelWatchdog: () => undefined,
    }
    pool.slots.add(slot)
  })
}

function fill(pool: Pool): void {
  const missing = pool.settings.workers + 1 - pool.slots.size
  for (let i = 0; i < missing; i += 1) void startSlot(pool).catch(() => undefined)
}

async function closePool(pool: Pool): Promise<void> {
  pool.closed = true
  pool.cancelRestart()
  refuseAll(pool, 'sandbox.closed')
  await Promise.all([...pool.slots].map((slot) => slot.thread.kill('sandbox.closed')))
}

function enqueue(pool: Pool, job: Job): void {
  if (pool.closed) {
    job.onLost('sandbox.closed')
    return
  }
  pool.queue.push(job)
  dispatch(pool)
  if (pool.queue.length <= pool.settings.queueMax) return
  // The newest one waits in vain.
  pool.queue.pop()?.onLost('sandbox.pool_full')
}

/**
 * Starts the sandbox threads; resolves when `workers` of them are ready.
 * @throws Error when they cannot be started: a broken installation, or no memory.
 */
export async function makeSandboxPool(options: SandboxPoolOptions): Promise<SandboxPool> {
  const settings: Settings = {
    queueMax: 256,
    memoryBytesMax: 32 * mib,
    loadLimits: { fuelMax: 200_000_000, wallMsMax: 2_000 },
    graceMs: 200,
    onError: () => undefined,
    ...options,
  }
  const { loadLimits, memoryBytesMax } = settings
  const threadSettings = { wasmModule: await compileEngine(), loadLimits, memoryBytesMax }
  const pool: Pool = {
    settings,
    threadSettings,
    slots: new Set(),
    queue: [],
    closed: false,
    cancelRestart: () => undefined,
  }
  try {
    await Promise.all(Array.from({ length: settings.workers }, () => startSlot(pool)))
  } catch (error) {
    await closePool(pool)
    throw new Error('the sandbox threads cannot be started', { cause: error })
  }
  fill(pool)
  return {
    run: (program, invocation, onHostCall) =>
      new Promise((answer) => {
        const { onError } = settings
        enqueue(pool, makeRunJob({ program, invocation, onHostCall, onError, answer }))
      }),
    check: (program) => new Promise((answer) => enqueue(pool, makeCheckJob(program, answer))),
    close: () => closePool(pool),
  }
}
