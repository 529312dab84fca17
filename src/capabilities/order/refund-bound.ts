import {
  type AuthorizationDetail,
  boundBy,
  type Charge,
  defineBoundType,
  type Localized,
  schema,
} from '../../capability/index.ts'
import { toIso } from '../../kernel/index.ts'

const dayMs = 24 * 60 * 60 * 1000

/** How much an app may refund, in minor units of one currency. What is absent is not limited. */
export interface RefundDetail extends AuthorizationDetail {
  readonly type: 'refund'
  readonly max_amount_per_order?: number | undefined
  readonly max_amount_per_day?: number | undefined
  readonly currency: string
}

export interface RefundUse {
  readonly orderId: string
  readonly amount: number
  readonly currency: string
}

const members = ['max_amount_per_order', 'max_amount_per_day'] as const

function lower(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined) return other
  return other === undefined ? one : Math.min(one, other)
}

function meet(one: RefundDetail, other: RefundDetail): RefundDetail | null {
  if (one.currency !== other.currency) return null
  const limits = members.flatMap((member) => {
    const limit = lower(one[member], other[member])
    return limit === undefined ? [] : [[member, limit] as const]
  })
  return { type: 'refund', ...Object.fromEntries(limits), currency: one.currency }
}

/** 5000 CNY as “CN¥50.00”: minor units by the currency's own number of digits. */
function inWords(locale: keyof Localized, amount: number, currency: string): string {
  const format = new Intl.NumberFormat(locale, { style: 'currency', currency })
  return format.format(amount / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2))
}

function sentence(locale: keyof Localized, detail: RefundDetail): string {
  const { max_amount_per_order: perOrder, max_amount_per_day: perDay, currency } = detail
  const zh = locale === 'zh-CN'
  const parts = [
    ...(perOrder === undefined ? [] : [[zh ? '每笔订单' : 'per order', perOrder] as const]),
    ...(perDay === undefined ? [] : [[zh ? '每天（UTC）' : 'per day (UTC)', perDay] as const]),
  ]
  if (parts.length === 0) return zh ? `仅可退款 ${currency}。` : `Refund in ${currency} only.`
  const words = parts.map(([per, amount]) => {
    const money = inWords(locale, amount, currency)
    return zh ? `${per}最多退款 ${money}` : `${money} ${per}`
  })
  return zh ? `${words.join('，')}。` : `Refund at most ${words.join(' and ')}.`
}

function chargesOf(detail: RefundDetail, { orderId, amount, currency }: RefundUse, nowMs: number): Charge[] {
  const { max_amount_per_order: perOrder, max_amount_per_day: perDay } = detail
  const day = toIso(nowMs).slice(0, 10)
  return [
    ...(perOrder === undefined
      ? []
      : [{ key: `refund.order.${orderId}`, amount, limit: perOrder, expiresAtMs: null }]),
    ...(perDay === undefined
      ? []
      : [
          // A day later nobody's clock is in that day any more.
          { key: `refund.day.${currency}.${day}`, amount, limit: perDay, expiresAtMs: nowMs + 2 * dayMs },
        ]),
  ]
}

const amount = schema.integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: 'Minor units' })

/** Limits what an app that may refund can refund: per order, and per day of UTC. */
export const refundBound = defineBoundType<RefundDetail, RefundUse>({
  type: 'refund',
  scope: 'order:refund',
  kind: 'limit',
  detail: schema.object({
    type: schema.oneOf(['refund']),
    max_amount_per_order: schema.optional(amount),
    max_amount_per_day: schema.optional(amount),
    currency: schema.string({ maxLength: 3, pattern: '^[A-Z]{3}$', description: 'ISO 4217' }),
  }),
  meet,
  nothing: ({ type, currency }) => ({ type, currency, max_amount_per_order: 0, max_amount_per_day: 0 }),
  covers: (allowed, asked) =>
    allowed.currency === asked.currency &&
    members.every((member) => (asked[member] ?? 0) <= (allowed[member] ?? Number.POSITIVE_INFINITY)),
  idsOf: () => [],
  title: { en: 'Refunds up to', 'zh-CN': '退款限额' },
  sentence: (detail) => ({ en: sentence('en', detail), 'zh-CN': sentence('zh-CN', detail) }),
  check(details, use, nowMs) {
    if (details.length === 0) return { kind: 'within', charges: [] }
    const [first, ...others] = details.filter(({ currency }) => currency === use.currency)
    if (first === undefined)
      return { kind: 'outside', detail: `the grant allows no refunds in ${use.currency}` }
    const narrowest = others.reduce((one, other) => meet(one, other) ?? one, first)
    return { kind: 'within', charges: chargesOf(narrowest, use, nowMs) }
  },
})

interface RefundInput {
  readonly orderId: string
  readonly amount: { readonly amount: number; readonly currency: string }
}

/** For the operation that refunds. */
export const boundByRefund = boundBy(
  refundBound,
  ({ orderId, amount: { amount, currency } }: RefundInput) => ({
    orderId,
    amount,
    currency,
  }),
)
