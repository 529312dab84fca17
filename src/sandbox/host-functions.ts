import type { HostReply, Json, OnHostCall } from '../../runtime/node/index.ts'
import type { AppCaller } from '../capability/index.ts'
import type { OutgoingDelivery } from '../events/index.ts'
import { limits, StoaError, toProblem } from '../kernel/index.ts'
import type { SandboxDependencies } from './dependencies.ts'
import { SandboxErrors } from './errors.ts'
import { findLiveGrant, type LiveGrant } from './store.ts'

type Deps = Pick<SandboxDependencies, 'db' | 'catalog' | 'door' | 'clock' | 'log'>
type Installation = Pick<OutgoingDelivery, 'appId' | 'merchantId' | 'installationId'>

function callerOf({ appId, merchantId, installationId }: Installation, grant: LiveGrant): AppCaller {
  return {
    kind: 'app',
    appId,
    installation: { appId, installationId, merchantId, grantEpoch: grant.epoch },
    scopes: new Set(grant.granted),
    bounds: grant.bounds,
    personId: null,
  }
}

/** The present permissions of an installation, at most `limits.sandboxGrantFreshMs` old. */
function makeCallerSource({ db, clock }: Deps, installation: Installation, first: LiveGrant) {
  let caller = callerOf(installation, first)
  let readAtMs = clock.nowMs()
  return async (): Promise<AppCaller> => {
    const nowMs = clock.nowMs()
    if (nowMs - readAtMs <= limits.sandboxGrantFreshMs) return caller
    const { merchantId, installationId } = installation
    const grant = await findLiveGrant(db.queries, merchantId, installationId)
    if (grant === null) throw SandboxErrors.installation_gone()
    readAtMs = nowMs
    if (grant.epoch !== caller.installation?.grantEpoch) caller = callerOf(installation, grant)
    return caller
  }
}

/** What the handler sees of an error: code and sentence of the problem, and where its input is wrong. */
function refusal(error: unknown, requestId: string): HostReply {
  const { code, detail, type: _type, title: _title, status: _status, ...rest } = toProblem(error, requestId)
  return { ok: false, error: { code, message: detail, details: rest as Json } }
}

/**
 * Answers one run's host calls through the one door, as the installation the event was delivered to. What the grant
 * does not hold is refused there, by `capability.permission_not_granted` with the scope that is missing.
 */
export function makeHostFunctions(
  deps: Deps,
  installation: Installation,
  grant: LiveGrant,
  runId: string,
): OnHostCall {
  const { catalog, door, log } = deps
  const currentCaller = makeCallerSource(deps, installation, grant)
  return async ({ name, input }) => {
    try {
      const caller = await currentCaller()
      const operationId = catalog.hostFunctions.get(name)
      // Never an operation by its id: only what is declared for handlers may be called by one.
      if (operationId === undefined) throw SandboxErrors.host_function_unknown()
      const answer = await door.invoke(operationId, {
        caller,
        input: input ?? {},
        via: 'sandbox',
        requestId: runId,
      })
      return { ok: true, value: (answer.output ?? null) as Json }
    } catch (error) {
      if (!(error instanceof StoaError)) log.error({ err: error, runId, name }, 'sandbox.host_call_failed')
      return refusal(error, runId)
    }
  }
}
