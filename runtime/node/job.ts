import type {
  HostCallRecord,
  HostReply,
  Invocation,
  OnHostCall,
  Program,
  ProgramCheck,
  RunFailureCode,
  RunReport,
} from '../abi/index.ts'
// Not through the engine's index: the platform's thread has no use for QuickJS itself.
import { failure } from '../engine/failure.ts'
import { nodeClock } from './clock.ts'
import type { Task } from './messages.ts'
import type { TaskListener } from './thread.ts'

/** A task with its owner: what the pool queues. It is answered exactly once, by `onEnd` or by `onLost`. */
export interface Job extends TaskListener {
  readonly task: Task
  /** How long it may run once it is running; undefined: it only loads. */
  readonly wallMsMax: number | undefined
}

interface StartedCall {
  readonly name: string
  readonly startedMs: number
  reply?: HostReply
  durationMs?: number
}

const hostFailed: HostReply = {
  ok: false,
  error: { code: 'sandbox.host_failed', message: 'The platform could not answer' },
}

// The thread keeps the same records; these are for the run whose thread had to be killed.
function recordOf(call: StartedCall): HostCallRecord {
  const { name, reply, startedMs, durationMs = nodeClock.monotonicMs() - startedMs } = call
  if (reply === undefined) return { name, durationMs, ok: false, code: 'sandbox.call_abandoned' }
  return { name, durationMs, ok: reply.ok, ...(reply.ok ? {} : { code: reply.error.code }) }
}

interface RunJobOptions {
  readonly program: Program
  readonly invocation: Invocation
  readonly onHostCall: OnHostCall
  readonly onError: (error: unknown) => void
  readonly answer: (report: RunReport) => void
}

/** A run as a job. Host calls are answered here, on the platform's thread. */
export function makeRunJob({ program, invocation, onHostCall, onError, answer }: RunJobOptions): Job {
  const { limits, runId } = invocation
  const calls: StartedCall[] = []
  let logs = ''
  let startedMs: number | undefined

  const answerCall: Job['onCall'] = async ({ call }, send) => {
    const started: StartedCall = { name: call.name, startedMs: nodeClock.monotonicMs() }
    calls.push(started)
    try {
      started.reply = await onHostCall(call)
      send(started.reply)
    } catch (error) {
      // A host that throws, or answers with what is not JSON, has a defect; the program is not told which.
      onError(error)
      started.reply = hostFailed
      send(hostFailed)
    }
    started.durationMs = nodeClock.monotonicMs() - started.startedMs
  }
  return {
    task: { kind: 'run', program, invocation },
    wallMsMax: limits.wallMsMax,
    onRunning() {
      startedMs = nodeClock.monotonicMs()
    },
    onLog(text) {
      logs += text
    },
    onCall: answerCall,
    onEnd(message) {
      if (message.kind === 'finished') answer(message.report)
    },
    onLost(code: RunFailureCode) {
      const durationMs = startedMs === undefined ? 0 : nodeClock.monotonicMs() - startedMs
      const hostCalls = calls.map(recordOf)
      answer({ runId, outcome: failure(code), logs, logsTruncated: false, hostCalls, durationMs })
    },
  }
}

/** A check as a job. */
export function makeCheckJob(program: Program, answer: (check: ProgramCheck) => void): Job {
  return {
    task: { kind: 'check', program },
    wallMsMax: undefined,
    onRunning: () => undefined,
    onLog: () => undefined,
    onCall: () => Promise.resolve(),
    onEnd(message) {
      if (message.kind === 'checked') answer(message.check)
    },
    onLost: (code) => answer({ ok: false, problem: { code, message: failure(code).message } }),
  }
}
