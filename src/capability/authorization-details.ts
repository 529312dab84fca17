import { present } from '../kernel/index.ts'
import type { AuthorizationDetail, BoundType } from './bound.ts'

type Types = ReadonlyMap<string, BoundType>
type Details = readonly AuthorizationDetail[]

function meetingsOf(type: BoundType, one: AuthorizationDetail, others: Details): AuthorizationDetail[] {
  return others.flatMap((other) => {
    const met = other.type === type.type ? type.meet(one, other) : null
    return met === null ? [] : [met]
  })
}

/** The narrowest of a detail and those that concern the same; itself where there is none. */
function narrowed(type: BoundType, detail: AuthorizationDetail, others: Details): AuthorizationDetail {
  return meetingsOf(type, detail, others).reduce((one, other) => type.meet(one, other) ?? one, detail)
}

/**
 * Of a list that limits something nothing goes beyond its details: where both limit, what one of them does not name is
 * over. Were an empty list left of two that have nothing in common, there would be no limit at all.
 */
function meetLimits(type: BoundType, ones: Details, others: Details): Details {
  const [first] = ones
  if (first === undefined || others.length === 0) return first === undefined ? others : ones
  const common = ones.filter((detail) => meetingsOf(type, detail, others).length > 0)
  if (common.length > 0) return common.map((detail) => narrowed(type, detail, others))
  return [present(type.nothing, `what allows no ${type.type}`)(first)]
}

/**
 * What holds when both lists do: what a grant allows now and what a token was issued with. A limit of either binds; what
 * one of them does not reach, both do not.
 */
export function meetDetails(types: Types, one: Details, other: Details): Details {
  return [...types.values()].flatMap((type) => {
    const ones = one.filter((detail) => detail.type === type.type)
    const others = other.filter((detail) => detail.type === type.type)
    if (type.kind === 'reach') return ones.flatMap((detail) => meetingsOf(type, detail, others))
    return meetLimits(type, ones, others)
  })
}

/** What is granted to somebody who asks within what is allowed, or the first detail that wants more. */
export type Asked =
  | { readonly ok: true; readonly details: Details }
  | { readonly ok: false; readonly outside: AuthorizationDetail }

/**
 * Holds what is asked for against what is allowed: narrower is granted as asked, wider is refused, and whoever asks for
 * nothing of a type keeps its limits.
 */
export function askWithin(types: Types, allowed: Details, asked: Details): Asked {
  const outside = asked.find((detail) => {
    const type = types.get(detail.type)
    return (
      type === undefined ||
      !allowed.some(
        (wide) => wide.type === type.type && type.meet(wide, detail) !== null && type.covers(wide, detail),
      )
    )
  })
  return outside === undefined
    ? { ok: true, details: meetDetails(types, allowed, asked) }
    : { ok: false, outside }
}
