import type { StoredEvent } from '../event.ts'
import type { LiveSubscription } from '../fan-out.ts'

const keyOf = (merchantId: string, type: string): string => `${merchantId} ${type}`

/**
 * The first of these events that together reach about `deliveriesMax` subscriptions, one event at least: a batch is
 * bounded by what it writes, since an event may be for one app or for hundreds.
 */
export function cutBatch(
  events: readonly StoredEvent[],
  subscriptions: readonly Pick<LiveSubscription, 'merchantId' | 'eventType'>[],
  deliveriesMax: number,
): readonly StoredEvent[] {
  const reached = new Map<string, number>()
  for (const { merchantId, eventType } of subscriptions) {
    const key = keyOf(merchantId, eventType)
    reached.set(key, (reached.get(key) ?? 0) + 1)
  }
  let deliveries = 0
  const firstBeyond = events.findIndex(({ merchantId, type }, index) => {
    deliveries += reached.get(keyOf(merchantId, type)) ?? 0
    return index > 0 && deliveries > deliveriesMax
  })
  return firstBeyond < 0 ? events : events.slice(0, firstBeyond)
}
