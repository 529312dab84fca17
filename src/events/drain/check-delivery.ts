import type { EventType } from '../../capability/index.ts'
import type { EventFailureCode } from '../errors.ts'
import type { DueDelivery } from './store.ts'

export type Verdict =
  | { readonly kind: 'send'; readonly body: string }
  /** The grant became narrower, or the text is no longer kept: the body must be made anew. */
  | { readonly kind: 'reshape' }
  | { readonly kind: 'cancel'; readonly reason: EventFailureCode }

/** Permissions again, right before sending: what was allowed at fan-out may have been withdrawn since. */
export function checkDelivery(
  delivery: Pick<DueDelivery, 'live' | 'scopes' | 'granted' | 'body'>,
  type: EventType | undefined,
): Verdict {
  // An app must hear that it was uninstalled although nothing of the installation is alive then.
  if (!delivery.live && type?.addressedTo !== 'installation')
    return { kind: 'cancel', reason: 'events.permission_ended' }
  const granted = new Set(delivery.granted)
  if (delivery.scopes.every((scope) => granted.has(scope)))
    return delivery.body === null ? { kind: 'reshape' } : { kind: 'send', body: delivery.body }
  if (type === undefined || (type.scope !== null && !granted.has(type.scope)))
    return { kind: 'cancel', reason: 'events.scope_withdrawn' }
  return { kind: 'reshape' }
}
