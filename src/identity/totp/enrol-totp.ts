import { type IdSource, limits, newId, type Queries, seal, type Transaction } from '../../kernel/index.ts'
import { IdentityErrors } from '../errors.ts'
import type { SignInKeys } from '../sign-in/keys.ts'
import { openStep, sealStep } from '../step/step.ts'
import { spendStep } from '../step/store.ts'
import { secretContext } from './check-second-factor.ts'
import { hashRecoveryCode, makeRecoveryCodes } from './recovery-code.ts'
import { findTotp, insertTotp, replaceRecoveryCodes } from './store.ts'
import { newTotpSecret, timeStepOf, totpUri } from './totp.ts'

export interface Enrolment {
  /** Base32. */
  readonly secret: string
  readonly uri: string
  /** To be sent back with the first code. */
  readonly enrolment: string
  readonly expiresAtMs: number
}

export interface EnrolmentRequest {
  readonly personId: string
  /** How the authenticator app names it. */
  readonly account: string
  readonly issuer: string
}

/**
 * A new secret for an authenticator app. Nothing is stored before a code proves that the app has it.
 * @throws identity.second_factor_exists
 */
export async function beginTotpEnrolment(
  queries: Queries,
  { keys, clock, random }: IdSource & { readonly keys: SignInKeys },
  { personId, account, issuer }: EnrolmentRequest,
): Promise<Enrolment> {
  if ((await findTotp(queries, personId)) !== null) throw IdentityErrors.second_factor_exists()
  const secret = newTotpSecret(random)
  const expiresAtMs = clock.nowMs() + limits.totpEnrolmentMs
  const step = { kind: 'totp-enrolment', data: { secret }, boundTo: personId } as const
  const enrolment = sealStep(keys.steps, step, expiresAtMs)
  return { secret, uri: totpUri({ secret, issuer, account }), enrolment, expiresAtMs }
}

/** New recovery codes in the place of the old ones; shown this once. */
export async function renewRecoveryCodes(
  tx: Transaction,
  { keys, clock, random }: IdSource & { readonly keys: SignInKeys },
  personId: string,
): Promise<readonly string[]> {
  const codes = makeRecoveryCodes(random)
  const hashes = codes.flatMap((code) => hashRecoveryCode(keys.recoveryCodes, personId, code) ?? [])
  await replaceRecoveryCodes(tx, personId, { hashes, nowMs: clock.nowMs() })
  return codes
}

/**
 * Ends an enrolment by the app's first code, which is used up by it. Gives the recovery codes.
 * @throws identity.enrolment_not_valid, identity.code_refused, identity.second_factor_exists
 */
export async function confirmTotpEnrolment(
  tx: Transaction,
  deps: IdSource & { readonly keys: SignInKeys },
  {
    personId,
    enrolment,
    code,
  }: { readonly personId: string; readonly enrolment: string; readonly code: string },
): Promise<readonly string[]> {
  const { keys, clock } = deps
  const nowMs = clock.nowMs()
  const step = openStep(keys.steps, enrolment, { kind: 'totp-enrolment', boundTo: personId, nowMs })
  if (step === null) throw IdentityErrors.enrolment_not_valid()
  const { secret } = step.data
  const timeStep = timeStepOf(secret, code.replaceAll(/\s/g, ''), nowMs)
  if (timeStep === null) throw IdentityErrors.code_refused()
  if (!(await spendStep(tx, step, nowMs))) throw IdentityErrors.enrolment_not_valid()
  const sealedSecret = seal(keys.totpSecrets, secret, secretContext(personId))
  const inserted = await insertTotp(tx, personId, {
    id: newId('signIn', deps),
    sealedSecret,
    timeStep,
    nowMs,
  })
  if (!inserted) throw IdentityErrors.second_factor_exists()
  return renewRecoveryCodes(tx, deps, personId)
}
