import type { Standing } from './quota.ts'

const secondMs = 1000

/**
 * The fields of draft-ietf-httpapi-ratelimit-headers (the structured-field form of its later versions): what the policy
 * is, and where the client stands. §3.2: "q" quota, "w" window in seconds; §4.1: "r" available quota, "t" seconds until
 * it is whole again.
 */
export function quotaFields({ quota, remaining, resetMs }: Standing): Readonly<Record<string, string>> {
  const { name, max, windowMs } = quota
  return {
    'ratelimit-policy': `"${name}";q=${max};w=${windowMs / secondMs}`,
    ratelimit: `"${name}";r=${remaining};t=${Math.ceil(resetMs / secondMs)}`,
  }
}

/** Those of a refusal. RFC 6585 §4: a 429 "MAY include a Retry-After header indicating how long to wait". */
export function refusalFields(standing: Standing): Readonly<Record<string, string>> {
  const seconds = Math.max(1, Math.ceil(standing.resetMs / secondMs))
  return { ...quotaFields({ ...standing, remaining: 0 }), 'retry-after': String(seconds) }
}
