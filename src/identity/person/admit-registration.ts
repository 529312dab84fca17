import type { Clock, Queries } from '../../kernel/index.ts'
import { IdentityErrors } from '../errors.ts'
import { hashNewPassword } from '../password/hash-new-password.ts'
import { tooManyAttempts } from '../sign-in/sign-in.ts'
import { countAttempt, findAttempts } from '../sign-in/store.ts'
import { attemptsKey, waitMsOf } from '../sign-in/throttle.ts'
import { normalEmail } from './person.ts'
import { isEmailTaken } from './store.ts'

export interface RegistrationRequest {
  readonly email: string
  readonly password: string
  readonly displayName: string
  /** Network address of whoever asks. */
  readonly address: string
}

export interface RegistrationDependencies {
  readonly queries: Queries
  readonly clock: Clock
  readonly registrationOpen: boolean
  readonly publicUrl: string
}

/**
 * Decides whether somebody may register, before the transaction; gives the password's hash.
 *
 * A taken address is told (409): without mail in between there is no other way to let an honest person know why
 * nothing happened. So that nobody can look up a list of addresses, those answers are counted per network address, and
 * once too many were given there, every registration from it waits.
 * @throws identity.registration_closed, identity.too_many_attempts, identity.email_taken, identity.password_too_common
 */
export async function admitRegistration(
  { queries, clock, registrationOpen, publicUrl }: RegistrationDependencies,
  request: RegistrationRequest,
): Promise<string> {
  if (!registrationOpen) throw IdentityErrors.registration_closed()
  const key = attemptsKey({ purpose: 'register', account: '', address: request.address })
  const waitMs = waitMsOf(await findAttempts(queries, key), clock.nowMs())
  if (waitMs > 0) throw tooManyAttempts(waitMs)
  if (await isEmailTaken(queries, normalEmail(request.email))) {
    await countAttempt(queries, key, clock.nowMs())
    throw IdentityErrors.email_taken()
  }
  return hashNewPassword({ ...request, publicUrl, pointer: '/password' })
}
