import { limits } from '../../kernel/index.ts'

/** A signing key's times, in ms since the epoch. */
export interface KeyTimes {
  readonly kid: string
  /** Published from the beginning, it signs from then on, until a later one does. */
  readonly signsFromMs: number
  /** Published no more from then on; null: no other has followed it. */
  readonly retiredAtMs: number | null
}

/**
 *   next ── signsFrom ──▶ current ── the next one's signsFrom ──▶ previous ── retiredAt ──▶ gone
 *
 * Nothing has to happen at these moments: each process reads the state off the times.
 */
export type KeyState = 'next' | 'current' | 'previous'

/** Live keys with their state, the one that signs first. */
export function keysByState<K extends KeyTimes>(
  keys: readonly K[],
  nowMs: number,
): readonly (K & { readonly state: KeyState })[] {
  const live = keys
    .filter(({ retiredAtMs }) => retiredAtMs === null || retiredAtMs > nowMs)
    .toSorted((a, b) => b.signsFromMs - a.signsFromMs)
  const signing = live.filter(({ signsFromMs }) => signsFromMs <= nowMs)
  const waiting = live.filter(({ signsFromMs }) => signsFromMs > nowMs)
  return [
    ...signing.map((key, place) => ({
      ...key,
      state: place === 0 ? ('current' as const) : ('previous' as const),
    })),
    ...waiting.map((key) => ({ ...key, state: 'next' as const })),
  ]
}

/**
 * When a key made now may sign. Every process publishes it within `signingKeysFreshMs`, and whoever has kept an older set
 * has thrown it away a cache's life after that.
 */
export function signsFromMsOf(nowMs: number): number {
  return nowMs + limits.signingKeysFreshMs + limits.jwksCacheMs
}

/** Until when the keys before it are published: a process may sign with one a little longer, and what it signed lives on. */
export function retiresAtMsOf(signsFromMs: number): number {
  return signsFromMs + limits.signingKeysFreshMs + limits.idTokenMs
}
