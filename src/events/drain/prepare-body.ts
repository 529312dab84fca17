import type { Clock } from '../../kernel/index.ts'
import type { EventFailureCode } from '../errors.ts'
import { isWhole, toThinBodyText } from '../event.ts'
import type { EventStore } from '../event-store.ts'
import { type FanOutContext, viewOf } from '../fan-out.ts'
import { checkDelivery } from './check-delivery.ts'
import type { DueDelivery } from './store.ts'

export interface PrepareDependencies extends FanOutContext {
  readonly store: EventStore
  readonly clock: Clock
}

/** What has to be known of a delivery before it is sent, by whatever way. */
export type SendableDelivery = Pick<
  DueDelivery,
  'id' | 'merchantId' | 'streamId' | 'eventId' | 'eventType' | 'scopes' | 'body' | 'live' | 'granted'
>

export type Prepared =
  /** `thin`: the data is no longer kept, the body says only what happened and where to read it. */
  | { readonly kind: 'send'; readonly body: string; readonly thin: boolean }
  | { readonly kind: 'cancel'; readonly reason: EventFailureCode }

async function reshape(deps: PrepareDependencies, delivery: SendableDelivery): Promise<Prepared> {
  const { store, catalog, publicUrl } = deps
  const type = catalog.eventTypes.get(delivery.eventType)
  const event = await store.findEvent(delivery.merchantId, delivery.eventId)
  if (event === null || type === undefined || type.version !== event.version)
    return { kind: 'cancel', reason: 'events.event_gone' }
  // Made anew at each attempt: it needs no more than the event's row, and nothing is stored that has to be removed.
  if (!isWhole(event))
    return { kind: 'send', body: toThinBodyText(event, type.resourcePath, publicUrl), thin: true }
  const view = viewOf(event, delivery.granted, deps)
  if (view === null) return { kind: 'cancel', reason: 'events.scope_withdrawn' }
  await store.tx(async (tx) => {
    await tx.insertBodies([view.body])
    const change = { deliveryId: delivery.id, bodyHash: view.body.hash, scopes: view.scopes }
    await tx.replaceBody(delivery.streamId, change)
  })
  return { kind: 'send', body: view.body.text, thin: false }
}

/**
 * Checks the permissions and gives the text to send right now: the stored one; one made anew for what the grant has
 * become; or, when the event's data is no longer kept, a thin one. At once where the stored text will do.
 */
export function prepareBody(
  deps: PrepareDependencies,
  delivery: SendableDelivery,
): Prepared | Promise<Prepared> {
  const verdict = checkDelivery(delivery, deps.catalog.eventTypes.get(delivery.eventType))
  if (verdict.kind === 'send') return { kind: 'send', body: verdict.body, thin: false }
  return verdict.kind === 'cancel' ? verdict : reshape(deps, delivery)
}
