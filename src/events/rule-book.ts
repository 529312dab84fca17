import type { Clock } from '../kernel/index.ts'
import type { EventStore } from './event-store.ts'
import { endingEffects, holdingEffects } from './rule-conditions.ts'

/** A platform rule in force. A selector that is null matches everything. */
export interface EventRule {
  readonly effect: string
  readonly appId: string | null
  readonly publisherId: string | null
  readonly merchantId: string | null
  readonly scope: string | null
}

export interface RuleSubject {
  readonly appId: string
  readonly publisherId: string
  readonly merchantId: string
}

/** The rules in force, as the event path asks them. */
export interface RuleBook {
  /** No new deliveries are made. */
  isStopped(subject: RuleSubject): boolean
  /** Nothing at all of the app is sent. */
  isHeld(app: Omit<RuleSubject, 'merchantId'>): boolean
  /** Merchants whose deliveries to this app wait. */
  heldMerchantIds(app: Omit<RuleSubject, 'merchantId'>): readonly string[]
  /** The scopes of `granted` that no rule has dropped. */
  keptScopes(granted: readonly string[], subject: RuleSubject): readonly string[]
}

const isOneOf = (effects: readonly string[], { effect }: EventRule): boolean => effects.includes(effect)

function concernsApp(rule: EventRule, { appId, publisherId }: Omit<RuleSubject, 'merchantId'>): boolean {
  if (rule.appId !== null && rule.appId !== appId) return false
  return rule.publisherId === null || rule.publisherId === publisherId
}

function concerns(rule: EventRule, subject: RuleSubject): boolean {
  if (rule.merchantId !== null && rule.merchantId !== subject.merchantId) return false
  return concernsApp(rule, subject)
}

/** Rules in a form that answers questions; pure. */
export function makeRuleBook(rules: readonly EventRule[]): RuleBook {
  const ending = rules.filter((rule) => isOneOf(endingEffects, rule))
  const holding = rules.filter((rule) => isOneOf(holdingEffects, rule))
  const dropping = rules.filter(({ effect, scope }) => effect === 'drop_scope' && scope !== null)
  return {
    isStopped: (subject) => ending.some((rule) => concerns(rule, subject)),
    isHeld: (app) => holding.some((rule) => rule.merchantId === null && concernsApp(rule, app)),
    heldMerchantIds: (app) =>
      holding.flatMap((rule) =>
        rule.merchantId !== null && concernsApp(rule, app) ? [rule.merchantId] : [],
      ),
    keptScopes(granted, subject) {
      const dropped = new Set(dropping.filter((rule) => concerns(rule, subject)).map(({ scope }) => scope))
      return dropped.size === 0 ? granted : granted.filter((scope) => !dropped.has(scope))
    },
  }
}

// Part of the 5 s in which a suspension must hold everywhere; the rest is `limits.drainFreshMs` and one request.
const rulesCacheMs = 1_000

/** The rules, read at most once a second however many drains ask. */
export function makeRuleSource(deps: {
  readonly store: Pick<EventStore, 'listRules'>
  readonly clock: Clock
}) {
  let book = makeRuleBook([])
  let readAtMs = Number.NEGATIVE_INFINITY
  let reading: Promise<void> | null = null

  async function refresh(): Promise<void> {
    const nowMs = deps.clock.nowMs()
    book = makeRuleBook(await deps.store.listRules(nowMs))
    readAtMs = nowMs
  }

  return async (): Promise<RuleBook> => {
    if (deps.clock.nowMs() - readAtMs > rulesCacheMs) {
      reading ??= refresh().finally(() => {
        reading = null
      })
      await reading
    }
    return book
  }
}

export type RuleSource = ReturnType<typeof makeRuleSource>
