import type { Db } from '../../db/index.ts'
import { limits } from '../../kernel/index.ts'
import type { PrepareDependencies } from '../drain/prepare-body.ts'
import { prepareBody } from '../drain/prepare-body.ts'
import type { DueDelivery } from '../drain/store.ts'
import type { RuleBook, RuleSource } from '../rule-book.ts'
import { StreamErrors } from './errors.ts'
import type { Partition } from './partition.ts'
import { findPullStream, listRange, type PullStream } from './store.ts'
import { type StreamItem, withGapsFilled } from './stream-item.ts'

export interface ReadDependencies extends PrepareDependencies {
  readonly db: Db
  readonly rules: RuleSource
}

export interface PageRequest {
  /** Null: from the cursor. */
  readonly after: bigint | null
  readonly partition: Partition
  readonly rowsMax: number
}

/** A part of a stream, in order. */
export interface StreamPage {
  readonly items: readonly StreamItem[]
  /** Where the next page begins. */
  readonly nextAfter: bigint
  readonly hasMore: boolean
  /** The highest that the stream holds. */
  readonly lastSequence: bigint
  readonly cursor: bigint
  /** A rule holds everything of this app back: only time can change that. */
  readonly isHeld: boolean
}

/** Where a stream that does not exist yet stands: nothing has happened. */
const beginning = { cursor: 0n, lastSequence: 0n } as const

/** Where the app's stream stands. @throws stream.sequence_ahead when it has not come as far as `after` */
export async function findPosition(
  { db }: Pick<ReadDependencies, 'db'>,
  appId: string,
  after: bigint | null,
): Promise<{ readonly cursor: bigint; readonly lastSequence: bigint; readonly stream: PullStream | null }> {
  const stream = await findPullStream(db.queries, appId)
  const { cursor, lastSequence } =
    stream === null ? beginning : { cursor: stream.cursor, lastSequence: stream.nextSequence - 1n }
  if (after !== null) checkNotAhead(after, lastSequence)
  return { cursor, lastSequence, stream }
}

/** @throws stream.sequence_ahead */
export function checkNotAhead(sequence: bigint, lastSequence: bigint): void {
  if (sequence <= lastSequence) return
  throw StreamErrors.sequence_ahead(`the stream ends at ${lastSequence}`, {
    members: { lastSequence: Number(lastSequence) },
  })
}

/** Whether the text shows customers' personal data: by the scopes that its fields need. */
function isPersonal({ catalog }: ReadDependencies, delivery: DueDelivery, body: string): boolean {
  const type = catalog.eventTypes.get(delivery.eventType)
  const granted = new Set(delivery.granted)
  // A text made anew shows at most what is granted now.
  const shown =
    body === delivery.body
      ? delivery.scopes
      : Object.values(type?.fieldScopes ?? {})
          .concat(type?.scope ?? [])
          .filter((scope) => granted.has(scope))
  return shown.some((scope) => catalog.scopes.get(scope)?.sensitivity === 'private')
}

async function toItem(
  deps: ReadDependencies,
  delivery: DueDelivery,
  heldMerchantIds: ReadonlySet<string>,
): Promise<StreamItem> {
  const { sequence, merchantId } = delivery
  const cancelled = { kind: 'cancelled', from: sequence, sequence } as const
  if (delivery.state === 'cancelled') return cancelled
  if (heldMerchantIds.has(merchantId)) return { kind: 'held', sequence }
  const prepared = await prepareBody(deps, delivery)
  if (prepared.kind === 'cancel') return cancelled
  const { body, thin } = prepared
  const { id: deliveryId, eventId, eventType, subject, installationId, createdAtMs } = delivery
  const about = { sequence, deliveryId, eventId, eventType, subject, merchantId, installationId, createdAtMs }
  return { kind: 'shown', ...about, thin, body, personal: !thin && isPersonal(deps, delivery, body) }
}

function withKeptScopes(
  deliveries: readonly DueDelivery[],
  rules: RuleBook,
  publisherId: string,
): readonly DueDelivery[] {
  return deliveries.map((delivery) => ({
    ...delivery,
    granted: rules.keptScopes(delivery.granted, { ...delivery, publisherId }),
  }))
}

/**
 * The next part of an app's stream, with the permissions as they are now: what a webhook would not carry any more is
 * only a marker.
 * @throws stream.sequence_ahead
 */
export async function readStream(
  deps: ReadDependencies,
  appId: string,
  request: PageRequest,
): Promise<StreamPage> {
  const rules = await deps.rules()
  const { stream, cursor, lastSequence } = await findPosition(deps, appId, request.after)
  const after = request.after ?? cursor
  const where = { lastSequence, cursor }
  if (stream === null || after === lastSequence)
    return { ...where, items: [], nextAfter: after, hasMore: false, isHeld: false }
  const app = { appId, publisherId: stream.publisherId }
  if (rules.isHeld(app)) return { ...where, items: [], nextAfter: after, hasMore: false, isHeld: true }

  const { partition, rowsMax } = request
  const range = { after, before: stream.nextSequence, partition, rowsMax, bytesMax: limits.pullBytesMax }
  const { deliveries, isWhole } = await listRange(deps.db.queries, stream.id, range)
  const held = new Set(rules.heldMerchantIds(app))
  const items: StreamItem[] = []
  // One after the other: those that need more than their row are few.
  for (const delivery of withKeptScopes(deliveries, rules, stream.publisherId))
    items.push(await toItem(deps, delivery, held))
  const nextAfter = isWhole ? lastSequence : (items.at(-1)?.sequence ?? lastSequence)
  return {
    ...where,
    items: partition.count === 1 ? withGapsFilled(items, { after, through: nextAfter }) : items,
    nextAfter,
    hasMore: !isWhole,
    isHeld: false,
  }
}
