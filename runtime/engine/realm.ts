import type { QuickJSContext, QuickJSHandle, QuickJSRuntime } from 'quickjs-emscripten'
import type { GuestMessageKinds, RunFailureCode } from '../abi/index.ts'
import { guestFileName } from './failure.ts'
import type { Instance } from './instance.ts'

export const guestMessageKinds: GuestMessageKinds = {
  call: 1,
  log: 2,
  done: 3,
  failed: 4,
  missing: 5,
  loaded: 6,
}

/** With an 8 MB thread stack this much never overflows the host's (Node's default stack overflows at any value). */
const stackBytesMax = 256 * 1024
/** How many promise jobs run between two looks at the meter. */
const jobsPerLook = 64
/** Room that the engine itself needs for one entry from outside. */
const spareBytes = 64 * 1024
/** A text on its way in exists twice: as UTF-8 (at most 3 bytes a unit) and as the guest's string (at most 2). */
const bytesPerUnit = 5

/** Who listens to a realm's guest, and when its code must end. */
export interface RealmListener {
  /**
   * One message of the guest. `read` decodes its text of `length` UTF-16 units; whoever does not want that much does
   * not call it. Must not throw.
   */
  onMessage(kind: number, length: number, read: () => string | undefined): void
  /** Asked at every interrupt and between promise jobs: true ends the guest's code. */
  mustEnd(atInterrupt: boolean): boolean
}

/** A fresh JavaScript world with the bootstrap in it. After a `fault` nothing may be asked of it any more. */
export interface Realm {
  /** Why the engine itself gave up, if it did. */
  readonly fault: RunFailureCode | undefined
  setListener(listener: RealmListener): void
  /** Evaluates a classic script; false when it threw, which the guest has then described in a `failed` message. */
  evaluate(source: string, fileName: string): boolean
  /** Hands an instruction's JSON text to the guest. */
  send(text: string): void
  /** Runs promise jobs until none is left or the listener ends it. */
  runJobs(): void
  /** Frees everything; false when the instance must not be used again. */
  dispose(): boolean
}

export interface RealmConfig {
  readonly hostFunctions: readonly string[]
  readonly seed: readonly number[]
  readonly logCharsMax: number
}

// V8 throws a RangeError through the Wasm frames when its own stack ends; everything else is a trap or an abort.
function faultOf(error: unknown): RunFailureCode {
  if (error instanceof RangeError) return 'sandbox.stack_exceeded'
  return /memory|OOM/i.test(String(error)) ? 'sandbox.memory_exceeded' : 'sandbox.worker_killed'
}

/** The one host function. Reads the three arguments as what they must be and never throws: a message would leak. */
function addTrampoline(context: QuickJSContext, listener: () => RealmListener): QuickJSHandle {
  return context.newFunction('host', (kind, length, text) => {
    const claimed = context.getNumber(length)
    listener().onMessage(context.getNumber(kind), claimed, () => {
      const read = context.getString(text)
      // A guest without memory left cannot hand its string out; the engine then reads an empty one.
      return read.length === claimed ? read : undefined
    })
  })
}

function answerOf(result: {
  readonly value?: QuickJSHandle
  readonly error?: QuickJSHandle | undefined
}): QuickJSHandle {
  if (result.value === undefined) throw new Error('the bootstrap ran out of memory')
  return result.value
}

interface World {
  readonly context: QuickJSContext
  readonly receive: QuickJSHandle
}

function openWorld(
  instance: Instance,
  runtime: QuickJSRuntime,
  options: {
    readonly guestSource: string
    readonly config: RealmConfig
    readonly listener: () => RealmListener
  },
): World {
  runtime.setMaxStackSize(stackBytesMax)
  runtime.setInterruptHandler(() => options.listener().mustEnd(true))
  instance.setGuestClock(0)
  const context = runtime.newContext()
  const bootstrap = answerOf(context.evalCode(options.guestSource, guestFileName, { type: 'global' }))
  const trampoline = addTrampoline(context, options.listener)
  const config = context.newString(JSON.stringify(options.config))
  const receive = answerOf(context.callFunction(bootstrap, context.undefined, trampoline, config))
  for (const handle of [bootstrap, trampoline, config]) handle.dispose()
  return { context, receive }
}

const nobody: RealmListener = { mustEnd: () => false, onMessage: () => undefined }

/** Opens a fresh world in `instance`, which holds one at a time. */
export function openRealm(instance: Instance, guestSource: string, config: RealmConfig): Realm {
  let current = nobody
  let fault: RunFailureCode | undefined
  const enter = <Answer>(bytes: number, otherwise: Answer, run: () => Answer): Answer => {
    if (fault !== undefined) return otherwise
    try {
      if (instance.canAllocate(bytes + spareBytes)) return run()
      fault = 'sandbox.memory_exceeded'
    } catch (error) {
      fault = faultOf(error)
    }
    return otherwise
  }
  const runtime = instance.quickjs.newRuntime()
  const world = enter<World | undefined>(guestSource.length * bytesPerUnit, undefined, () =>
    openWorld(instance, runtime, { guestSource, config, listener: () => current }),
  )
  const call = ({ context, receive }: World, text: string, ...more: QuickJSHandle[]): void => {
    const handle = context.newString(text)
    const result = context.callFunction(receive, context.undefined, handle, ...more)
    for (const used of [handle, result]) used.dispose()
    // The bootstrap catches what the program throws; what escapes it is an interrupt or a want of memory.
    if (result.error !== undefined && !current.mustEnd(false)) fault ??= 'sandbox.memory_exceeded'
  }
  return {
    get fault() {
      return fault
    },
    setListener(next) {
      current = next
    },
    evaluate: (source, fileName) =>
      enter(source.length * bytesPerUnit, false, () => {
        if (world === undefined) return false
        const result = world.context.evalCode(source, fileName, { type: 'global' })
        if (result.error !== undefined) call(world, '{"kind":"describe"}', result.error)
        result.dispose()
        return result.error === undefined
      }),
    send(text) {
      enter(text.length * bytesPerUnit, undefined, () => {
        if (world !== undefined) call(world, text)
      })
    },
    runJobs() {
      enter(0, undefined, () => {
        // Without a bound an endless chain of promises never comes back, and reports no error when it does.
        while (!current.mustEnd(false) && runtime.hasPendingJob())
          runtime.executePendingJobs(jobsPerLook).dispose()
      })
    },
    dispose: () =>
      enter(0, false, () => {
        world?.receive.dispose()
        world?.context.dispose()
        runtime.dispose()
        return true
      }),
  }
}
