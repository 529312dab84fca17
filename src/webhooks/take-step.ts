import type { ErrorFactory } from '../kernel/index.ts'
import { type EndpointState, type EndpointStep, type EndpointView, next } from './endpoint.ts'
import { WebhooksErrors } from './errors.ts'

const refusals: { readonly [S in EndpointState]?: ErrorFactory } = {
  unverified: WebhooksErrors.endpoint_not_verified,
  stopped: WebhooksErrors.endpoint_stopped,
}

/** The endpoint after a person's step. @throws webhooks.endpoint_not_verified, webhooks.endpoint_stopped */
export function takeStep(endpoint: EndpointView, step: EndpointStep): EndpointView {
  const state = next(endpoint.state, step)
  if (state === null) throw (refusals[endpoint.state] ?? WebhooksErrors.endpoint_stopped)()
  return { ...endpoint, state }
}

/** Free of what an earlier pause or failure has left in its row. */
export function cleared(endpoint: EndpointView): EndpointView {
  const clear = {
    stateReason: null,
    pausedAtMs: null,
    probeAtMs: null,
    probeFailures: 0,
    failingSinceMs: null,
  }
  return { ...endpoint, ...clear }
}
