import {
  type Capability,
  defineCapability,
  defineOperation,
  type Operation,
  pageOf,
  personOf,
  schema,
} from '../capability/index.ts'
import { limits } from '../kernel/index.ts'
import { appId, appPath, editors, endpointId, endpointPath, readers } from './access.ts'
import { createEndpoint } from './create-endpoint.ts'
import { deleteEndpoint } from './delete-endpoint.ts'
import type { WebhooksDependencies } from './dependencies.ts'
import { WebhooksErrors } from './errors.ts'
import { findApp } from './find-app.ts'
import { findEndpoint } from './find-endpoint.ts'
import type { HistoryDependencies } from './history/dependencies.ts'
import { deliveryOperations } from './history/operations.ts'
import { replayOperations } from './replay/operations.ts'
import { secretOperations } from './secrets/operations.ts'
import { stateOperations } from './state/operations.ts'
import { statsOperations } from './stats/operations.ts'
import { listEndpoints } from './store.ts'
import { testEventOperations } from './test-event/operations.ts'
import { updateEndpoint } from './update-endpoint.ts'
import { Endpoint, endpointInput, NewEndpoint, toWireEndpoint } from './wire.ts'

function endpointCreate(deps: WebhooksDependencies): Operation {
  return defineOperation({
    id: 'endpoint.create',
    summary: 'Register the URL that gets an app’s events',
    description:
      'Events from this moment on are for it, signed by Standard Webhooks. They are sent once the endpoint has answered the challenge (endpoint.verify); one of this machine needs none. The secret is shown once. One endpoint per app.',
    method: 'POST',
    path: `${appPath}/endpoints`,
    audience: 'developer',
    access: editors,
    kind: 'write',
    input: schema.object({
      appId,
      url: endpointInput.url,
      signature: schema.optional(endpointInput.signature),
    }),
    output: NewEndpoint,
    status: 201,
    errors: [
      WebhooksErrors.app_not_found,
      WebhooksErrors.app_has_no_backend,
      WebhooksErrors.endpoint_exists,
      WebhooksErrors.url_refused,
    ],
    async handle({ tx, tenantIds, caller, input, clock, random }) {
      const { endpoint, secret } = await createEndpoint(
        tx,
        deps,
        {
          ...{ appId: input.appId, url: input.url, scheme: input.signature ?? 'v1' },
          ...{ publisherIds: tenantIds, personId: personOf(caller).personId },
        },
        { clock, random },
      )
      return { ...toWireEndpoint(endpoint), secret }
    },
  })
}

const endpointReads = [
  defineOperation({
    id: 'endpoint.list',
    summary: 'List an app’s endpoints',
    method: 'GET',
    path: `${appPath}/endpoints`,
    audience: 'developer',
    access: readers,
    kind: 'read',
    input: schema.object({ appId }),
    output: pageOf(Endpoint, limits.pageSizeMax),
    errors: [WebhooksErrors.app_not_found],
    async handle({ queries, tenantIds, input, clock }) {
      await findApp(queries, tenantIds, input.appId)
      const search = { appId: input.appId, endpointId: null, nowMs: clock.nowMs() }
      const endpoints = await listEndpoints(queries, tenantIds, search)
      return { data: endpoints.map(toWireEndpoint), hasMore: false, nextCursor: null }
    },
  }),

  defineOperation({
    id: 'endpoint.get',
    summary: 'Read one endpoint',
    method: 'GET',
    path: endpointPath,
    audience: 'developer',
    access: readers,
    kind: 'read',
    input: schema.object({ appId, endpointId }),
    output: Endpoint,
    errors: [WebhooksErrors.endpoint_not_found],
    handle: async ({ queries, tenantIds, input, clock }) =>
      toWireEndpoint(await findEndpoint(queries, tenantIds, { ...input, nowMs: clock.nowMs() })),
  }),
]

const endpointDelete = defineOperation({
  id: 'endpoint.delete',
  summary: 'Remove an endpoint',
  description: 'Nothing more is sent. What it has not got stays in the app’s stream.',
  method: 'DELETE',
  path: endpointPath,
  audience: 'developer',
  access: editors,
  kind: 'write',
  input: schema.object({ appId, endpointId }),
  output: schema.nothing,
  errors: [WebhooksErrors.endpoint_not_found],
  async handle({ tx, tenantIds, input, clock }) {
    await deleteEndpoint(tx, tenantIds, { ...input, nowMs: clock.nowMs() })
    return undefined
  },
})

function endpointUpdate(deps: WebhooksDependencies): Operation {
  return defineOperation({
    id: 'endpoint.update',
    summary: 'Change where and how an endpoint is sent to',
    description:
      'Members that are not given stay. Another URL is proven anew, unless it is one of this machine; until then deliveries wait.',
    method: 'PATCH',
    path: endpointPath,
    audience: 'developer',
    access: editors,
    kind: 'write',
    input: schema.object({
      appId,
      endpointId,
      url: schema.optional(endpointInput.url),
      fifo: schema.optional(endpointInput.fifo),
      ratePerSecond: schema.optional(endpointInput.ratePerSecond),
    }),
    output: Endpoint,
    errors: [WebhooksErrors.endpoint_not_found, WebhooksErrors.endpoint_stopped, WebhooksErrors.url_refused],
    async handle({ tx, tenantIds, input, clock }) {
      const { url, fifo, ratePerSecond } = input
      const search = { appId: input.appId, endpointId: input.endpointId, nowMs: clock.nowMs() }
      const change = {
        ...(url === undefined ? {} : { url }),
        ...(fifo === undefined ? {} : { fifo }),
        ...(ratePerSecond === undefined ? {} : { ratePerSecond }),
      }
      return toWireEndpoint(await updateEndpoint(tx, deps, { ...search, publisherIds: tenantIds }, change))
    },
  })
}

/** What developers do with their app's endpoint, and what they see of its deliveries. */
export function webhooksCapability(deps: WebhooksDependencies, history: HistoryDependencies): Capability {
  return defineCapability({
    id: 'webhooks',
    summary: 'Endpoints of apps and the deliveries to them',
    operations: [
      endpointCreate(deps),
      ...endpointReads,
      endpointDelete,
      endpointUpdate(deps),
      ...stateOperations(deps),
      ...secretOperations(deps),
      ...statsOperations,
      ...testEventOperations(deps, history),
      ...deliveryOperations(history),
      ...replayOperations(history),
    ],
  })
}
