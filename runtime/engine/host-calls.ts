import type {
  GuestInstruction,
  HostCallFailureCode,
  HostCallRecord,
  HostReply,
  Json,
  OnHostCall,
  RunLimits,
} from '../abi/index.ts'
import type { EngineClock } from './clock.ts'
import { hostCallFailures } from './errors.ts'
import { parseGuestJson, utf8Length } from './text.ts'

/** The host calls of one run. */
export interface HostCalls {
  /** Starts a call from the guest's message `id name input`. False when it is one too many. */
  start(text: string): boolean
  /** Instructions for the guest that have not been taken yet. */
  takeReplies(): readonly string[]
  /** Whether a reply is still to come or to be taken. */
  arePending(): boolean
  /** Waits until a reply can be taken, `timeoutMs` at most. */
  waitForReply(timeoutMs: number): Promise<void>
  /** Ends the run: later replies are dropped, calls without one are recorded as abandoned. */
  finish(): readonly HostCallRecord[]
}

export interface HostCallOptions {
  readonly hostFunctions: readonly string[]
  readonly limits: RunLimits
  readonly clock: EngineClock
  readonly onHostCall: OnHostCall
}

function refusal(code: HostCallFailureCode): HostReply {
  return { ok: false, error: { code, message: hostCallFailures[code].title } }
}

interface StartedCall {
  readonly id: number
  readonly name: string
  readonly startedMs: number
  record?: HostCallRecord
}

// Every member is written out: a missing one would be looked up on the guest's Object.prototype.
function replyText(id: number, reply: HostReply): string {
  const instruction: GuestInstruction = {
    kind: 'reply',
    id,
    reply: reply.ok
      ? { ok: true, value: reply.value ?? null }
      : {
          ok: false,
          error: {
            code: reply.error.code,
            message: reply.error.message,
            details: reply.error.details ?? null,
          },
        },
  }
  return JSON.stringify(instruction)
}

async function answer(options: HostCallOptions, name: string, inputText: string): Promise<HostReply> {
  if (!options.hostFunctions.includes(name)) return refusal('sandbox.host_function_unknown')
  const input = utf8Length(inputText) > options.limits.resultBytesMax ? undefined : parseGuestJson(inputText)
  if (input === undefined) return refusal('sandbox.input_too_large')
  return options.onHostCall({ name, input: input.value satisfies Json })
}

/** Keeps the host calls of one run, at most `limits.hostCallsMax`. */
export function makeHostCalls(options: HostCallOptions): HostCalls {
  const { clock, limits } = options
  const calls: StartedCall[] = []
  const replies: string[] = []
  let inFlight = 0
  let finished = false
  let wake: (() => void) | undefined

  const record = (call: StartedCall, reply: HostReply): void => {
    const durationMs = clock.monotonicMs() - call.startedMs
    call.record = {
      name: call.name,
      durationMs,
      ok: reply.ok,
      ...(reply.ok ? {} : { code: reply.error.code }),
    }
  }
  const settle = (call: StartedCall, reply: HostReply): void => {
    if (finished) return
    const text = replyText(call.id, reply)
    const fits = utf8Length(text) <= limits.resultBytesMax + 1024
    const given = fits ? reply : refusal('sandbox.reply_too_large')
    record(call, given)
    replies.push(fits ? text : replyText(call.id, given))
    inFlight -= 1
    wake?.()
  }
  const perform = async (call: StartedCall, inputText: string): Promise<void> => {
    let reply: HostReply
    try {
      reply = await answer(options, call.name, inputText)
      settle(call, reply)
    } catch {
      // Neither what the host threw nor what it answered may break the run or be told to the program.
      settle(call, refusal('sandbox.host_failed'))
    }
  }

  return {
    start(text) {
      const [opening, id, name] = /^(\d{1,9}) (\S{1,200}) /.exec(text) ?? []
      if (opening === undefined || id === undefined || name === undefined) return true
      if (calls.length >= limits.hostCallsMax) return false
      const call: StartedCall = { id: Number(id), name, startedMs: clock.monotonicMs() }
      calls.push(call)
      inFlight += 1
      void perform(call, text.slice(opening.length))
      return true
    },
    takeReplies: () => replies.splice(0),
    arePending: () => inFlight > 0 || replies.length > 0,
    async waitForReply(timeoutMs) {
      if (replies.length > 0) return
      await new Promise<void>((resolve) => {
        const cancel = clock.after(timeoutMs, resolve)
        wake = () => {
          cancel()
          resolve()
        }
      })
      wake = undefined
    },
    finish() {
      finished = true
      return calls.map((call) => {
        if (call.record === undefined) record(call, refusal('sandbox.call_abandoned'))
        return call.record as HostCallRecord
      })
    },
  }
}
