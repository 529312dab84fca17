import type { Db } from '../../db/index.ts'
import type { Queries } from '../../kernel/index.ts'
import { type AttemptDependencies, type Tryout, tryDelivery } from '../drain/attempt-delivery.ts'
import type { DueDelivery } from '../drain/store.ts'
import type { RuleSource, RuleSubject } from '../rule-book.ts'
import type { Receiver } from '../sink.ts'
import { type AgainFilter, type AgainSpan, countAgain, findAgain, listAgain } from './store.ts'

export interface AgainDependencies extends AttemptDependencies {
  readonly db: Db
  readonly rules: RuleSource
}

/** What came of sending once more. `held`: a platform rule keeps this merchant's deliveries to the app back. */
export type AgainResult = ({ readonly kind: 'tried' } & Tryout) | { readonly kind: 'held' }

/**
 * Sends deliveries once more, beside live traffic: by a person's word or a replay's. Their permissions are checked as
 * the drain checks them; what came of it is the caller's to record.
 */
export interface Again {
  count(streamId: string, filter: AgainFilter, span: AgainSpan): Promise<number>
  /** The next deliveries of the span by sequence. */
  list(
    streamId: string,
    search: { readonly filter: AgainFilter; readonly span: AgainSpan; readonly deliveriesMax: number },
  ): Promise<readonly DueDelivery[]>
  find(q: Queries, streamId: string, deliveryId: string): Promise<DueDelivery | null>
  /** Whether a platform rule keeps everything of the app back. */
  isHeld(app: Omit<RuleSubject, 'merchantId'>): Promise<boolean>
  /** One attempt. Never throws for what the receiver does. */
  send(
    receiver: Receiver,
    delivery: DueDelivery,
    by: { readonly publisherId: string; readonly replayId: string },
  ): Promise<AgainResult>
}

/** Makes it from what the drain works with. */
export function makeAgain(deps: AgainDependencies): Again {
  const { queries } = deps.db
  return {
    count: (streamId, filter, span) => countAgain(queries, streamId, { filter, span }),
    list: (streamId, search) => listAgain(queries, streamId, search),
    find: findAgain,
    isHeld: async (app) => (await deps.rules()).isHeld(app),
    async send(receiver, delivery, { publisherId, replayId }) {
      const rules = await deps.rules()
      const { appId, merchantId } = delivery
      const app = { appId, publisherId }
      if (rules.isHeld(app) || rules.heldMerchantIds(app).includes(merchantId)) return { kind: 'held' }
      const granted = rules.keptScopes(delivery.granted, { ...app, merchantId })
      const tried = await tryDelivery(deps, receiver, { ...delivery, granted }, replayId)
      const { attempt } = tried
      deps.log.info(
        {
          ...{ replayId, deliveryId: delivery.id, eventId: delivery.eventId, streamId: delivery.streamId },
          outcome: tried.ending.kind,
          status: attempt?.status ?? null,
          error: attempt?.error ?? null,
          durationMs: attempt?.durationMs ?? null,
        },
        'delivery.sent_again',
      )
      return { kind: 'tried', ...tried }
    },
  }
}
