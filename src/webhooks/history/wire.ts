import { idOf, schema } from '../../capability/index.ts'
import { attemptOutcomes, deliveryStates, sinkKinds } from '../../events/index.ts'
import { limits, toIso } from '../../kernel/index.ts'
import type { AttemptView, DeliveryDetail, DeliveryView } from '../delivery-view.ts'
import type { SentRequest } from './sent-request.ts'
import { shownAttemptsMax } from './store.ts'

const attemptMembers = {
  number: schema.integer({ minimum: 1, maximum: limits.deliveryAttemptsMax + 1 }),
  outcome: schema.oneOf(attemptOutcomes),
  replayId: schema.nullable(
    schema.string({ maxLength: 30, description: 'What sent it once more; null: live traffic' }),
  ),
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

const header = schema.string({ maxLength: 1_000 })
const SentRequestSchema = schema.named(
  'SentRequest',
  schema.object({
    headers: schema.record(header, {
      maxProperties: 20,
      description: 'As they were sent, the signature aside; webhook-thin is not kept',
    }),
    signature: schema.nullable(
      schema.string({
        maxLength: 1_000,
        description:
          'webhook-signature, computed anew over the body as it is kept; null when body or secrets are not',
      }),
    ),
    signedBy: schema.array(idOf('endpointSecret'), { maxItems: 100 }),
    verified: schema.nullable(
      schema.boolean({
        description: 'The body is still the one whose SHA-256 was stored; null: nothing to compare',
      }),
    ),
  }),
)
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
    request: schema.nullable(SentRequestSchema),
  }),
)

const deliveryMembers = {
  id: idOf('delivery'),
  sequence: schema.integer({
    minimum: 1,
    maximum: Number.MAX_SAFE_INTEGER,
    description: 'Without gaps in the stream; the header webhook-sequence',
  }),
  merchantId: idOf('merchant'),
  installationId: idOf('installation'),
  eventId: schema.string({ maxLength: 40, description: 'The header webhook-id' }),
  eventType: schema.string({ maxLength: 100 }),
  subject: schema.string({ maxLength: limits.eventAttributeLengthMax }),
  state: schema.oneOf(deliveryStates),
  attemptCount: schema.integer({
    minimum: 0,
    maximum: limits.deliveryAttemptsMax,
    description: 'By the retry table; what was sent once more does not count',
  }),
  dueAt: schema.nullable(schema.time({ description: 'The next attempt; null: none will be made' })),
  createdAt: schema.time(),
  finishedAt: schema.nullable(schema.time()),
}

/** Why a body is not shown. */
export const missingBodies = ['no_longer_kept', 'never_sent', 'role'] as const

export type MissingBody = (typeof missingBodies)[number]

export const Delivery = schema.named(
  'Delivery',
  schema.object({ ...deliveryMembers, attempts: schema.array(Attempt, { maxItems: shownAttemptsMax }) }),
)
export const Resent = schema.named(
  'ResentDelivery',
  schema.object({ replayId: idOf('replay'), attempt: Attempt, delivery: Delivery }),
)
export const DeliveryDetailSchema = schema.named(
  'DeliveryDetail',
  schema.object({
    ...deliveryMembers,
    sink: schema.oneOf(sinkKinds),
    body: schema.nullable(
      schema.string({ maxLength: 256 * 1024, description: 'The exact text that is sent' }),
    ),
    bodySha256: schema.nullable(schema.string({ maxLength: 64, description: 'Of its bytes, hexadecimal' })),
    bodyMissing: schema.nullable(
      schema.oneOf(missingBodies, {
        description:
          'no_longer_kept: its time is over; never_sent: it was not, and the permission does not cover it now; role: owners and developers see it',
      }),
    ),
    attempts: schema.array(AttemptDetail, { maxItems: shownAttemptsMax }),
  }),
)

const isoOrNull = (ms: number | null): string | null => (ms === null ? null : toIso(ms))

// A page of 200 deliveries with whole responses would be tens of megabytes; one delivery shows them in full.
const excerptLength = 512

function toWireAttempt({ number, outcome, replayId, status, error, response, ...rest }: AttemptView) {
  return {
    ...{ number, outcome, replayId, status, error },
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

/** A delivery that was sent again, with the attempt that did it. */
export function toWireResent(
  replayId: string,
  attempt: Omit<AttemptView, 'deliveryId' | 'replayId'>,
  delivery: DeliveryView,
) {
  const sent = toWireAttempt({ ...attempt, deliveryId: delivery.id, replayId })
  return { replayId, attempt: sent, delivery: toWireDelivery(delivery) }
}

/** A delivery with everything that is kept of it; `missing`: why its body is not shown. */
export function toWireDeliveryDetail(
  view: DeliveryDetail,
  missing: MissingBody | null,
  requestOf: (attempt: AttemptView) => SentRequest | null,
) {
  const attempts = view.tries.map((attempt) => ({
    ...toWireAttempt(attempt),
    response: attempt.response,
    log: attempt.log,
    request: requestOf(attempt),
  }))
  const { text, sha256 } = (missing === null ? view.body : null) ?? { text: null, sha256: null }
  return {
    ...toWireMembers(view),
    ...{ sink: view.sink, body: text, bodySha256: sha256, bodyMissing: missing, attempts },
  }
}
