import { idOf, schema } from '../../capability/index.ts'
import { limits, toIso } from '../../kernel/index.ts'
import { doneOf, etaSecondsOf, type ReplayView, replayableStates, replayStates } from './replay.ts'

const count = (description: string) =>
  schema.integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description })
const eventType = schema.string({ minLength: 1, maxLength: 100 })
const states = schema.array(schema.oneOf(replayableStates), {
  minItems: 1,
  maxItems: replayableStates.length,
  uniqueItems: true,
  description: 'When not given: exhausted and parked, what never arrived',
})

/** Which deliveries: a member that is not given leaves everything in. */
export const ReplayFilterInput = schema.object({
  from: schema.optional(schema.time({ description: 'Made at or after' })),
  to: schema.optional(schema.time({ description: 'Made before' })),
  states: schema.optional(states),
  eventTypes: schema.optional(
    schema.array(eventType, { minItems: 1, maxItems: limits.replayEventTypesMax, uniqueItems: true }),
  ),
  merchantId: schema.optional(idOf('merchant')),
})

const FilterShown = schema.object({
  from: schema.nullable(schema.time()),
  to: schema.nullable(schema.time()),
  states: schema.array(schema.oneOf(replayableStates), { maxItems: replayableStates.length }),
  eventTypes: schema.nullable(schema.array(eventType, { maxItems: limits.replayEventTypesMax })),
  merchantId: schema.nullable(idOf('merchant')),
  deliveryId: schema.nullable(
    schema.string({ maxLength: 30, description: 'The one delivery that a person sent again' }),
  ),
})

export const Replay = schema.named(
  'Replay',
  schema.object({
    id: idOf('replay'),
    appId: idOf('app'),
    filter: FilterShown,
    ratePerSecond: schema.integer({ minimum: 1, maximum: limits.replayRatePerSecondMax }),
    state: schema.oneOf(replayStates),
    total: count('Deliveries that matched when it was made'),
    done: count('delivered, failed and skipped together'),
    delivered: count('Answered with 2xx'),
    failed: count('Not answered with 2xx; each was tried once'),
    skipped: count('Not sent: the permission is gone, or the platform holds it back'),
    etaSeconds: schema.nullable(
      schema.integer({
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
        description: 'At the rate asked for; null: it has ended',
      }),
    ),
    createdBy: idOf('person'),
    createdAt: schema.time(),
    finishedAt: schema.nullable(schema.time()),
  }),
)

export const ReplayAnswer = schema.named(
  'ReplayAnswer',
  schema.object({
    total: count('Deliveries that match now'),
    replay: schema.nullable(Replay),
  }),
)

/** A replay as its developers see it. */
export function toWireReplay(view: ReplayView) {
  const { id, appId, ratePerSecond, state, total, delivered, failed, skipped, createdBy } = view
  const { from, to, states: shown, eventTypes, merchantId, deliveryId } = view.filter
  return {
    ...{ id, appId, ratePerSecond, state, total, delivered, failed, skipped, createdBy },
    filter: { from, to, states: shown, eventTypes, merchantId, deliveryId },
    done: doneOf(view),
    etaSeconds: etaSecondsOf(view),
    createdAt: toIso(view.createdAtMs),
    finishedAt: view.finishedAtMs === null ? null : toIso(view.finishedAtMs),
  }
}
