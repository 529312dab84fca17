import {
  type Access,
  type Capability,
  defineCapability,
  defineOperation,
  idOf,
  type Operation,
  pageOf,
  personOf,
  schema,
} from '../capability/index.ts'
import { deliveryStates, sinkKinds } from '../events/index.ts'
import { limits, type Queries, toIso } from '../kernel/index.ts'
import { createEndpoint } from './create-endpoint.ts'
import { deleteEndpoint } from './delete-endpoint.ts'
import type { WebhooksDependencies } from './dependencies.ts'
import { WebhooksErrors } from './errors.ts'
import { findEndpoint } from './find-endpoint.ts'
import { findDelivery, listDeliveries } from './history/store.ts'
import { rotateSecret } from './rotate-secret.ts'
import { findOwnApp, listEndpoints, type OwnApp } from './store.ts'
import {
  Delivery,
  DeliveryDetail,
  Endpoint,
  NewEndpoint,
  NewEndpointSecret,
  toWireDelivery,
  toWireDeliveryDetail,
  toWireEndpoint,
} from './wire.ts'

const readers: Access = { kind: 'publisher', roles: ['owner', 'developer', 'viewer', 'ci'] }
const editors: Access = { kind: 'publisher', roles: ['owner', 'developer'] }

const appPath = '/developer/v1/apps/{appId}'
const endpointPath = `${appPath}/endpoints/{endpointId}`
const appId = idOf('app')
const endpointId = idOf('endpoint')

async function requireApp(q: Queries, publisherIds: readonly string[], id: string): Promise<OwnApp> {
  const app = await findOwnApp(q, publisherIds, id)
  if (app === null) throw WebhooksErrors.app_not_found()
  return app
}

function endpointCreate(deps: WebhooksDependencies): Operation {
  return defineOperation({
    id: 'endpoint.create',
    summary: 'Register the URL that gets an app’s events',
    description:
      'Events from this moment on are sent there, signed by Standard Webhooks v1. The secret is shown once. One endpoint per app.',
    method: 'POST',
    path: `${appPath}/endpoints`,
    audience: 'developer',
    access: editors,
    kind: 'write',
    input: schema.object({
      appId,
      url: schema.string({
        minLength: 1,
        maxLength: limits.endpointUrlLengthMax,
        description: 'https; http only for addresses of this machine where the platform allows them',
      }),
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
        { ...input, publisherIds: tenantIds, personId: personOf(caller).personId },
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
      await requireApp(queries, tenantIds, input.appId)
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

function secretRotate(deps: WebhooksDependencies): Operation {
  return defineOperation({
    id: 'endpoint.rotate_secret',
    summary: 'Give an endpoint a new signing secret',
    description:
      'Until previousExpiresAt every request carries two signatures, so that a receiver can change over without missing one.',
    method: 'POST',
    path: `${endpointPath}/secrets`,
    audience: 'developer',
    access: editors,
    kind: 'write',
    input: schema.object({
      appId,
      endpointId,
      overlapSeconds: schema.optional(
        schema.integer({
          minimum: 0,
          maximum: limits.webhookSecretOverlapMsMax / 1000,
          description: 'How long the present secret still signs; a day when not given',
        }),
      ),
    }),
    output: NewEndpointSecret,
    status: 201,
    errors: [WebhooksErrors.endpoint_not_found],
    async handle({ tx, tenantIds, input, clock, random }) {
      const { overlapSeconds } = input
      const overlapMs = overlapSeconds === undefined ? null : overlapSeconds * 1000
      const rotation = { appId: input.appId, endpointId: input.endpointId, overlapMs }
      const rotated = await rotateSecret(
        tx,
        deps,
        { ...rotation, publisherIds: tenantIds },
        { clock, random },
      )
      const { id, secret, createdAtMs, previousExpiresAtMs } = rotated
      return {
        ...{ id, secret },
        createdAt: toIso(createdAtMs),
        previousExpiresAt: toIso(previousExpiresAtMs),
      }
    },
  })
}

const deliveryList = defineOperation({
  id: 'delivery.list',
  summary: 'List an app’s deliveries, newest first',
  description:
    'One stream at a time: what goes to the app’s backend, or what its handlers get in the sandbox.',
  method: 'GET',
  path: `${appPath}/deliveries`,
  audience: 'developer',
  access: readers,
  kind: 'read',
  input: schema.object({
    appId,
    sink: schema.optional(
      schema.oneOf(sinkKinds, { description: 'When not given: sandbox for a mini-program, else backend' }),
    ),
    state: schema.optional(schema.oneOf(deliveryStates)),
    limit: schema.optional(
      schema.integer({ minimum: 1, maximum: limits.pageSizeMax, default: limits.pageSizeDefault }),
    ),
    after: schema.optional(schema.string({ maxLength: 19, pattern: '^[1-9][0-9]{0,17}$' })),
  }),
  output: pageOf(Delivery, limits.pageSizeMax),
  errors: [WebhooksErrors.app_not_found],
  async handle({ queries, tenantIds, input }) {
    const { appClass } = await requireApp(queries, tenantIds, input.appId)
    const size = input.limit ?? limits.pageSizeDefault
    const rows = await listDeliveries(queries, tenantIds, {
      appId: input.appId,
      sink: input.sink ?? (appClass === 'mini-program' ? 'sandbox' : 'backend'),
      state: input.state ?? null,
      beforeSequence: input.after === undefined ? null : BigInt(input.after),
      rowsMax: size + 1,
    })
    const shown = rows.slice(0, size)
    const hasMore = rows.length > shown.length
    const nextCursor = hasMore ? String(shown.at(-1)?.sequence) : null
    return { data: shown.map(toWireDelivery), hasMore, nextCursor }
  },
})

const deliveryGet = defineOperation({
  id: 'delivery.get',
  summary: 'Read one delivery with everything kept of its attempts',
  method: 'GET',
  path: `${appPath}/deliveries/{deliveryId}`,
  audience: 'developer',
  access: readers,
  kind: 'read',
  input: schema.object({ appId, deliveryId: idOf('delivery') }),
  output: DeliveryDetail,
  errors: [WebhooksErrors.delivery_not_found],
  async handle({ queries, tenantIds, input }) {
    const delivery = await findDelivery(queries, tenantIds, input)
    if (delivery === null) throw WebhooksErrors.delivery_not_found()
    return toWireDeliveryDetail(delivery)
  },
})

/** What developers do with their app's endpoint, and what they see of its deliveries. */
export function webhooksCapability(deps: WebhooksDependencies): Capability {
  return defineCapability({
    id: 'webhooks',
    summary: 'Endpoints of apps and the deliveries to them',
    operations: [
      endpointCreate(deps),
      ...endpointReads,
      endpointDelete,
      secretRotate(deps),
      deliveryList,
      deliveryGet,
    ],
  })
}
