export { makeRulesCheck } from './check-rules.ts'
export { RulesErrors } from './errors.ts'
export { appRuleInForce, ruleInForce } from './rule-in-force.ts'
