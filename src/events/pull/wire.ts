import { idOf, type MerchantUse, schema } from '../../capability/index.ts'
import { limits, toIso } from '../../kernel/index.ts'
import type { StreamPage } from './read-stream.ts'
import type { ShownItem, StreamItem } from './stream-item.ts'

export const sequence = (description: string) =>
  schema.integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description })

const StreamDelivery = schema.named(
  'StreamDelivery',
  schema.object(
    {
      sequence: sequence('The header webhook-sequence: without gaps in an app’s stream'),
      cancelled: schema.optional(
        schema.boolean({ description: 'true: shows nothing and never will, up to this sequence' }),
      ),
      from: schema.optional(sequence('With cancelled: the first of several in one')),
      held: schema.optional(
        schema.boolean({
          description:
            'true: the platform holds this merchant’s deliveries back. As if it had not come yet: ask again later, do not acknowledge it',
        }),
      ),
      deliveryId: schema.optional(idOf('delivery')),
      eventId: schema.optional(schema.string({ maxLength: 40, description: 'The header webhook-id' })),
      eventType: schema.optional(schema.string({ maxLength: 100 })),
      subject: schema.optional(schema.string({ maxLength: limits.eventAttributeLengthMax })),
      merchantId: schema.optional(idOf('merchant')),
      installationId: schema.optional(idOf('installation')),
      createdAt: schema.optional(schema.time()),
      thin: schema.optional(
        schema.boolean({
          description: 'The header webhook-thin: what happened and where to read it; the data is gone',
        }),
      ),
      body: schema.optional(
        schema.string({
          // The event's data with its envelope; a character has at least one byte.
          maxLength: limits.eventDataBytesMax + 4096,
          description: 'The exact text of a webhook’s body: a CloudEvent in JSON',
        }),
      ),
    },
    { description: 'Either all members of a delivery, or sequence with cancelled or held' },
  ),
)

export const StreamPart = schema.named(
  'StreamPart',
  schema.object({
    data: schema.array(StreamDelivery, { maxItems: limits.pageSizeMax * 2 + 1 }),
    hasMore: schema.boolean({ description: 'The next page is there already' }),
    nextAfter: sequence('`after` of the next page'),
    lastSequence: sequence('The highest that the stream holds'),
    cursor: sequence('Everything up to here has been acknowledged'),
  }),
)

function toWireShown(item: ShownItem) {
  const { deliveryId, eventId, eventType, subject, merchantId, installationId, thin, body } = item
  return {
    sequence: Number(item.sequence),
    ...{ deliveryId, eventId, eventType, subject, merchantId, installationId },
    createdAt: toIso(item.createdAtMs),
    ...{ thin, body },
  }
}

function toWireItem(item: StreamItem) {
  if (item.kind === 'shown') return toWireShown(item)
  const place = { sequence: Number(item.sequence) }
  if (item.kind === 'held') return { ...place, held: true }
  return { ...place, cancelled: true, ...(item.from < item.sequence ? { from: Number(item.from) } : {}) }
}

/** A page as it travels. */
export function toWirePart({ items, nextAfter, hasMore, lastSequence, cursor }: StreamPage) {
  return {
    data: items.map(toWireItem),
    hasMore,
    nextAfter: Number(nextAfter),
    lastSequence: Number(lastSequence),
    cursor: Number(cursor),
  }
}

/** What a page shows of whom, for the access records: each merchant is told of its own. */
export function usesOf({ items }: Pick<StreamPage, 'items'>): readonly MerchantUse[] {
  const uses = new Map<string, MerchantUse>()
  for (const item of items) {
    if (item.kind !== 'shown') continue
    const { merchantId, personal } = item
    const before = uses.get(merchantId) ?? { merchantId, rows: 0, personal: false }
    uses.set(merchantId, { merchantId, rows: before.rows + 1, personal: before.personal || personal })
  }
  return [...uses.values()]
}
