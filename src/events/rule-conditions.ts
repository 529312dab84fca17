import { appRuleInForce } from '../rules/index.ts'

/** SQL expressions of the row that a rule is compared with. */
export interface RuleColumns {
  /** The parameter that holds the present time. */
  readonly now: string
  readonly app: string
  readonly publisher: string
  /** Null: only rules that name no merchant count. */
  readonly merchant: string | null
}

/** An app with such a rule gets no new deliveries. */
export const endingEffects = ['stop'] as const

/** Deliveries of an app with such a rule wait; they are sent when it is lifted. */
export const holdingEffects = ['stop', 'pause_events', 'revoke_tokens'] as const

/**
 * SQL condition on `rule r`: in force, holding deliveries, and every selector it has matches. Rules against one version
 * or one host are read where versions and hosts are known.
 */
export function holdsDeliveries({ now, app, publisher, merchant }: RuleColumns): string {
  const effects = holdingEffects.map((effect) => `'${effect}'`).join(', ')
  return `${appRuleInForce('r', now)} and r.effect in (${effects})
    and (r.app_id is null or r.app_id = ${app})
    and (r.publisher_id is null or r.publisher_id = ${publisher})
    and (r.merchant_id is null${merchant === null ? '' : ` or r.merchant_id = ${merchant}`})`
}
