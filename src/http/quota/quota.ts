import type { Caller } from '../../capability/index.ts'
import { limits } from '../../kernel/index.ts'

/** How many requests somebody may send in one window. */
export interface Quota {
  /** The policy's name in RateLimit and RateLimit-Policy. */
  readonly name: QuotaName
  readonly max: number
  readonly windowMs: number
}

/** Before the factor of the configuration. */
const quotaMax = {
  /** An app at one merchant. */
  installation: limits.quotaInstallationMax,
  /** An app by a token of its own. */
  app: limits.quotaAppMax,
  /** An app that has proven its secret or key to the authorization server. */
  client: limits.quotaClientMax,
  person: limits.quotaPersonMax,
  host: limits.quotaHostMax,
  /** Requests of a network that come without a credential. */
  address: limits.quotaAddressMax,
  /** Credentials of a network that were none. */
  refused: limits.quotaRefusedMax,
} as const

export type QuotaName = keyof typeof quotaMax

/** All quotas, multiplied by the factor; nobody is left with nothing. */
export function makeQuotas(factor: number): readonly Quota[] {
  return Object.entries(quotaMax).map(([name, max]) => ({
    name: name as QuotaName,
    max: Math.max(1, Math.floor(max * factor)),
    windowMs: limits.quotaWindowMs,
  }))
}

/** Whose quota a request counts against. */
export interface Subject {
  readonly quota: QuotaName
  readonly key: string
}

/** Who has proven who they are pays for themselves; nobody else can. `network`: where the request came from. */
export function subjectOf(caller: Caller, network: string): Subject {
  switch (caller.kind) {
    case 'app':
      return caller.installation === null
        ? { quota: 'app', key: caller.appId }
        : { quota: 'installation', key: caller.installation.installationId }
    case 'person':
      return { quota: 'person', key: caller.personId }
    case 'host':
      return { quota: 'host', key: 'host' }
    case 'anonymous':
      return { quota: 'address', key: network }
  }
}

// ── portions ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** How much a process takes at a time. */
export function portionOf({ max }: Quota): number {
  return Math.ceil(max / limits.quotaPortions)
}

/** What the store says after it was asked for a portion. */
export interface Taken {
  /** All that was asked for in this window, by every process, this portion included. */
  readonly asked: number
  /** Until the window ends. */
  readonly msLeft: number
}

/**
 * How much of a portion is granted. The store adds up what is asked for, in some order; with sums 0 = s₀ < s₁ < … each
 * grant is the part of (sᵢ₋₁, sᵢ] that lies below max. Those parts do not overlap, so all grants of a window together
 * are at most max, on however many processes; and a grant is spent within its window or not at all. What a process has
 * taken and does not spend nobody else can: a client whose requests reach n processes may be refused up to
 * (n - 1) · portion requests early, never late.
 */
export function grantOf({ max }: Quota, portion: number, { asked }: Taken): number {
  return Math.min(portion, Math.max(0, max - (asked - portion)))
}

/** A process's share of one key's window. */
export interface Share {
  /** Granted and not yet spent. */
  readonly left: number
  /** Not yet taken by anybody, as far as is known here. */
  readonly untaken: number
  readonly endsAtMs: number
}

/** The share after one more portion. `askedAtMs`: before the store was asked, so that its window does not end earlier. */
export function shareAfter(quota: Quota, taken: Taken, askedAtMs: number): Share {
  const left = grantOf(quota, portionOf(quota), taken)
  const untaken = Math.max(0, quota.max - taken.asked)
  return { left, untaken, endsAtMs: askedAtMs + taken.msLeft }
}

/** Where a key stands, for its headers. */
export interface Standing {
  readonly quota: Quota
  /** Requests that are left, as far as this process knows. */
  readonly remaining: number
  readonly resetMs: number
}

/** Nothing is known of a key: its window begins with its next request. */
export function standingOf(quota: Quota, share: Share | undefined, nowMs: number): Standing {
  if (share === undefined || share.endsAtMs <= nowMs)
    return { quota, remaining: quota.max, resetMs: quota.windowMs }
  return { quota, remaining: share.left + share.untaken, resetMs: share.endsAtMs - nowMs }
}

/** Nothing is left in this window, as far as this process knows. */
export function isUsedUp(share: Share | undefined, nowMs: number): boolean {
  return share !== undefined && share.endsAtMs > nowMs && share.left + share.untaken === 0
}
