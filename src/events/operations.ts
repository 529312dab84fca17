import { type Capability, defineCapability, defineOperation, idOf, schema } from '../capability/index.ts'
import { limits, parseTime, present, type Transaction } from '../kernel/index.ts'
import type { PlacedEvent } from './check-events.ts'
import { EventsErrors } from './errors.ts'
import type { PublishedEvent } from './publish-event.ts'

export interface PublishingDependencies {
  /** Late: the door that runs these operations is made before the event path. */
  publishAsHost(tx: Transaction, events: readonly PlacedEvent[]): Promise<readonly PublishedEvent[]>
}

const attribute = { minLength: 1, maxLength: limits.eventAttributeLengthMax } as const

const members = {
  type: schema.string({ minLength: 1, maxLength: 100, description: 'One of /asyncapi.json: order.paid' }),
  merchantId: idOf('merchant'),
  subject: schema.string({ ...attribute, description: 'Id of what it happened to' }),
  data: schema.json({ description: 'As /schemas/events/{type}/{version} says' }),
  externalId: schema.optional(
    schema.string({
      ...attribute,
      description: 'Your own id of this event, unique per source: sent again, it is the same event',
    }),
  ),
  source: schema.optional(
    schema.string({
      ...attribute,
      description: 'URI reference of the system that reports it; /host if absent',
    }),
  ),
  occurredAt: schema.optional(schema.time({ description: 'When it happened; now, if absent' })),
}

const newEvent = schema.named('NewEvent', schema.object(members))

interface NewEventInput {
  readonly type: string
  readonly merchantId: string
  readonly subject: string
  readonly data: unknown
  readonly externalId?: string | undefined
  readonly source?: string | undefined
  readonly occurredAt?: string | undefined
}

const publishedEvent = schema.named(
  'PublishedEvent',
  schema.object({
    id: idOf('event'),
    repeated: schema.boolean({
      description: 'Its source had published this externalId before: the id is that event’s',
    }),
  }),
)

const errors = [EventsErrors.invalid_event, EventsErrors.data_too_large, EventsErrors.external_id_taken]

function toPlaced(input: NewEventInput, pointer: string): PlacedEvent {
  const { type, merchantId, subject, data, externalId, source, occurredAt } = input
  const event = {
    ...{ type, merchantId, subject, data },
    ...(externalId === undefined ? {} : { externalId }),
    ...(source === undefined ? {} : { source }),
    ...(occurredAt === undefined
      ? {}
      : { occurredAtMs: present(parseTime(occurredAt), 'a time that the schema let in') }),
  }
  return { pointer, event }
}

/** How the host's own systems publish what happened in them. */
export function eventsCapability({ publishAsHost }: PublishingDependencies): Capability {
  return defineCapability({
    id: 'event',
    summary: 'Publishing of events by the host’s own systems',
    operations: [
      defineOperation({
        id: 'event.publish',
        summary: 'Publish an event',
        description:
          'The answer means that the event is stored and will be delivered. Without an answer, send the same again: with the same Idempotency-Key, or with an externalId, it is published once.',
        method: 'POST',
        path: '/host/v1/events',
        audience: 'host',
        access: { kind: 'host' },
        kind: 'write',
        input: newEvent,
        output: publishedEvent,
        status: 201,
        errors,
        async handle({ tx, input }) {
          const [published] = await publishAsHost(tx, [toPlaced(input, '')])
          return present(published, 'the event just published')
        },
      }),

      defineOperation({
        id: 'event.publish_batch',
        summary: 'Publish several events, all or none',
        description: `At most ${limits.eventsPerBatchMax} events and ${limits.requestBodyBytesMax / 1024 / 1024} MiB. They are delivered in this order; the answer names their ids in the same order. One wrong event refuses the batch, and errors names every wrong place: /events/3/data/total/amount.`,
        method: 'POST',
        path: '/host/v1/events:batch',
        audience: 'host',
        access: { kind: 'host' },
        kind: 'write',
        input: schema.object({
          events: schema.array(newEvent, { minItems: 1, maxItems: limits.eventsPerBatchMax }),
        }),
        output: schema.object({
          data: schema.array(publishedEvent, { maxItems: limits.eventsPerBatchMax }),
        }),
        status: 201,
        errors,
        async handle({ tx, input, concerns }) {
          const merchantIds = new Set(input.events.map(({ merchantId }) => merchantId))
          const placed = input.events.map((event, index) => toPlaced(event, `/events/${index}`))
          const data = await publishAsHost(tx, placed)
          const [merchantId] = merchantIds
          if (merchantIds.size === 1 && merchantId !== undefined) concerns(merchantId)
          return { data }
        },
      }),
    ],
  })
}
