import { hashPassword } from '../../kernel/index.ts'
import { IdentityErrors } from '../errors.ts'
import { isExpectedPassword, type PasswordContext } from './expected-password.ts'

export interface NewPassword extends Omit<PasswordContext, 'platformHost'> {
  readonly password: string
  /** Origin under which browsers reach the platform. */
  readonly publicUrl: string
  /** Where the caller's input has it: `/password`. */
  readonly pointer: string
}

/**
 * The hash of a password that is not an expected one. Takes 150 ms and so runs outside any transaction.
 * @throws identity.password_too_common
 */
export function hashNewPassword(input: NewPassword): Promise<string> {
  const { password, email, displayName, publicUrl, pointer } = input
  const { hostname: platformHost } = new URL(publicUrl)
  if (isExpectedPassword(password, { email, displayName, platformHost }))
    throw IdentityErrors.password_too_common(undefined, {
      errors: [{ pointer, code: 'too_common', message: 'is one of the first that anybody would try' }],
    })
  return hashPassword(password)
}
