import { defineOperation, idOf, type Operation, pageOf, personOf, schema } from '../../capability/index.ts'
import { deliveryStates, sinkKinds } from '../../events/index.ts'
import { limits } from '../../kernel/index.ts'
import { appId, appPath, editors, readers } from '../access.ts'
import { WebhooksErrors } from '../errors.ts'
import { findApp } from '../find-app.ts'
import type { HistoryDependencies } from './dependencies.ts'
import { recordResent, resendDelivery } from './resend-delivery.ts'
import { showDelivery } from './show-delivery.ts'
import { skipDelivery } from './skip-delivery.ts'
import { findDelivery, listDeliveries } from './store.ts'
import { parseRange } from './time-range.ts'
import { Delivery, DeliveryDetailSchema, Resent, toWireDelivery, toWireResent } from './wire.ts'

const deliveryPath = `${appPath}/deliveries/{deliveryId}`
const deliveryId = idOf('delivery')

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
    eventType: schema.optional(schema.string({ minLength: 1, maxLength: 100 })),
    merchantId: schema.optional(idOf('merchant')),
    from: schema.optional(schema.time({ description: 'Made at or after' })),
    to: schema.optional(schema.time({ description: 'Made before' })),
    limit: schema.optional(
      schema.integer({ minimum: 1, maximum: limits.pageSizeMax, default: limits.pageSizeDefault }),
    ),
    after: schema.optional(schema.string({ maxLength: 19, pattern: '^[1-9][0-9]{0,17}$' })),
  }),
  output: pageOf(Delivery, limits.pageSizeMax),
  errors: [WebhooksErrors.app_not_found],
  async handle({ queries, tenantIds, input }) {
    const range = parseRange(input)
    const { appClass } = await findApp(queries, tenantIds, input.appId)
    const size = input.limit ?? limits.pageSizeDefault
    const rows = await listDeliveries(queries, tenantIds, {
      appId: input.appId,
      sink: input.sink ?? (appClass === 'mini-program' ? 'sandbox' : 'backend'),
      state: input.state ?? null,
      eventType: input.eventType ?? null,
      merchantId: input.merchantId ?? null,
      ...range,
      beforeSequence: input.after === undefined ? null : BigInt(input.after),
      rowsMax: size + 1,
    })
    const shown = rows.slice(0, size)
    const hasMore = rows.length > shown.length
    const nextCursor = hasMore ? String(shown.at(-1)?.sequence) : null
    return { data: shown.map(toWireDelivery), hasMore, nextCursor }
  },
})

function deliveryGet({ sending }: HistoryDependencies): Operation {
  return defineOperation({
    id: 'delivery.get',
    summary: 'Read one delivery with everything kept of it',
    description:
      'What was sent and what came back, attempt by attempt. Owners and developers see the body as long as it is kept; the merchant’s access log says that they did.',
    method: 'GET',
    path: deliveryPath,
    audience: 'developer',
    access: readers,
    kind: 'read',
    input: schema.object({ appId, deliveryId }),
    output: DeliveryDetailSchema,
    errors: [WebhooksErrors.delivery_not_found],
    async handle({ queries, tenantIds, caller, input, concerns }) {
      const search = { ...input, publisherIds: tenantIds }
      const { wire, merchantId, personal } = await showDelivery(
        queries,
        sending.secretKey,
        personOf(caller),
        search,
      )
      concerns(merchantId, { personal })
      return wire
    },
  })
}

function deliveryResend(deps: HistoryDependencies): Operation {
  return defineOperation({
    id: 'delivery.resend',
    summary: 'Send one delivery again, now',
    description: [
      'The answer comes when the endpoint’s has: look at the attempt’s outcome. The request carries the header webhook-replay and does not count by the retry table; permissions are checked again right before it.',
      'A delivery that arrives this way is delivered, whether it was exhausted, parked or cancelled, or waited for its next attempt. A pending one is sent by itself.',
    ].join('\n\n'),
    method: 'POST',
    path: `${deliveryPath}:resend`,
    audience: 'developer',
    access: editors,
    kind: 'write',
    input: schema.object({ appId, deliveryId }),
    output: Resent,
    errors: [
      WebhooksErrors.delivery_not_found,
      WebhooksErrors.delivery_of_handler,
      WebhooksErrors.delivery_pending,
      WebhooksErrors.no_endpoint,
      WebhooksErrors.endpoint_not_verified,
      WebhooksErrors.endpoint_stopped,
      WebhooksErrors.permission_withdrawn,
      WebhooksErrors.event_gone,
      WebhooksErrors.deliveries_held,
    ],
    prepare: ({ queries, tenantIds, input, clock, random }) =>
      resendDelivery(queries, deps, { ...input, publisherIds: tenantIds }, { clock, random }),
    async handle({ tx, tenantIds, caller, input, clock, prepared, concerns }) {
      const { personId } = personOf(caller)
      concerns(prepared.delivery.merchantId)
      await recordResent(tx, prepared, { appId: input.appId, personId, nowMs: clock.nowMs() })
      const delivery = await findDelivery(tx, tenantIds, input)
      if (delivery === null) throw WebhooksErrors.delivery_not_found()
      return toWireResent(prepared.replayId, prepared.attempt, delivery)
    },
  })
}

const deliverySkip = defineOperation({
  id: 'delivery.skip',
  summary: 'Take one delivery out of its line',
  description:
    'Nothing tries it any more; what waits behind it in the order of its subject comes. It can be sent again later.',
  method: 'POST',
  path: `${deliveryPath}:skip`,
  audience: 'developer',
  access: editors,
  kind: 'write',
  input: schema.object({ appId, deliveryId }),
  output: Delivery,
  errors: [WebhooksErrors.delivery_not_found, WebhooksErrors.delivery_finished],
  async handle({ tx, tenantIds, input, clock, concerns }) {
    const delivery = await skipDelivery(tx, tenantIds, input, clock.nowMs())
    concerns(delivery.merchantId)
    return toWireDelivery(delivery)
  },
})

/** What developers see of their app's deliveries, and do with one. */
export function deliveryOperations(deps: HistoryDependencies): readonly Operation[] {
  return [deliveryList, deliveryGet(deps), deliveryResend(deps), deliverySkip]
}
