import { idOf, schema } from '../capability/index.ts'
import { attemptOutcomes, deliveryStates } from '../events/index.ts'
import { limits, toIso } from '../kernel/index.ts'
import type { AttemptView, DeliveryView } from './delivery-view.ts'
import { type EndpointView, endpointStates, type SecretView } from './endpoint.ts'

const sequence = schema.integer({
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'Without gaps in the stream; the header webhook-sequence',
})
const signingSecret = schema.string({
  maxLength: 80,
  description: 'whsec_…, shown in this answer only; verify with any Standard Webhooks library',
})

const secretMembers = {
  id: idOf('endpointSecret'),
  createdAt: schema.time(),
  expiresAt: schema.nullable(schema.time({ description: 'null: the current one' })),
}

const EndpointSecret = schema.named('EndpointSecret', schema.object(secretMembers))
export const NewEndpointSecret = schema.named(
  'NewEndpointSecret',
  schema.object({
    id: idOf('endpointSecret'),
    createdAt: schema.time(),
    secret: signingSecret,
    previousExpiresAt: schema.time({ description: 'Until then both secrets sign' }),
  }),
)

const endpointMembers = {
  id: idOf('endpoint'),
  appId: idOf('app'),
  url: schema.string({ maxLength: limits.endpointUrlLengthMax }),
  state: schema.oneOf(endpointStates),
  stateReason: schema.nullable(schema.string({ maxLength: 100 })),
  startSequence: sequence,
  lastSuccessAt: schema.nullable(schema.time()),
  failingSince: schema.nullable(schema.time({ description: 'First failure since the last success' })),
  createdAt: schema.time(),
  secrets: schema.array(EndpointSecret, { maxItems: limits.liveSecretsMax }),
}

export const Endpoint = schema.named('Endpoint', schema.object(endpointMembers))
export const NewEndpoint = schema.named(
  'NewEndpoint',
  schema.object({ ...endpointMembers, secret: signingSecret }),
)

const attemptMembers = {
  number: schema.integer({ minimum: 1, maximum: limits.deliveryAttemptsMax + 1 }),
  outcome: schema.oneOf(attemptOutcomes),
  status: schema.nullable(schema.integer({ minimum: 100, maximum: 999, description: 'HTTP status' })),
  error: schema.nullable(schema.string({ maxLength: 4_096, description: '`code` or `code: message`' })),
  response: schema.nullable(
    schema.string({
      maxLength: limits.webhookResponseKeptBytesMax,
      description: 'What the receiver answered, or the handler’s result as JSON; the beginning of it',
    }),
  ),
  startedAt: schema.time(),
  durationMs: schema.integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
}

const Attempt = schema.named('Attempt', schema.object(attemptMembers))
const AttemptDetail = schema.named(
  'AttemptDetail',
  schema.object({
    ...attemptMembers,
    log: schema.nullable(
      schema.string({
        maxLength: limits.sandboxLogBytesMax,
        description: 'What the handler wrote to its console',
      }),
    ),
  }),
)

// Ten by the table; a lease that changed hands may leave one more behind.
const triesMax = 100
const deliveryMembers = {
  id: idOf('delivery'),
  sequence,
  merchantId: idOf('merchant'),
  installationId: idOf('installation'),
  eventId: schema.string({ maxLength: 40, description: 'The header webhook-id' }),
  eventType: schema.string({ maxLength: 100 }),
  subject: schema.string({ maxLength: limits.eventAttributeLengthMax }),
  state: schema.oneOf(deliveryStates),
  attemptCount: schema.integer({ minimum: 0, maximum: limits.deliveryAttemptsMax }),
  dueAt: schema.nullable(schema.time({ description: 'The next attempt; null: none will be made' })),
  createdAt: schema.time(),
  finishedAt: schema.nullable(schema.time()),
}

export const Delivery = schema.named(
  'Delivery',
  schema.object({ ...deliveryMembers, attempts: schema.array(Attempt, { maxItems: triesMax }) }),
)
export const DeliveryDetail = schema.named(
  'DeliveryDetail',
  schema.object({ ...deliveryMembers, attempts: schema.array(AttemptDetail, { maxItems: triesMax }) }),
)

const isoOrNull = (ms: number | null): string | null => (ms === null ? null : toIso(ms))

function toWireSecret({ id, createdAtMs, expiresAtMs }: SecretView) {
  return { id, createdAt: toIso(createdAtMs), expiresAt: isoOrNull(expiresAtMs) }
}

/** An endpoint as its developers see it. */
export function toWireEndpoint(view: EndpointView) {
  const { id, appId, url, state, stateReason } = view
  return {
    ...{ id, appId, url, state, stateReason },
    startSequence: Number(view.startSequence),
    lastSuccessAt: isoOrNull(view.lastSuccessAtMs),
    failingSince: isoOrNull(view.failingSinceMs),
    createdAt: toIso(view.createdAtMs),
    secrets: view.secrets.map(toWireSecret),
  }
}

// A page of 200 deliveries with whole responses would be tens of megabytes; one delivery shows them in full.
const excerptLength = 512

function toWireAttempt({ number, outcome, status, error, response, ...rest }: AttemptView) {
  return {
    ...{ number, outcome, status, error },
    response: response === null ? null : response.slice(0, excerptLength),
    startedAt: toIso(rest.startedAtMs),
    durationMs: rest.durationMs,
  }
}

function toWireMembers(view: DeliveryView) {
  const { id, merchantId, installationId, eventId, eventType, subject, state } = view
  return {
    ...{ id, merchantId, installationId, eventId, eventType, subject, state },
    sequence: Number(view.sequence),
    attemptCount: view.attempts,
    dueAt: isoOrNull(view.dueAtMs),
    createdAt: toIso(view.createdAtMs),
    finishedAt: isoOrNull(view.finishedAtMs),
  }
}

/** A delivery of a list: the beginning of each response. */
export function toWireDelivery(view: DeliveryView) {
  return { ...toWireMembers(view), attempts: view.tries.map(toWireAttempt) }
}

/** A delivery with everything that is kept of its attempts. */
export function toWireDeliveryDetail(view: DeliveryView) {
  const attempts = view.tries.map((attempt) => ({
    ...toWireAttempt(attempt),
    response: attempt.response,
    log: attempt.log,
  }))
  return { ...toWireMembers(view), attempts }
}
