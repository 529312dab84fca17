import { type Clock, limits, type Transaction } from '../../kernel/index.ts'
import { IdentityErrors } from '../errors.ts'
import type { Membership } from './membership.ts'
import { countMemberships, insertMembership } from './store.ts'

/**
 * Makes a person a member.
 * @throws identity.too_many_memberships, identity.already_member
 */
export async function joinTarget(
  tx: Transaction,
  clock: Clock,
  { personId, membership }: { readonly personId: string; readonly membership: Membership },
): Promise<void> {
  const count = await countMemberships(tx, personId, membership.kind)
  if (count >= limits.membershipsMax) throw IdentityErrors.too_many_memberships()
  const joined = await insertMembership(tx, personId, membership, clock.nowMs())
  if (!joined) throw IdentityErrors.already_member()
}
