// What crosses the sandbox's wall, as types. Nothing here has a body, so both sides can share it.

/** Any JSON value. Numbers are finite; there is no undefined, no Date, no BigInt. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** One mini-program's bundle and what it may call. Two programs with different `hostFunctions` are two programs. */
export interface Program {
  /** SHA-256 of the bundle, hexadecimal. */
  readonly id: string
  /** The bundle: one classic script, well-formed Unicode, without NUL. */
  readonly source: string
  /** The name that stacks and problems give the bundle, such as `handlers.js`. */
  readonly fileName: string
  /** Names such as `order.get`; the handler sees `stoa.order.get(input)`. Whatever is not listed does not exist. */
  readonly hostFunctions: readonly string[]
}

/** What one run may use. Every bound is inclusive. */
export interface RunLimits {
  /** The whole linear memory, the engine's own 6 MB included; rounded up to 64 KiB, at least 16 MiB. */
  readonly memoryBytesMax: number
  /**
   * Fuel units: about one Wasm function entry or loop turn each. This engine counts interrupts (one per 10,000 loop
   * turns or calls of the script) and charges 340,000 units for each, so it is exact to that step.
   */
  readonly fuelMax: number
  /** From the moment the handler is entered; waiting for host calls counts. */
  readonly wallMsMax: number
  readonly hostCallsMax: number
  /** UTF-8 bytes of log kept; the rest is dropped and `logsTruncated` says so. */
  readonly logBytesMax: number
  /** UTF-8 bytes of JSON: the result, and each host call's input and reply. */
  readonly resultBytesMax: number
}

/** One run of one handler. Same program, invocation and host replies: same run. */
export interface Invocation {
  readonly runId: string
  readonly entry: { readonly kind: 'event'; readonly type: string }
  /** The handler's first argument. */
  readonly payload: Json
  /** Seeds Math.random. */
  readonly seed: string
  /** What Date sees during the whole run: ms since 1970, UTC. */
  readonly nowMs: number
  readonly limits: RunLimits
}

export interface HostCall {
  /** One of the program's `hostFunctions`. */
  readonly name: string
  readonly input: Json
}

/** `code`, `message` and `details` reach the mini-program word for word: nothing internal belongs there. */
interface HostError {
  readonly code: string
  readonly message: string
  readonly details?: Json
}

export type HostReply =
  | { readonly ok: true; readonly value: Json }
  | { readonly ok: false; readonly error: HostError }

/** Answers a host call. A rejection is answered as `sandbox.host_failed`, without its message. */
export type OnHostCall = (call: HostCall) => Promise<HostReply>

/** Why a run failed. A code is a promise: it is never renamed. */
export type RunFailureCode =
  | 'sandbox.fuel_exhausted'
  | 'sandbox.time_exceeded'
  | 'sandbox.memory_exceeded'
  | 'sandbox.stack_exceeded'
  | 'sandbox.handler_threw'
  | 'sandbox.handler_missing'
  | 'sandbox.never_settled'
  | 'sandbox.load_failed'
  | 'sandbox.result_too_large'
  | 'sandbox.too_many_host_calls'
  | 'sandbox.worker_killed'
  | 'sandbox.pool_full'
  | 'sandbox.closed'

/**
 * The code of a host call that got no answer of the host's own. `call_abandoned` is only recorded: the run ended
 * before the answer came.
 */
export type HostCallFailureCode =
  | 'sandbox.host_failed'
  | 'sandbox.host_function_unknown'
  | 'sandbox.input_too_large'
  | 'sandbox.reply_too_large'
  | 'sandbox.call_abandoned'

export interface RunFailure {
  readonly kind: 'failed'
  readonly code: RunFailureCode
  /** For the developer; may quote what the program threw. */
  readonly message: string
  /** Frames of the bundle only, one per line. */
  readonly stack?: string
}

export type RunOutcome = { readonly kind: 'completed'; readonly value: Json } | RunFailure

export interface HostCallRecord {
  readonly name: string
  readonly durationMs: number
  readonly ok: boolean
  /** The error's code, when not ok. */
  readonly code?: string
}

export interface RunReport {
  readonly runId: string
  readonly outcome: RunOutcome
  /** One `level text` per line; lines that continue are indented by two spaces. Control characters are escaped. */
  readonly logs: string
  readonly logsTruncated: boolean
  /** In the order of the calls. */
  readonly hostCalls: readonly HostCallRecord[]
  readonly durationMs: number
}

/** Why a program cannot be loaded; line and column count from 1 and point into the bundle. */
export interface ProgramProblem {
  readonly code: RunFailureCode
  readonly message: string
  readonly line?: number
  readonly column?: number
  readonly stack?: string
}

/** `handlerTypes`: what the bundle passed to `on`, in that order. `logs`: what it printed while loading. */
export type ProgramCheck =
  | { readonly ok: true; readonly handlerTypes: readonly string[]; readonly logs: string }
  | { readonly ok: false; readonly problem: ProgramProblem }

/** What the guest's bootstrap passes to its one host function as the first argument: see runtime/guest. */
export interface GuestMessageKinds {
  readonly call: 1
  readonly log: 2
  readonly done: 3
  readonly failed: 4
  readonly missing: 5
  readonly loaded: 6
}

/** What the host sends to the guest, as JSON text. */
export type GuestInstruction =
  | { readonly kind: 'describe' }
  | { readonly kind: 'seal' }
  | {
      readonly kind: 'run'
      readonly type: string
      readonly event: Json
      readonly seed: readonly number[]
      readonly logCharsMax: number
      readonly textCharsMax: number
    }
  | { readonly kind: 'reply'; readonly id: number; readonly reply: HostReply }
