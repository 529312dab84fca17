import { type Clock, hashPassword, isWellFormedToken, type Queries, sha256Hex } from '../../kernel/index.ts'
import { IdentityErrors } from '../errors.ts'
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

/**
 * What accepting as a new person needs before the transaction: the password's hash, worked out only for a link that
 * may still be accepted.
 * @throws identity.invitation_not_valid
 */
export async function prepareAcceptance(
  queries: Queries,
  clock: Clock,
  input: { readonly token: string; readonly password: string },
): Promise<string> {
  await openInvitationOf(queries, input.token, clock)
  return hashPassword(input.password)
}
