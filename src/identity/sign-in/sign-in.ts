import {
  type Clock,
  limits,
  type Queries,
  type StoaError,
  sha256Hex,
  verifyPassword,
} from '../../kernel/index.ts'
import { IdentityErrors } from '../errors.ts'
import { normalEmail } from '../person/person.ts'
import { countAttempt, findPassword, recordSignIn } from './store.ts'
import {
  accountDayWindow,
  attemptsKey,
  before,
  networkWindow,
  underAttackWindow,
  waitMsOf,
} from './throttle.ts'

export interface Credentials {
  readonly email: string
  readonly password: string
  /** Network address of whoever signs in. */
  readonly address: string
}

export type SignInOutcome =
  | { readonly kind: 'signed_in'; readonly personId: string }
  /** The password was right; this person is asked for a code as well. */
  | { readonly kind: 'second_factor'; readonly personId: string; readonly passwordMark: string }
  /** Unknown account, wrong password and disabled person: one answer, in the same time. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'throttled'; readonly retryAfterMs: number }

/** The error of a throttled attempt. `waitMs`: until the next one is looked at. */
export function tooManyAttempts(waitMs: number): StoaError {
  return IdentityErrors.too_many_attempts(undefined, {
    headers: { 'retry-after': String(Math.ceil(waitMs / 1000)) },
  })
}

/** Tells whether a password is still the one it was; says nothing about it. */
export function markOf(passwordHash: string): string {
  return sha256Hex(passwordHash).slice(0, 16)
}

// A browser's form brings any text; the database refuses NUL, and the hash's input stays small.
function canExist(account: string, password: string): boolean {
  return !/\p{Cc}/u.test(account) && [...password].length <= limits.passwordLengthMax
}

function attemptKeysOf(account: string, address: string) {
  const purpose = 'sign-in'
  return {
    here: attemptsKey({ purpose, account, address }),
    network: attemptsKey({ purpose, account: '', address }),
    anywhere: attemptsKey({ purpose, account, address: 'anywhere' }),
  }
}

/**
 * Counts an attempt three times: for the account at this address, for the address, and for the account. Gives how long
 * to wait before the next is looked at; 0: this one is.
 *
 * NIST SP 800-63B §5.2.2: "the verifier SHALL limit consecutive failed authentication attempts on a single account to no
 * more than 100". A bound that strangers can reach is a lock-out that they cause, so beyond it the account stays open,
 * and each address has signInTriesUnderAttackMax: the person comes from one that has not failed.
 */
async function countAttempts(
  queries: Queries,
  { here, network, anywhere }: ReturnType<typeof attemptKeysOf>,
  nowMs: number,
): Promise<number> {
  const hereAttempts = before(await countAttempt(queries, here, nowMs))
  const hereWaitMs = waitMsOf(hereAttempts, nowMs)
  // Not looked at, so none of the others'.
  if (hereWaitMs > 0) return hereWaitMs
  const networkAttempts = before(await countAttempt(queries, network, nowMs, networkWindow))
  const networkWaitMs = waitMsOf(networkAttempts, nowMs, networkWindow)
  if (networkWaitMs > 0) return networkWaitMs
  const accountAttempts = before(await countAttempt(queries, anywhere, nowMs, accountDayWindow))
  const isUnderAttack = waitMsOf(accountAttempts, nowMs, accountDayWindow) > 0
  return isUnderAttack ? waitMsOf(hereAttempts, nowMs, underAttackWindow) : 0
}

/**
 * Checks an email address and a password. Takes about 150 ms and so runs outside any transaction.
 *
 * The attempt is counted before the password is checked and forgotten when it was right: a burst of guesses at once
 * gets no further than the same guesses one after the other.
 */
export async function signIn(
  { queries, clock }: { readonly queries: Queries; readonly clock: Clock },
  { email, password, address }: Credentials,
): Promise<SignInOutcome> {
  const account = normalEmail(email)
  const keys = attemptKeysOf(account, address)
  const retryAfterMs = await countAttempts(queries, keys, clock.nowMs())
  if (retryAfterMs > 0) return { kind: 'throttled', retryAfterMs }

  const known = canExist(account, password) ? await findPassword(queries, account) : null
  const matches = await verifyPassword(password, known?.secret ?? null)
  if (known === null || !matches) return { kind: 'refused' }
  await recordSignIn(queries, known.person_id, { ...keys, nowMs: clock.nowMs() })
  const personId = known.person_id
  return known.has_totp
    ? { kind: 'second_factor', personId, passwordMark: markOf(known.secret) }
    : { kind: 'signed_in', personId }
}
