import { isIPv4, isIPv6 } from 'node:net'
import { limits, sha256Hex } from '../../kernel/index.ts'

/** Attempts that failed (or are being checked right now) in one window. */
export interface Attempts {
  readonly failures: number
  readonly endsAtMs: number
}

/** How many may fail, and in how long. */
export interface Window {
  readonly failuresMax: number
  readonly windowMs: number
}

export const signInWindow: Window = {
  failuresMax: limits.signInFailuresMax,
  windowMs: limits.signInWindowMs,
}
/** One password tried on many accounts comes from one network. */
export const networkWindow: Window = {
  failuresMax: limits.signInNetworkFailuresMax,
  windowMs: limits.signInWindowMs,
}
/** Wherever the guesses come from. */
export const accountDayWindow: Window = {
  failuresMax: limits.signInAccountFailuresMax,
  windowMs: limits.secondFactorWindowMs,
}
/** What an address has in signInWindow while the account is being guessed from everywhere. */
export const underAttackWindow: Window = {
  failuresMax: limits.signInTriesUnderAttackMax,
  windowMs: limits.signInWindowMs,
}
export const secondFactorWindow: Window = {
  failuresMax: limits.secondFactorFailuresMax,
  windowMs: limits.signInWindowMs,
}
/** Wherever the codes come from: a botnet has as many addresses as it likes. */
export const secondFactorDayWindow: Window = {
  failuresMax: limits.secondFactorFailuresPerDayMax,
  windowMs: limits.secondFactorWindowMs,
}

function hextets(part: string): string[] {
  return part === '' ? [] : part.split(':')
}

/**
 * The network an address stands for: an IPv4 address itself, an IPv6 address its /64, which is what one customer of a
 * provider has to choose from.
 */
export function networkOf(address: string): string {
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)?.[1] ?? address
  if (isIPv4(mapped) || !isIPv6(mapped)) return mapped
  const [head = '', tail = ''] = mapped.toLowerCase().replace(/%.*$/, '').split('::')
  const start = hextets(head)
  const end = hextets(tail)
  const missing = mapped.includes('::') ? Math.max(0, 8 - start.length - end.length) : 0
  const all = [...start, ...Array.from({ length: missing }, () => '0'), ...end]
  return all
    .slice(0, 4)
    .map((hextet) => hextet.replace(/^0+(?=.)/, ''))
    .join(':')
}

/**
 * The row that counts attempts. Both account and address are in it, so a stranger who guesses elsewhere locks nobody
 * out. Hashed: people type passwords into the wrong field.
 */
export function attemptsKey(parts: {
  readonly purpose: 'sign-in' | 'register' | 'second-factor' | 'passkey'
  readonly account: string
  /** `anywhere` counts all addresses together. */
  readonly address: string
}): string {
  return sha256Hex(JSON.stringify([parts.purpose, parts.account, networkOf(parts.address)]))
}

/** The attempts before the one just counted. */
export function before({ failures, endsAtMs }: Attempts): Attempts {
  return { failures: failures - 1, endsAtMs }
}

/** Milliseconds until the window of these attempts ends, when they are as many as it allows; 0 otherwise. */
export function waitMsOf(
  attempts: Attempts | null,
  nowMs: number,
  { failuresMax }: Window = signInWindow,
): number {
  if (attempts === null || attempts.failures < failuresMax) return 0
  return Math.max(0, attempts.endsAtMs - nowMs)
}
