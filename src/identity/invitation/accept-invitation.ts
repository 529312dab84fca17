import {
  type Clock,
  type IdSource,
  isWellFormedToken,
  newId,
  sha256Hex,
  type Transaction,
} from '../../kernel/index.ts'
import { IdentityErrors } from '../errors.ts'
import { joinTarget } from '../membership/join-target.ts'
import type { Membership } from '../membership/membership.ts'
import { createPerson } from '../person/create-person.ts'
import { type ClaimedInvitation, claimInvitation } from './store.ts'

async function claim(
  tx: Transaction,
  clock: Clock,
  { token, personId }: { readonly token: string; readonly personId: string },
): Promise<ClaimedInvitation> {
  const row = isWellFormedToken('invitation', token)
    ? await claimInvitation(tx, personId, { hash: sha256Hex(token), nowMs: clock.nowMs() })
    : null
  if (row === null) throw IdentityErrors.invitation_not_valid()
  return row
}

export interface Acceptance {
  readonly personId: string
  readonly email: string
  readonly membership: Membership
}

export interface NewMember {
  readonly token: string
  readonly displayName: string
  readonly locale: string
  readonly passwordHash: string
}

/**
 * Accepts as a person who does not exist yet: person and membership in this one transaction, or neither. The account's
 * address is the one the invitation was made for.
 * @throws identity.invitation_not_valid, identity.email_taken (sign in and accept as that person)
 */
export async function acceptAsNewPerson(
  tx: Transaction,
  ids: IdSource,
  input: NewMember,
): Promise<Acceptance> {
  const { token, displayName, locale, passwordHash } = input
  const personId = newId('person', ids)
  const row = await claim(tx, ids.clock, { token, personId })
  const membership = row.membership
  await createPerson(tx, ids.clock, { personId, email: row.email, displayName, locale, passwordHash })
  await joinTarget(tx, ids.clock, { personId, membership })
  return { personId, email: row.email, membership }
}

/**
 * Accepts as somebody who is signed in, whatever their address: the link is the proof.
 * @throws identity.invitation_not_valid, identity.already_member (the invitation stays open)
 */
export async function acceptAsPerson(
  tx: Transaction,
  clock: Clock,
  input: { readonly token: string; readonly personId: string },
): Promise<Acceptance> {
  const row = await claim(tx, clock, input)
  const membership = row.membership
  await joinTarget(tx, clock, { personId: input.personId, membership })
  return { personId: input.personId, email: row.email, membership }
}
