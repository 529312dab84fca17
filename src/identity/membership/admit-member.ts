import type { Transaction } from '../../kernel/index.ts'
import {
  type CreatedInvitation,
  createInvitation,
  type InvitationDependencies,
} from '../invitation/create-invitation.ts'
import { normalEmail } from '../person/person.ts'
import { findVouchedPerson } from '../person/store.ts'
import { joinTarget } from './join-target.ts'
import type { HostMembership } from './membership.ts'
import { isMember, keepStaffRole, updateMerchantRole } from './store.ts'

export type Admission =
  | {
      readonly kind: 'member'
      readonly personId: string
      readonly displayName: string
      readonly role: HostMembership['role']
    }
  | { readonly kind: 'invitation'; readonly invitation: CreatedInvitation }

/**
 * The host makes somebody a member by their address. Whoever the host has vouched for before becomes a member at once,
 * with this role; anybody else gets a link, even when a person with this address exists. A stranger can register the
 * address of a shop's owner before the owner does, and must not get the shop for it.
 * @throws identity.too_many_memberships, identity.too_many_invitations
 */
export async function admitMember(
  tx: Transaction,
  deps: InvitationDependencies,
  { email, membership }: { readonly email: string; readonly membership: HostMembership },
): Promise<Admission> {
  const person = await findVouchedPerson(tx, normalEmail(email))
  if (person === null) {
    const invitation = await createInvitation(tx, deps, { membership, email, createdBy: null })
    return { kind: 'invitation', invitation }
  }
  await setMembership(tx, deps, { personId: person.id, membership })
  return { kind: 'member', personId: person.id, displayName: person.display_name, role: membership.role }
}

async function setMembership(
  tx: Transaction,
  { clock }: InvitationDependencies,
  { personId, membership }: { readonly personId: string; readonly membership: HostMembership },
): Promise<void> {
  if (!(await isMember(tx, personId, membership))) return joinTarget(tx, clock, { personId, membership })
  // What the host gives itself, no group takes away.
  if (membership.kind === 'merchant')
    await updateMerchantRole(tx, membership.targetId, { personId, role: membership.role })
  else await keepStaffRole(tx, personId, membership.role)
}
