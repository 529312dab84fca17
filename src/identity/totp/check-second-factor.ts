import { type Clock, type Queries, unseal } from '../../kernel/index.ts'
import type { SignInKeys } from '../sign-in/keys.ts'
import { countAttempt, forgetAttempts, takeBackAttempt } from '../sign-in/store.ts'
import {
  attemptsKey,
  before,
  secondFactorDayWindow,
  secondFactorWindow,
  waitMsOf,
} from '../sign-in/throttle.ts'
import { hashRecoveryCode } from './recovery-code.ts'
import { findTotp, spendRecoveryCode, spendTimeStep } from './store.ts'
import { timeStepOf } from './totp.ts'

export interface SecondFactorDependencies {
  readonly queries: Queries
  readonly clock: Clock
  readonly keys: SignInKeys
}

export interface SecondFactorAttempt {
  readonly personId: string
  /** From the authenticator app, or a recovery code. */
  readonly code: string
  /** Network address of whoever signs in. */
  readonly address: string
}

export type SecondFactorOutcome =
  | { readonly kind: 'right' }
  | { readonly kind: 'refused' }
  | { readonly kind: 'throttled'; readonly retryAfterMs: number }

/** The sealed secret opens in its own person's row alone. */
export function secretContext(personId: string): string {
  return `totp ${personId}`
}

async function isRight(deps: SecondFactorDependencies, personId: string, typed: string): Promise<boolean> {
  const { queries, clock, keys } = deps
  const code = typed.replaceAll(/\s/g, '')
  const recoveryHash = hashRecoveryCode(keys.recoveryCodes, personId, code)
  if (recoveryHash !== null) return spendRecoveryCode(queries, personId, recoveryHash)
  const totp = await findTotp(queries, personId)
  if (totp === null) return false
  const secret = unseal(keys.totpSecrets, totp.secret, secretContext(personId))
  const timeStep = timeStepOf(secret, code, clock.nowMs())
  if (timeStep === null) return false
  // RFC 6238 §5.2: "The verifier MUST NOT accept the second attempt of the OTP after the successful validation has been
  // issued for the first OTP".
  return spendTimeStep(queries, personId, { timeStep, nowMs: clock.nowMs() })
}

/**
 * Checks and uses up one code. Counted twice: per person and address, and per person wherever it comes from, because a
 * million codes are few for a botnet. Only who has given the right password gets here, so no stranger can use the
 * person's attempts up.
 */
export async function checkSecondFactor(
  deps: SecondFactorDependencies,
  { personId, code, address }: SecondFactorAttempt,
): Promise<SecondFactorOutcome> {
  const { queries, clock } = deps
  const purpose = 'second-factor'
  const here = attemptsKey({ purpose, account: personId, address })
  const anywhere = attemptsKey({ purpose, account: personId, address: 'anywhere' })
  const nowMs = clock.nowMs()
  const hereAttempts = await countAttempt(queries, here, nowMs, secondFactorWindow)
  const hereWaitMs = waitMsOf(before(hereAttempts), nowMs, secondFactorWindow)
  // Not looked at, so not one of the day's.
  if (hereWaitMs > 0) return { kind: 'throttled', retryAfterMs: hereWaitMs }
  const dayAttempts = await countAttempt(queries, anywhere, nowMs, secondFactorDayWindow)
  const dayWaitMs = waitMsOf(before(dayAttempts), nowMs, secondFactorDayWindow)
  if (dayWaitMs > 0) return { kind: 'throttled', retryAfterMs: dayWaitMs }
  if (!(await isRight(deps, personId, code))) return { kind: 'refused' }
  await forgetAttempts(queries, here)
  // The wrong ones of the day stay: whoever makes them goes on where the person has signed in.
  await takeBackAttempt(queries, anywhere)
  return { kind: 'right' }
}
