/**
 * SQL condition on a row of `rule` with this alias: not lifted, not expired at the time of parameter `now` (such as
 * `$2`), and it selects something: a rule without a selector concerns nobody. What dropping a scope and blocking a host
 * are about selects too.
 */
export function ruleInForce(rule: string, now: string): string {
  return `${rule}.lifted_at is null and (${rule}.expires_at is null or ${rule}.expires_at > ${now}::timestamptz)
    and (num_nonnulls(${rule}.app_id, ${rule}.version_id, ${rule}.publisher_id, ${rule}.merchant_id) > 0
      or (${rule}.effect = 'drop_scope' and ${rule}.scope is not null)
      or (${rule}.effect = 'block_host' and ${rule}.host is not null))`
}

/** The same for rules that concern an app as a whole: one about a version or a host is read where these are known. */
export function appRuleInForce(rule: string, now: string): string {
  return `${ruleInForce(rule, now)} and ${rule}.version_id is null and ${rule}.host is null`
}
