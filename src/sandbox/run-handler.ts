import type {
  Invocation,
  Json,
  Program,
  RunFailureCode,
  RunLimits,
  RunReport,
} from '../../runtime/node/index.ts'
import type { Outcome, OutgoingDelivery } from '../events/index.ts'
import { limits, newId } from '../kernel/index.ts'
import type { SandboxDependencies } from './dependencies.ts'
import { SandboxErrors, type SandboxFailureCode, sandboxFailures } from './errors.ts'
import { makeHostFunctions } from './host-functions.ts'
import type { ProgramLoader } from './load-program.ts'
import { findLiveGrant, type LiveGrant } from './store.ts'

const runLimits: RunLimits = {
  memoryBytesMax: limits.sandboxMemoryBytesMax,
  fuelMax: limits.sandboxHandlerFuelMax,
  wallMsMax: limits.sandboxHandlerWallMs,
  hostCallsMax: limits.sandboxHostCallsMax,
  logBytesMax: limits.sandboxLogBytesMax,
  resultBytesMax: limits.sandboxResultBytesMax,
}

// The pool is busy or about to close: not the program's fault, so it costs no attempt.
const deferMs = 2_000
const deferred: ReadonlySet<RunFailureCode> = new Set<RunFailureCode>(['sandbox.pool_full', 'sandbox.closed'])
const handlerMissing: RunFailureCode = 'sandbox.handler_missing'

const tooEarly: SandboxFailureCode = 'sandbox.version_missing'

/** No version to run: a goodbye to an app that runs nowhere any more, or a release that was halted and may come back. */
function untried(isInstalled: boolean): Outcome {
  const tried = { status: null, response: null, log: null }
  return isInstalled
    ? {
        kind: 'failed',
        overloaded: false,
        retryAfterMs: null,
        error: `${tooEarly}: ${sandboxFailures[tooEarly].title}`,
        ...tried,
      }
    : { kind: 'refused', error: SandboxErrors.installation_gone.code, ...tried }
}

function logOf({ logs, logsTruncated }: RunReport): string | null {
  if (logs === '') return null
  return logsTruncated ? `${logs}\n[the rest was cut off]` : logs
}

/**
 * What the run means for its delivery. A program that fails the same way each time (a bundle that does not load, a
 * handler that throws, too much fuel) is tried again by the table all the same: what repairs it is a new release, and
 * the next attempt runs the version that is installed then.
 */
function toOutcome(report: RunReport): Outcome {
  const { outcome } = report
  const log = logOf(report)
  if (outcome.kind === 'completed') {
    const response = JSON.stringify(outcome.value)
    return { kind: 'delivered', status: null, error: null, response, log }
  }
  if (deferred.has(outcome.code)) return { kind: 'deferred', delayMs: deferMs, reason: outcome.code }
  const error = `${outcome.code}: ${outcome.message}`
  // The manifest subscribed to the type, the bundle has nothing to do about it: that is the developer's choice.
  if (outcome.code === handlerMissing) return { kind: 'delivered', status: null, error, response: null, log }
  const trace = outcome.stack === undefined ? error : `${error}\n${outcome.stack}`
  return {
    kind: 'failed',
    overloaded: false,
    retryAfterMs: null,
    status: null,
    error: trace,
    response: null,
    log,
  }
}

function invocationOf({ clock }: SandboxDependencies, delivery: OutgoingDelivery, runId: string): Invocation {
  return {
    runId,
    entry: { kind: 'event', type: delivery.eventType },
    payload: JSON.parse(delivery.body) as Json,
    // The same for the same attempt, so that a run can be repeated.
    seed: `${delivery.id}:${delivery.attempt}`,
    nowMs: clock.nowMs(),
    limits: runLimits,
  }
}

async function run(
  deps: SandboxDependencies,
  program: Program,
  delivery: OutgoingDelivery,
  grant: LiveGrant,
): Promise<Outcome> {
  const runId = newId('run', deps)
  const onHostCall = makeHostFunctions(deps, delivery, grant, runId)
  const report = await deps.pool.run(program, invocationOf(deps, delivery, runId), onHostCall)
  const { outcome, hostCalls, durationMs } = report
  deps.log.info(
    {
      ...{ runId, deliveryId: delivery.id, eventId: delivery.eventId, durationMs },
      outcome: outcome.kind === 'completed' ? outcome.kind : outcome.code,
      hostCalls: hostCalls.length,
    },
    'sandbox.run',
  )
  return toOutcome(report)
}

/** Runs the handler that the installed version has for the delivery's event. */
export async function runHandler(
  deps: SandboxDependencies,
  loadProgram: ProgramLoader,
  delivery: OutgoingDelivery,
): Promise<Outcome> {
  const { merchantId, installationId, eventType } = delivery
  const version = await deps.resolveInstalledVersion(merchantId, installationId)
  const grant = await findLiveGrant(deps.db.queries, merchantId, installationId)
  if (version === null || grant === null) return untried(grant !== null)
  const program = await loadProgram(version)
  if (program !== null) return run(deps, program, delivery, grant)
  const error = `${handlerMissing}: version ${version.name} has no handler for ${eventType}`
  return { kind: 'delivered', status: null, error, response: null, log: null }
}
