import type { PersonCaller } from '../../capability/index.ts'
import type { Queries } from '../../kernel/index.ts'
import type { DeliveryDetail } from '../delivery-view.ts'
import { WebhooksErrors } from '../errors.ts'
import { sentRequestOf } from './sent-request.ts'
import { findDelivery, listKeptSecrets } from './store.ts'
import { type MissingBody, toWireDeliveryDetail } from './wire.ts'

const editing = new Set(['owner', 'developer'])

/** Whether the app got the text: by an attempt, or by a pull. */
function wasSent({ state, tries }: DeliveryDetail): boolean {
  return state === 'delivered' || tries.some(({ outcome }) => outcome !== 'cancelled')
}

/** Why this person does not see the body; null: they do. People see what their app was sent or may be sent, no more. */
function missingFor(delivery: DeliveryDetail, person: PersonCaller): MissingBody | null {
  if (!editing.has(person.publishers.get(delivery.publisherId) ?? '')) return 'role'
  if (delivery.body === null) return 'no_longer_kept'
  return wasSent(delivery) || delivery.covered ? null : 'never_sent'
}

export interface ShownDelivery {
  readonly wire: ReturnType<typeof toWireDeliveryDetail>
  readonly merchantId: string
  /** Customers' personal data is shown. */
  readonly personal: boolean
}

/** One delivery with what was sent and what came back. @throws webhooks.delivery_not_found */
export async function showDelivery(
  q: Queries,
  secretKey: Uint8Array,
  person: PersonCaller,
  search: { readonly publisherIds: readonly string[]; readonly appId: string; readonly deliveryId: string },
): Promise<ShownDelivery> {
  const found = await findDelivery(q, search.publisherIds, search)
  if (found === null) throw WebhooksErrors.delivery_not_found()
  const missing = missingFor(found, person)
  const delivery = missing === null ? found : { ...found, body: null }
  const secrets = delivery.body === null ? [] : await listKeptSecrets(q, delivery.streamId)
  return {
    wire: toWireDeliveryDetail(delivery, missing, (attempt) =>
      sentRequestOf(delivery, attempt, { secrets, secretKey }),
    ),
    merchantId: delivery.merchantId,
    personal: delivery.body?.personal === true,
  }
}
