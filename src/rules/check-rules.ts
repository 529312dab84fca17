import { type AppCaller, type CompiledOperation, type RulesCheck, scopesOf } from '../capability/index.ts'
import type { Clock, Queries } from '../kernel/index.ts'
import { RulesErrors } from './errors.ts'
import { listActiveRules, type RuleRow } from './store.ts'

// Under the 5 s in which a suspension must hold everywhere, with room for a slow statement.
const rulesCacheMs = 2_000

function selects(rule: RuleRow, caller: AppCaller): boolean {
  if (rule.app_id !== null && rule.app_id !== caller.appId) return false
  return rule.merchant_id === null || rule.merchant_id === caller.installation?.merchantId
}

function apply(rule: RuleRow, { operation }: CompiledOperation): void {
  const detail = `reason ${rule.reason_code}`
  if (rule.effect === 'stop' || rule.effect === 'revoke_tokens') throw RulesErrors.app_stopped(detail)
  if (rule.effect === 'read_only' && operation.kind === 'write') throw RulesErrors.app_read_only(detail)
  if (rule.effect === 'drop_scope' && scopesOf(operation.access).includes(rule.scope ?? ''))
    throw RulesErrors.scope_dropped(detail)
}

/** Without the scopes that rules have dropped: they show no field and allow nothing, whatever the grant holds. */
function narrowed(caller: AppCaller, rules: readonly RuleRow[]): AppCaller {
  const dropped = new Set(rules.filter(({ effect }) => effect === 'drop_scope').map(({ scope }) => scope))
  if (dropped.size === 0) return caller
  return { ...caller, scopes: new Set([...caller.scopes].filter((scope) => !dropped.has(scope))) }
}

/** The rules at the door of every operation. One statement every 2 s, whatever the number of calls. */
export function makeRulesCheck(deps: { readonly queries: Queries; readonly clock: Clock }): RulesCheck {
  let rules: readonly RuleRow[] = []
  let readAtMs = Number.NEGATIVE_INFINITY
  let reading: Promise<void> | null = null

  async function refresh(): Promise<void> {
    const nowMs = deps.clock.nowMs()
    rules = await listActiveRules(deps.queries, nowMs)
    readAtMs = nowMs
  }

  return async (caller, operation) => {
    if (caller.kind !== 'app') return caller
    if (deps.clock.nowMs() - readAtMs > rulesCacheMs) {
      reading ??= refresh().finally(() => {
        reading = null
      })
      await reading
    }
    const concerning = rules.filter((rule) => selects(rule, caller))
    for (const rule of concerning) apply(rule, operation)
    return narrowed(caller, concerning)
  }
}
