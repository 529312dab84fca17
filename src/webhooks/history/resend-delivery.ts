import { type AgainResult, type DueDelivery, type Ending, lockStream } from '../../events/index.ts'
import { type IdSource, KernelErrors, newId, type Queries, type Transaction } from '../../kernel/index.ts'
import type { DeliveryDetail } from '../delivery-view.ts'
import { type Direct, openDirect } from '../direct/open-direct.ts'
import { WebhooksErrors } from '../errors.ts'
import { recordReplayed, type SentAgain } from '../replay/record/store.ts'
import { endReplay, insertReplay } from '../replay/store.ts'
import type { HistoryDependencies } from './dependencies.ts'
import { findDelivery } from './store.ts'

export interface ResendRequest {
  readonly publisherIds: readonly string[]
  readonly appId: string
  readonly deliveryId: string
}

/** A delivery that was sent once more and is not recorded yet. */
export interface Resent {
  readonly replayId: string
  readonly delivery: DeliveryDetail
  readonly due: DueDelivery
  readonly ending: Ending
  readonly attempt: NonNullable<SentAgain['attempt']>
}

async function openFor(deps: HistoryDependencies, delivery: DeliveryDetail): Promise<Direct> {
  if (delivery.sink !== 'backend') throw WebhooksErrors.delivery_of_handler()
  // Whoever is next in line is sent by the drain; a waiting one is at its head, and its time may be hours away.
  if (delivery.state === 'pending') throw WebhooksErrors.delivery_pending()
  const direct = await openDirect(deps.sending, delivery.streamId)
  if (direct === null) throw WebhooksErrors.no_endpoint()
  if (direct.state === 'unverified') throw WebhooksErrors.endpoint_not_verified()
  if (direct.state === 'stopped') throw WebhooksErrors.endpoint_stopped()
  return direct
}

/** What was sent, or the reason why nothing was. */
function requireAttempt(result: AgainResult): Pick<Resent, 'ending' | 'attempt'> {
  if (result.kind === 'held') throw WebhooksErrors.deliveries_held()
  const { ending, attempt } = result
  if (attempt === null) throw KernelErrors.unavailable('the delivery could not be prepared; try again')
  if (ending.kind !== 'cancelled') return { ending, attempt }
  if (attempt.error === 'events.event_gone') throw WebhooksErrors.event_gone()
  throw WebhooksErrors.permission_withdrawn(`refused with ${attempt.error ?? 'no reason'}`)
}

/**
 * Sends one delivery once more, now, in whatever final state it is, or while it waits for its next attempt.
 * @throws webhooks.delivery_not_found, webhooks.delivery_of_handler, webhooks.delivery_pending, webhooks.no_endpoint,
 * webhooks.endpoint_not_verified, webhooks.endpoint_stopped, webhooks.permission_withdrawn, webhooks.event_gone,
 * webhooks.deliveries_held
 */
export async function resendDelivery(
  q: Queries,
  deps: HistoryDependencies,
  { publisherIds, ...search }: ResendRequest,
  ids: IdSource,
): Promise<Resent> {
  const delivery = await findDelivery(q, publisherIds, search)
  if (delivery === null) throw WebhooksErrors.delivery_not_found()
  const direct = await openFor(deps, delivery)
  const again = deps.again()
  const due = await again.find(q, delivery.streamId, delivery.id)
  if (due === null) throw WebhooksErrors.delivery_not_found()
  const replayId = newId('replay', ids)
  const by = { publisherId: delivery.publisherId, replayId }
  const sent = requireAttempt(await again.send(direct.receiver, due, by))
  return { replayId, delivery, due, ...sent }
}

/** Records what was sent as a replay of one delivery that is done. */
export async function recordResent(
  tx: Transaction,
  { replayId, delivery, due, ending, attempt }: Resent,
  by: { readonly appId: string; readonly personId: string; readonly nowMs: number },
): Promise<void> {
  const { publisherId, streamId, sequence } = delivery
  const { appId, nowMs } = by
  // Before any row of a delivery, as relay and drain do.
  await lockStream(tx, streamId)
  await insertReplay(
    tx,
    {
      ...{ id: replayId, publisherId, appId, streamId, ratePerSecond: 1, total: 1, untilSequence: sequence },
      filter: {
        ...{ from: null, to: null, states: [], eventTypes: null, merchantId: null },
        deliveryId: delivery.id,
      },
      createdBy: by.personId,
    },
    nowMs,
  )
  const epoch = 0n
  const result = ending.kind === 'delivered' ? 'delivered' : 'failed'
  const sent = { deliveryId: delivery.id, merchantId: due.merchantId, sequence, result, attempt } as const
  const batch = { replayId, appId, epoch, untilMs: nowMs, cursor: sequence, nowMs }
  await recordReplayed(tx, streamId, batch, [sent])
  await endReplay(tx, replayId, { epoch, state: 'done', nowMs })
}
