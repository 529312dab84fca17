import { type IdSource, limits, mintToken, newId, sha256Hex, type Transaction } from '../../kernel/index.ts'
import { IdentityErrors } from '../errors.ts'
import type { Membership } from '../membership/membership.ts'
import { normalEmail } from '../person/person.ts'
import { countOpen, deleteReplaced, insertInvitation } from './store.ts'

export interface NewInvitation {
  readonly membership: Membership
  readonly email: string
  /** The inviting person; null: the host. */
  readonly createdBy: string | null
}

export interface InvitationDependencies extends IdSource {
  /** Origin under which browsers reach the platform. */
  readonly publicUrl: string
}

export interface CreatedInvitation {
  readonly id: string
  readonly role: Membership['role']
  readonly email: string
  /** Shown once: only its SHA-256 is stored. */
  readonly token: string
  /** The page on which a person accepts. */
  readonly link: string
  readonly expiresAtMs: number
}

/**
 * Makes a link that lets its finder become a member, once, within `limits.invitationMs`. It takes the place of an open
 * one to the same address: a repeated call leaves one link alive, the last.
 * @throws identity.too_many_invitations
 */
export async function createInvitation(
  tx: Transaction,
  deps: InvitationDependencies,
  input: NewInvitation,
): Promise<CreatedInvitation> {
  const { membership, createdBy } = input
  const email = normalEmail(input.email)
  const nowMs = deps.clock.nowMs()
  await deleteReplaced(tx, membership, { email, nowMs })
  if ((await countOpen(tx, membership)) >= limits.invitationsOpenMax)
    throw IdentityErrors.too_many_invitations()
  const id = newId('invitation', deps)
  const token = mintToken('invitation', deps.random)
  const expiresAtMs = nowMs + limits.invitationMs
  const hash = sha256Hex(token)
  await insertInvitation(tx, { id, hash, membership, email, createdBy, createdAtMs: nowMs, expiresAtMs })
  const link = `${deps.publicUrl}/invitation?token=${token}`
  return { id, role: membership.role, email, token, link, expiresAtMs }
}
