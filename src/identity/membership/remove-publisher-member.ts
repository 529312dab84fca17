import type { Transaction } from '../../kernel/index.ts'
import { IdentityErrors } from '../errors.ts'
import { deleteInvitationsBy } from '../invitation/store.ts'
import { countOwners, deletePublisherMember, findPublisherRole, lockPublisher } from './store.ts'

/**
 * Ends a membership at once, together with the invitations that this member has left open.
 * @throws identity.member_not_found, identity.last_owner
 */
export async function removePublisherMember(
  tx: Transaction,
  { publisherId, personId }: { readonly publisherId: string; readonly personId: string },
): Promise<void> {
  // Two owners who remove each other at the same moment would otherwise both see the other one left.
  await lockPublisher(tx, publisherId)
  const role = await findPublisherRole(tx, publisherId, personId)
  if (role === null) throw IdentityErrors.member_not_found()
  if (role === 'owner' && (await countOwners(tx, publisherId)) === 1) throw IdentityErrors.last_owner()
  await deletePublisherMember(tx, publisherId, personId)
  await deleteInvitationsBy(tx, publisherId, personId)
}
