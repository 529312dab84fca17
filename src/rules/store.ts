import { sql } from '../db/index.ts'
import { type Queries, toDate } from '../kernel/index.ts'
import { appRuleInForce } from './rule-in-force.ts'

export interface RuleRow {
  readonly id: string
  readonly effect: string
  readonly app_id: string | null
  readonly merchant_id: string | null
  readonly scope: string | null
  readonly reason_code: string
}

/**
 * Across tenants: every rule in force against an app or a merchant; one against a publisher comes once per app of the publisher. Few by
 * nature: each is a decision of the platform's staff. Rules about one version or one host are others' to apply.
 */
export function listActiveRules(q: Queries, nowMs: number): Promise<RuleRow[]> {
  return sql<RuleRow>(
    q,
    `select r.id, r.effect, coalesce(r.app_id, a.id) as app_id, r.merchant_id, r.scope, r.reason_code
     from rule r
     left join app a on a.publisher_id = r.publisher_id and (r.app_id is null or r.app_id = a.id)
     where ${appRuleInForce('r', '$1')}
       and (r.publisher_id is null or a.id is not null)`,
    toDate(nowMs),
  )
}
