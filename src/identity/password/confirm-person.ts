import { type Caller, type PersonCaller, personOf } from '../../capability/index.ts'
import { type Clock, limits, type Queries, unreachable } from '../../kernel/index.ts'
import type { IdentityDependencies } from '../dependencies.ts'
import { IdentityErrors } from '../errors.ts'
import { signIn, tooManyAttempts } from '../sign-in/sign-in.ts'
import { findPasswordAccount, findSessionStart } from './store.ts'

export interface Confirmation {
  readonly caller: PersonCaller
  readonly password: string | undefined
  /** Network address of whoever asks. */
  readonly address: string
}

interface Deps {
  readonly queries: Queries
  readonly clock: Clock
}

interface Prepared extends Deps {
  readonly caller: Caller
  readonly input: { readonly password?: string | undefined }
}

async function confirmBySession({ queries, clock }: Deps, { personId, sessionId }: PersonCaller) {
  const startedAtMs = sessionId === null ? null : await findSessionStart(queries, personId, sessionId)
  if (startedAtMs === null || clock.nowMs() - startedAtMs > limits.freshSessionMs)
    throw IdentityErrors.sign_in_again()
}

/**
 * Makes sure that it is the person who asks, and not whoever found the browser open or a token in a file. NIST SP
 * 800-63B §6.1.2.1: "Before adding the new authenticator, the CSP SHALL first require the subscriber to authenticate".
 * That is by the password; who has none must have signed in a moment ago. Takes 150 ms and so runs outside any
 * transaction.
 * @throws identity.password_required, identity.password_refused, identity.too_many_attempts, identity.sign_in_again
 */
export async function confirmPerson(deps: Deps, { caller, password, address }: Confirmation): Promise<void> {
  const email = await findPasswordAccount(deps.queries, caller.personId)
  if (email === null) return confirmBySession(deps, caller)
  if (password === undefined || password === '') throw IdentityErrors.password_required()
  const outcome = await signIn(deps, { email, password, address })
  switch (outcome.kind) {
    case 'signed_in':
    case 'second_factor':
      return
    case 'refused':
      throw IdentityErrors.password_refused()
    case 'throttled':
      throw tooManyAttempts(outcome.retryAfterMs)
    default:
      unreachable(outcome)
  }
}

/** The preparation of an operation that only the person themselves may go on with. */
export function confirmFirst({ clientAddress }: Pick<IdentityDependencies, 'clientAddress'>) {
  return ({ queries, clock, caller, input }: Prepared): Promise<void> =>
    confirmPerson(
      { queries, clock },
      { caller: personOf(caller), password: input.password, address: clientAddress() },
    )
}

/** What `confirmPerson` may refuse with. */
export const confirmationErrors = [
  IdentityErrors.password_required,
  IdentityErrors.password_refused,
  IdentityErrors.too_many_attempts,
  IdentityErrors.sign_in_again,
]
