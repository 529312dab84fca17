import { type Clock, type IdSource, newId, type Transaction } from '../kernel/index.ts'
import { endSubscriptionsOf, type NewSubscription, upsertSubscription } from './store.ts'

/**
 * Subscribes an installation to an event type on one stream and gives the subscription's id. A live subscription of
 * the same three stays and takes the version over.
 */
export function subscribe(tx: Transaction, subscription: NewSubscription, ids: IdSource): Promise<string> {
  return upsertSubscription(tx, subscription, {
    id: newId('subscription', ids),
    nowMs: ids.clock.nowMs(),
  })
}

export interface EndSubscriptions {
  readonly merchantId: string
  readonly installationId: string
  /** Ids of subscriptions that go on, with everything that still waits in them; none, when the installation ends. */
  readonly keptIds?: readonly string[]
}

/** Ends the subscriptions of an installation and cancels what has not been delivered to it by them. */
export function endSubscriptions(
  tx: Transaction,
  { merchantId, installationId, keptIds = [] }: EndSubscriptions,
  clock: Clock,
): Promise<void> {
  return endSubscriptionsOf(tx, merchantId, { installationId, keptIds, nowMs: clock.nowMs() })
}
