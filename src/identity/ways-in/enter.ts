import type { PersonCaller } from '../../capability/index.ts'
import type { Db } from '../../db/index.ts'
import { type Clock, type Log, limits, type Random, type Transaction } from '../../kernel/index.ts'
import type { ProviderClient } from '../oidc/provider-client.ts'
import type { ProviderSettings } from '../oidc/settings.ts'
import { findSession } from '../sign-in/find-session.ts'
import type { SignInKeys } from '../sign-in/keys.ts'
import { startSession } from '../sign-in/start-session.ts'
import { sealStep } from '../step/step.ts'

/** The host's identity provider. */
export interface Provider {
  readonly settings: ProviderSettings
  readonly client: ProviderClient
}

export interface WaysInDependencies {
  readonly db: Db
  readonly clock: Clock
  readonly random: Random
  readonly keys: SignInKeys
  readonly publicUrl: string
  readonly log: Log
  /** Null: there is none. */
  readonly provider: Provider | null
}

/** A browser whose person is not known yet. */
export interface Visitor {
  /** Value of the cookie that its forms are bound to. */
  readonly browser: string
  /** Network address. */
  readonly address: string
  readonly userAgent: string
}

export type Entry =
  /** `cookie` is a new session's; a session from before it is worth nothing here. */
  | { readonly kind: 'signed_in'; readonly cookie: string; readonly person: PersonCaller }
  /** The browser keeps `step` and comes back with a code. */
  | { readonly kind: 'second_factor'; readonly step: string }
  /** Wrong, or too often: one answer. */
  | { readonly kind: 'refused' }
  /** What the browser came back with is over, used, or another browser's. */
  | { readonly kind: 'expired' }

/** Who has given one factor. */
export interface Halfway {
  readonly personId: string
  /** Of the password; null: it was the provider. */
  readonly passwordMark: string | null
}

/** The browser is to come back with a code. */
export function halfway(
  { keys, clock }: WaysInDependencies,
  { browser }: Visitor,
  { personId, passwordMark }: Halfway,
): Entry {
  const step = { kind: 'second-factor', data: { personId, passwordMark }, boundTo: browser } as const
  return { kind: 'second_factor', step: sealStep(keys.steps, step, clock.nowMs() + limits.secondFactorMs) }
}

/** Starts a session when `spend`, in the same transaction, says that the proof was not used before. */
export async function enter(
  deps: WaysInDependencies,
  { userAgent }: Visitor,
  personId: string,
  spend: (tx: Transaction) => Promise<boolean> = () => Promise.resolve(true),
): Promise<Entry> {
  const { db, clock, random } = deps
  const cookie = await db.tx(async (tx) =>
    (await spend(tx)) ? startSession(tx, { personId, userAgent }, { clock, random }) : null,
  )
  if (cookie === null) return { kind: 'expired' }
  // Null: the person was disabled meanwhile.
  const session = await findSession(db.queries, cookie, clock)
  return session === null ? { kind: 'refused' } : { kind: 'signed_in', cookie, person: session.caller }
}
