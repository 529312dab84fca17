import {
  askForPasskey,
  checkPasskey,
  type PasskeyQuestion,
  spendPasskeyProof,
} from '../passkey/check-passkey.ts'
import { parseAssertedCredential } from '../passkey/credential.ts'
import { markOf, signIn } from '../sign-in/sign-in.ts'
import { findPasswordHash } from '../sign-in/store.ts'
import { openStep } from '../step/step.ts'
import { spendStep } from '../step/store.ts'
import { checkSecondFactor } from '../totp/check-second-factor.ts'
import {
  askProvider,
  byProvider,
  type ProviderAsking,
  type ProviderEntry,
  type ProviderReturn,
} from './by-provider.ts'
import { type Entry, enter, type Halfway, halfway, type Visitor, type WaysInDependencies } from './enter.ts'

/** What the form brings of a passkey. */
export interface GivenPasskey {
  /** Of the question. */
  readonly challenge: string
  /** The browser's answer as JSON text. */
  readonly credential: string
}

/** How a browser becomes somebody's. */
export interface WaysIn {
  byPassword(visitor: Visitor, given: { readonly email: string; readonly password: string }): Promise<Entry>
  /** The second half of a sign-in whose first half answered `second_factor`. */
  bySecondFactor(visitor: Visitor, given: { readonly step: string; readonly code: string }): Promise<Entry>
  /** Null where there can be no passkeys. */
  askForPasskey(visitor: Pick<Visitor, 'browser'>): PasskeyQuestion | null
  /** A passkey is two factors by itself: the device, and what unlocked it. */
  byPasskey(visitor: Visitor, given: GivenPasskey): Promise<Entry>
  /** What people call the host's identity provider; null: there is none. */
  readonly providerName: string | null
  /**
   * Where the browser goes to sign in there, and the step it keeps meanwhile.
   * @throws identity.provider_not_configured, identity.provider_unavailable, what `confirmPerson` throws
   */
  askProvider(
    visitor: Visitor,
    asking: ProviderAsking,
  ): Promise<{ readonly location: string; readonly step: string }>
  /** The browser comes back from the provider. @throws identity.provider_account_taken */
  byProvider(visitor: Visitor, given: ProviderReturn): Promise<ProviderEntry>
}

async function isStill({ db }: WaysInDependencies, { personId, passwordMark }: Halfway): Promise<boolean> {
  if (passwordMark === null) return true
  const hash = await findPasswordHash(db.queries, personId)
  return hash !== null && markOf(hash) === passwordMark
}

async function bySecondFactor(
  deps: WaysInDependencies,
  visitor: Visitor,
  given: { readonly step: string; readonly code: string },
): Promise<Entry> {
  const { db, clock, keys } = deps
  const expected = { kind: 'second-factor', boundTo: visitor.browser, nowMs: clock.nowMs() } as const
  const step = openStep(keys.steps, given.step, expected)
  if (step === null || !(await isStill(deps, step.data))) return { kind: 'expired' }
  const { personId } = step.data
  const attempt = { personId, code: given.code, address: visitor.address }
  const outcome = await checkSecondFactor({ queries: db.queries, clock, keys }, attempt)
  if (outcome.kind !== 'right') return { kind: 'refused' }
  return enter(deps, visitor, personId, (tx) => spendStep(tx, step, clock.nowMs()))
}

async function byPasskey(deps: WaysInDependencies, visitor: Visitor, given: GivenPasskey): Promise<Entry> {
  const { db, clock, keys, publicUrl } = deps
  const credential = parseAssertedCredential(given.credential)
  if (credential === null) return { kind: 'refused' }
  const { browser, address } = visitor
  const answer = { challenge: given.challenge, credential, browser, address }
  const outcome = await checkPasskey({ queries: db.queries, clock, keys, publicUrl }, answer)
  if (outcome.kind !== 'right') return outcome
  return enter(deps, visitor, outcome.personId, (tx) => spendPasskeyProof(tx, outcome, clock.nowMs()))
}

/** Makes what pages sign people in with. */
export function makeWaysIn(deps: WaysInDependencies): WaysIn {
  const { db, clock } = deps
  return {
    async byPassword(visitor, { email, password }) {
      const { address } = visitor
      const outcome = await signIn({ queries: db.queries, clock }, { email, password, address })
      switch (outcome.kind) {
        case 'signed_in':
          return enter(deps, visitor, outcome.personId)
        case 'second_factor':
          return halfway(deps, visitor, outcome)
        case 'refused':
        case 'throttled':
          return { kind: 'refused' }
      }
    },
    bySecondFactor: (visitor, given) => bySecondFactor(deps, visitor, given),
    askForPasskey: ({ browser }) => askForPasskey(deps, browser),
    byPasskey: (visitor, given) => byPasskey(deps, visitor, given),
    providerName: deps.provider?.settings.name ?? null,
    askProvider: (visitor, asking) => askProvider(deps, visitor, asking),
    byProvider: (visitor, given) => byProvider(deps, visitor, given),
  }
}
