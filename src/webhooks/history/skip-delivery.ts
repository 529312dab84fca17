import { lockStream } from '../../events/index.ts'
import type { Transaction } from '../../kernel/index.ts'
import type { DeliveryDetail } from '../delivery-view.ts'
import { WebhooksErrors } from '../errors.ts'
import { findDelivery, parkDelivery } from './store.ts'

/**
 * Takes a delivery that waits to be sent out of its line: nothing tries it any more, and what stood behind it comes.
 * @throws webhooks.delivery_not_found, webhooks.delivery_finished
 */
export async function skipDelivery(
  tx: Transaction,
  publisherIds: readonly string[],
  search: { readonly appId: string; readonly deliveryId: string },
  nowMs: number,
): Promise<DeliveryDetail> {
  const delivery = await findDelivery(tx, publisherIds, search)
  if (delivery === null) throw WebhooksErrors.delivery_not_found()
  // A batch that is being recorded comes before or after, never in between.
  await lockStream(tx, delivery.streamId)
  const parked = await parkDelivery(tx, delivery.streamId, { deliveryId: delivery.id, nowMs })
  if (!parked) throw WebhooksErrors.delivery_finished()
  return { ...delivery, state: 'parked', dueAtMs: null, finishedAtMs: nowMs }
}
