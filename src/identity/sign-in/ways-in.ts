import type { PersonCaller } from '../../capability/index.ts'
import type { Db } from '../../db/index.ts'
import { type Clock, limits, type Random, type Transaction } from '../../kernel/index.ts'
import {
  askForPasskey,
  checkPasskey,
  type PasskeyQuestion,
  spendPasskeyProof,
} from '../passkey/check-passkey.ts'
import { parseAssertedCredential } from '../passkey/credential.ts'
import { openStep, sealStep } from '../step/step.ts'
import { spendStep } from '../step/store.ts'
import { checkSecondFactor } from '../totp/check-second-factor.ts'
import { findSession } from './find-session.ts'
import type { SignInKeys } from './keys.ts'
import { markOf, signIn } from './sign-in.ts'
import { startSession } from './start-session.ts'
import { findPasswordHash } from './store.ts'

export interface WaysInDependencies {
  readonly db: Db
  readonly clock: Clock
  readonly random: Random
  readonly keys: SignInKeys
  readonly publicUrl: string
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
}

interface Halfway {
  readonly personId: string
  readonly passwordMark: string | null
}

function halfway(
  { keys, clock }: WaysInDependencies,
  { browser }: Visitor,
  { personId, passwordMark }: Halfway,
): Entry {
  const step = { kind: 'second-factor', data: { personId, passwordMark }, boundTo: browser } as const
  return { kind: 'second_factor', step: sealStep(keys.steps, step, clock.nowMs() + limits.secondFactorMs) }
}

/** Starts a session when `spend`, in the same transaction, says that the proof was not used before. */
async function enter(
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
        default:
          return { kind: 'refused' }
      }
    },
    bySecondFactor: (visitor, given) => bySecondFactor(deps, visitor, given),
    askForPasskey: ({ browser }) => askForPasskey(deps, browser),
    byPasskey: (visitor, given) => byPasskey(deps, visitor, given),
  }
}
