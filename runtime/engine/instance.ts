import {
  newQuickJSWASMModule,
  newVariant,
  type QuickJSSyncVariant,
  type QuickJSWASMModule,
  RELEASE_SYNC,
} from 'quickjs-emscripten'

const pageBytes = 65_536
/** What the binary asks for at least: 5.3 MB of its own data and stack, the rest heap. */
const initialPages = 256

/** One instantiation of the Wasm binary: a linear memory with a hard end, and the clock that its guests see. */
export interface Instance {
  readonly quickjs: QuickJSWASMModule
  readonly memoryBytesMax: number
  /** What Date shows, in ms since 1970; frozen until the host sets it again. */
  setGuestClock(nowMs: number): void
  /** Whether the heap still has room for `bytes` in one piece. A host that writes without asking writes at address 0. */
  canAllocate(bytes: number): boolean
  /** Whether the memory was enlarged; it cannot shrink. */
  hasGrown(): boolean
}

type ImportedFunction = (...values: unknown[]) => unknown

/** Finds the one import whose code has all of `marks`: names are minified and change with every build. */
function nameOfImport(functions: ReadonlyMap<string, ImportedFunction>, marks: readonly string[]): string {
  const found = [...functions].filter(([, run]) => marks.every((mark) => String(run).includes(mark)))
  const [name] = found.length === 1 ? (found[0] ?? []) : []
  if (name === undefined)
    throw new Error(`this build of QuickJS imports its clock differently: ${marks.join(', ')}`)
  return name
}

/** Replaces the clock and the time zone: guests see the host's frozen time, in UTC on every machine. */
function withGuestClock(
  imports: WebAssembly.Imports,
  memory: WebAssembly.Memory,
  guestNowMs: () => number,
): WebAssembly.Imports {
  const entries = Object.entries(imports).map(([moduleName, members]) => {
    const functions = new Map(
      Object.entries(members).filter(
        (entry): entry is [string, ImportedFunction] => typeof entry[1] === 'function',
      ),
    )
    const clockName = nameOfImport(functions, ['Date.now()'])
    const localTimeName = nameOfImport(functions, ['getTimezoneOffset', 'getSeconds'])
    // QuickJS reads nothing of struct tm but its offset from UTC.
    const localTime = (_timeSeconds: bigint, address: number): void => {
      new Int32Array(memory.buffer, address, 10).fill(0)
    }
    return [moduleName, { ...members, [clockName]: guestNowMs, [localTimeName]: localTime }] as const
  })
  return Object.fromEntries(entries)
}

function silent(): void {
  // What the engine prints before it aborts says nothing that its exception does not.
}

interface Heap {
  _malloc(bytes: number): number
  _free(address: number): void
}

/** Loads the variant and keeps hold of its allocator, which the library does not show. */
async function load(
  variant: QuickJSSyncVariant,
): Promise<{ readonly quickjs: QuickJSWASMModule; readonly heap: Heap }> {
  let heap: Heap | undefined
  const quickjs = await newQuickJSWASMModule({
    ...variant,
    async importModuleLoader() {
      let found = await variant.importModuleLoader()
      while ('default' in found) found = found.default
      const instantiate = found
      return async (options) => {
        const loaded = await instantiate(options)
        heap = loaded
        return loaded
      }
    },
  })
  if (heap === undefined) throw new Error('QuickJS was not instantiated')
  return { quickjs, heap }
}

/**
 * Instantiates the binary with a memory of at most `memoryBytesMax`.
 * @throws Error when the binary is not the build this was written for.
 */
export async function newInstance(wasmModule: WebAssembly.Module, memoryBytesMax: number): Promise<Instance> {
  const maximum = Math.max(initialPages, Math.ceil(memoryBytesMax / pageBytes))
  // setMemoryLimit does not hold: it meters a block of any size as eight bytes.
  const memory = new WebAssembly.Memory({ initial: initialPages, maximum })
  let guestNowMs = 0
  const emscriptenModule = {
    print: silent,
    printErr: silent,
    instantiateWasm(imports: WebAssembly.Imports, onSuccess: (instance: WebAssembly.Instance) => void) {
      const instance = new WebAssembly.Instance(
        wasmModule,
        withGuestClock(imports, memory, () => guestNowMs),
      )
      onSuccess(instance)
      return instance.exports
    },
  }
  const { quickjs, heap } = await load(newVariant(RELEASE_SYNC, { wasmMemory: memory, emscriptenModule }))
  return {
    quickjs,
    memoryBytesMax,
    setGuestClock(nowMs) {
      guestNowMs = Math.floor(nowMs)
    },
    canAllocate(bytes) {
      const address = heap._malloc(bytes)
      if (address !== 0) heap._free(address)
      return address !== 0
    },
    hasGrown: () => memory.buffer.byteLength > initialPages * pageBytes,
  }
}
