import { defineOperation, type Operation, schema } from '../../capability/index.ts'
import type { Transaction } from '../../kernel/index.ts'
import { appId, editors, endpointId, endpointPath } from '../access.ts'
import type { WebhooksDependencies } from '../dependencies.ts'
import type { EndpointView } from '../endpoint.ts'
import { WebhooksErrors } from '../errors.ts'
import type { OneEndpoint } from '../find-endpoint.ts'
import { pauseEndpoint } from '../pause-endpoint.ts'
import { resumeEndpoint } from '../resume-endpoint.ts'
import { challengeEndpoint, type Proof, verifyEndpoint } from '../verify-endpoint.ts'
import { Endpoint, toWireEndpoint } from '../wire.ts'

function endpointVerify(deps: WebhooksDependencies): Operation {
  return defineOperation({
    id: 'endpoint.verify',
    summary: 'Prove that an endpoint wants the app’s events',
    description:
      'Sends one signed request of the type endpoint.challenge. The endpoint answers 2xx with the text of data.challenge, or with JSON {"challenge": …}, within five seconds, and becomes active; what has waited for it is sent. The answer of another kind is told. An endpoint that is verified already stays as it is.',
    method: 'POST',
    path: `${endpointPath}:verify`,
    audience: 'developer',
    access: editors,
    kind: 'write',
    input: schema.object({ appId, endpointId }),
    output: Endpoint,
    errors: [
      WebhooksErrors.endpoint_not_found,
      WebhooksErrors.endpoint_stopped,
      WebhooksErrors.challenge_failed,
      WebhooksErrors.challenged_too_often,
    ],
    prepare: ({ queries, tenantIds, input, clock, random }): Promise<Proof> =>
      challengeEndpoint(queries, deps, { ...input, publisherIds: tenantIds }, { clock, random }),
    async handle({ tx, tenantIds, input, clock, prepared }) {
      const search = { ...input, nowMs: clock.nowMs() }
      return toWireEndpoint(await verifyEndpoint(tx, tenantIds, search, prepared))
    },
  })
}

type Change = (tx: Transaction, publisherIds: readonly string[], search: OneEndpoint) => Promise<EndpointView>

function stateChange(
  verb: 'pause' | 'resume',
  change: Change,
  texts: { readonly summary: string; readonly description: string },
): Operation {
  return defineOperation({
    id: `endpoint.${verb}`,
    ...texts,
    method: 'POST',
    path: `${endpointPath}:${verb}`,
    audience: 'developer',
    access: editors,
    kind: 'write',
    input: schema.object({ appId, endpointId }),
    output: Endpoint,
    errors: [
      WebhooksErrors.endpoint_not_found,
      WebhooksErrors.endpoint_not_verified,
      WebhooksErrors.endpoint_stopped,
    ],
    handle: async ({ tx, tenantIds, input, clock }) =>
      toWireEndpoint(await change(tx, tenantIds, { ...input, nowMs: clock.nowMs() })),
  })
}

/** What moves an endpoint from one state to another. */
export function stateOperations(deps: WebhooksDependencies): readonly Operation[] {
  return [
    endpointVerify(deps),
    stateChange('pause', pauseEndpoint, {
      summary: 'Let an endpoint’s deliveries wait',
      description: 'Nothing is lost and nothing is tried until somebody resumes it.',
    }),
    stateChange('resume', resumeEndpoint, {
      summary: 'Send to a paused endpoint again',
      description: 'What has waited is sent within a second, oldest first.',
    }),
  ]
}
