import type {
  GuestInstruction,
  Invocation,
  OnHostCall,
  Program,
  RunOutcome,
  RunReport,
} from '../abi/index.ts'
import type { EngineClock } from './clock.ts'
import { failure, thrownFailure } from './failure.ts'
import { type HostCalls, makeHostCalls } from './host-calls.ts'
import { type LogBuffer, makeLogBuffer } from './logs.ts'
import { type Meter, makeMeter } from './meter.ts'
import { guestMessageKinds, type Realm, type RealmListener } from './realm.ts'
import { seedWords } from './seed.ts'
import { parseGuestJson, utf8Length } from './text.ts'

export interface RunOptions {
  readonly program: Program
  readonly invocation: Invocation
  readonly clock: EngineClock
  readonly onHostCall: OnHostCall
  /** Hears every line as it is logged, so that the lines of a run that has to be killed are not lost. */
  readonly onLog: (text: string) => void
}

interface Run {
  readonly invocation: Invocation
  readonly meter: Meter
  readonly logs: LogBuffer
  readonly hostCalls: HostCalls
  outcome: RunOutcome | undefined
}

/** Longer than any id, name or error description that goes with a text of the program. */
const envelopeLength = 64 * 1024

function completed(text: string, bytesMax: number): RunOutcome {
  const parsed = utf8Length(text) > bytesMax ? undefined : parseGuestJson(text)
  return parsed === undefined
    ? failure('sandbox.result_too_large')
    : { kind: 'completed', value: parsed.value }
}

function onText(run: Run, options: RunOptions, kind: number, text: string): void {
  const { limits, entry } = run.invocation
  switch (kind) {
    case guestMessageKinds.log: {
      const kept = run.logs.append(String(parseGuestJson(text)?.value))
      if (kept !== '') options.onLog(kept)
      return
    }
    case guestMessageKinds.call:
      if (!run.hostCalls.start(text)) run.meter.trip('sandbox.too_many_host_calls')
      return
    case guestMessageKinds.done:
      run.outcome = completed(text, limits.resultBytesMax)
      return
    case guestMessageKinds.failed:
      run.outcome = thrownFailure(parseGuestJson(text)?.value)
      return
    case guestMessageKinds.missing:
      run.outcome = failure('sandbox.handler_missing', `The bundle has no handler for ${entry.type}`)
  }
}

/** Whether the guest's message is worth reading: after a trip or an outcome it may still run for a moment. */
function isHeard(run: Run, kind: number): boolean {
  if (run.outcome !== undefined || run.meter.tripped !== undefined) return false
  return kind !== guestMessageKinds.log || !run.logs.isFull()
}

function listenerOf(run: Run, options: RunOptions): RealmListener {
  const { limits } = run.invocation
  return {
    mustEnd: (atInterrupt) =>
      run.outcome !== undefined || (atInterrupt ? run.meter.poll() : run.meter.isLate()),
    onMessage(kind, length, read) {
      if (!isHeard(run, kind)) return
      if (length > limits.resultBytesMax + envelopeLength) {
        if (kind === guestMessageKinds.done) run.outcome = failure('sandbox.result_too_large')
        return
      }
      const text = read()
      if (text === undefined) run.meter.trip('sandbox.memory_exceeded')
      else onText(run, options, kind, text)
    },
  }
}

function openingText(invocation: Invocation): string {
  const instruction: GuestInstruction = {
    kind: 'run',
    type: invocation.entry.type,
    event: invocation.payload,
    seed: seedWords(invocation.seed),
    logCharsMax: invocation.limits.logBytesMax,
    textCharsMax: invocation.limits.resultBytesMax,
  }
  return JSON.stringify(instruction)
}

/** Runs the guest's code between host replies until there is an outcome, a trip or a fault. */
async function pump(run: Run, realm: Realm, canAllocate: () => boolean): Promise<void> {
  const { hostCalls, meter } = run
  for (;;) {
    realm.runJobs()
    if (run.outcome !== undefined || meter.isLate() || realm.fault !== undefined) return
    if (!hostCalls.arePending()) {
      run.outcome = failure(canAllocate() ? 'sandbox.never_settled' : 'sandbox.memory_exceeded')
      return
    }
    await hostCalls.waitForReply(meter.remainingMs() + 1)
    for (const text of hostCalls.takeReplies()) realm.send(text)
  }
}

/** Calls that the handler did not wait for still happen: they are given the rest of the time, then recorded. */
async function awaitCalls(run: Run): Promise<void> {
  run.hostCalls.takeReplies()
  while (run.hostCalls.arePending() && run.meter.remainingMs() > 0) {
    await run.hostCalls.waitForReply(run.meter.remainingMs() + 1)
    run.hostCalls.takeReplies()
  }
}

/** One run in a realm into which the program was loaded. Never rejects. */
export async function runHandler(
  realm: Realm,
  canAllocate: () => boolean,
  options: RunOptions,
): Promise<RunReport> {
  const { invocation, clock, program } = options
  const { limits, runId } = invocation
  const startedMs = clock.monotonicMs()
  const run: Run = {
    invocation,
    meter: makeMeter(limits, clock.monotonicMs),
    logs: makeLogBuffer(limits.logBytesMax),
    hostCalls: makeHostCalls({
      hostFunctions: program.hostFunctions,
      limits,
      clock,
      onHostCall: options.onHostCall,
    }),
    outcome: undefined,
  }
  realm.setListener(listenerOf(run, options))
  realm.send(openingText(invocation))
  await pump(run, realm, canAllocate)
  // Read before the waiting below, in which the time may run out without hurting an outcome that is there.
  const ended = run.outcome ?? failure(run.meter.tripped ?? realm.fault ?? 'sandbox.worker_killed')
  await awaitCalls(run)
  return {
    runId,
    outcome: ended,
    logs: run.logs.text,
    logsTruncated: run.logs.truncated,
    hostCalls: run.hostCalls.finish(),
    durationMs: clock.monotonicMs() - startedMs,
  }
}
