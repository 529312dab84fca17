import type { HostCall, HostReply, Invocation, Program, ProgramCheck, RunReport } from '../abi/index.ts'
import type { LoadLimits } from '../engine/index.ts'

// What crosses between the platform's thread and a sandbox thread. One task at a time per thread.

export interface ThreadSettings {
  readonly wasmModule: WebAssembly.Module
  readonly loadLimits: LoadLimits
  readonly memoryBytesMax: number
}

export type Task =
  | { readonly kind: 'run'; readonly program: Program; readonly invocation: Invocation }
  | { readonly kind: 'check'; readonly program: Program }

export type ToThread =
  | { readonly kind: 'task'; readonly task: Task }
  | { readonly kind: 'reply'; readonly callId: number; readonly reply: HostReply }

/** In this order: `ready` once; then for each task `running` (loaded, not for checks), `log` and `call`, its end, `idle`. */
export type FromThread =
  | { readonly kind: 'ready' }
  | { readonly kind: 'running' }
  | { readonly kind: 'log'; readonly text: string }
  | { readonly kind: 'call'; readonly callId: number; readonly call: HostCall }
  | { readonly kind: 'finished'; readonly report: RunReport }
  | { readonly kind: 'checked'; readonly check: ProgramCheck }
  | { readonly kind: 'idle' }
