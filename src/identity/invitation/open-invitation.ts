import { type Clock, isWellFormedToken, type Queries, sha256Hex } from '../../kernel/index.ts'
import { IdentityErrors } from '../errors.ts'
import { hashNewPassword } from '../password/hash-new-password.ts'
import { findOpenInvitation, type OpenInvitation } from './store.ts'

/**
 * The open invitation of a link.
 * @throws identity.invitation_not_valid alike for one that is unknown, accepted, withdrawn or expired
 */
export async function openInvitationOf(
  queries: Queries,
  token: string,
  clock: Clock,
): Promise<OpenInvitation> {
  const row = isWellFormedToken('invitation', token)
    ? await findOpenInvitation(queries, sha256Hex(token), clock.nowMs())
    : null
  if (row === null) throw IdentityErrors.invitation_not_valid()
  return row
}

export interface NewAccount {
  readonly token: string
  readonly password: string
  readonly displayName: string
}

/**
 * What accepting as a new person needs before the transaction: the password's hash, worked out only for a link that
 * may still be accepted.
 * @throws identity.invitation_not_valid, identity.password_too_common
 */
export async function prepareAcceptance(
  {
    queries,
    clock,
    publicUrl,
  }: { readonly queries: Queries; readonly clock: Clock; readonly publicUrl: string },
  { token, password, displayName }: NewAccount,
): Promise<string> {
  const { email } = await openInvitationOf(queries, token, clock)
  return hashNewPassword({ password, email, displayName, publicUrl, pointer: '/password' })
}
