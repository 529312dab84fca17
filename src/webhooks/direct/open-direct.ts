import type { Outcome, OutgoingDelivery, Receiver } from '../../events/index.ts'
import { limits } from '../../kernel/index.ts'
import type { SendingDependencies } from '../dependencies.ts'
import type { EndpointState } from '../endpoint.ts'
import { openSecret } from '../secret.ts'
import { sendDelivery, type Target } from '../send-delivery.ts'
import { signerOf } from '../sign.ts'
import { resumeByItself, stopByItself } from '../state/change-by-itself.ts'
import { type DirectEndpoint, findDirectEndpoint } from './store.ts'

/** The way to an endpoint beside its stream's drain: for what a person or a replay sends. */
export interface Direct {
  readonly publisherId: string
  /** What this state allows is the caller's to decide: the receiver sends in every one. */
  readonly state: EndpointState
  readonly target: Target
  readonly receiver: Receiver
}

async function deliver(
  deps: SendingDependencies,
  { endpoint, target }: { readonly endpoint: DirectEndpoint; readonly target: Target },
  delivery: OutgoingDelivery,
): Promise<Outcome> {
  const { outcome, stop } = await sendDelivery(deps, target, delivery)
  if (stop !== null) await stopByItself(deps, endpoint, stop)
  else if (outcome.kind === 'delivered') {
    const health = { delivered: true, nowMs: deps.clock.nowMs() }
    // As good as an answered probe.
    if (endpoint.state === 'paused') await resumeByItself(deps, endpoint)
    else await deps.endpoints.noteHealth(endpoint, health)
  }
  // A failure says nothing here: what is sent once more may be what failed before.
  return outcome
}

/** Opens the endpoint of a stream in whatever state it is; null when there is none. */
export async function openDirect(deps: SendingDependencies, streamId: string): Promise<Direct | null> {
  const endpoint = await findDirectEndpoint(deps.db.queries, streamId, deps.clock.nowMs())
  if (endpoint === null) return null
  const signers = endpoint.secrets.map(({ id, sealed }) => signerOf(openSecret(deps.secretKey, id, sealed)))
  const target = { url: endpoint.url, signers }
  return {
    publisherId: endpoint.publisherId,
    state: endpoint.state,
    target,
    receiver: {
      concurrencyMax: endpoint.fifo ? 1 : limits.replayConcurrency,
      adaptive: false,
      fifo: endpoint.fifo,
      ratePerSecond: null,
      probing: false,
      startSequence: 0n,
      deliver: (delivery) => deliver(deps, { endpoint, target }, delivery),
    },
  }
}
