import type { PageRequest } from '../../capability/index.ts'
import { sql } from '../../db/index.ts'
import { type DbTime, type Queries, type Transaction, toDate } from '../../kernel/index.ts'
import type { Membership } from '../membership/membership.ts'

export interface NewInvitationRow {
  readonly id: string
  readonly hash: string
  readonly membership: Membership
  readonly email: string
  /** Null: the host. */
  readonly createdBy: string | null
  readonly createdAtMs: number
  readonly expiresAtMs: number
}

/** Across tenants: the row names its publisher, merchant or the platform. */
export async function insertInvitation(tx: Transaction, invitation: NewInvitationRow): Promise<void> {
  const { id, hash, email, createdBy, membership } = invitation
  await tx.invitation.create({
    data: {
      id,
      hash,
      email,
      createdBy,
      ...membership,
      createdAt: toDate(invitation.createdAtMs),
      expiresAt: toDate(invitation.expiresAtMs),
    },
  })
}

/**
 * Removes what a new invitation to this membership makes needless: those that have expired, and an open one to the same
 * address. Staff may be invited to two roles at once.
 * Across tenants: the membership names its publisher, merchant or the platform.
 */
export async function deleteReplaced(
  tx: Transaction,
  { kind, targetId, role }: Membership,
  { email, nowMs }: { readonly email: string; readonly nowMs: number },
): Promise<void> {
  await sql(
    tx,
    `delete from invitation where kind = $1 and target_id is not distinct from $2::text and accepted_at is null
       and (expires_at <= $5 or (email = $4 and (kind <> 'platform' or role = $3)))`,
    kind,
    targetId,
    role,
    email,
    toDate(nowMs),
  )
}

/** Across tenants: the membership names its publisher, merchant or the platform. */
export async function countOpen(
  tx: Transaction,
  { kind, targetId }: Pick<Membership, 'kind' | 'targetId'>,
): Promise<number> {
  return tx.invitation.count({ where: { kind, targetId, acceptedAt: null } })
}

interface MembershipColumns {
  readonly kind: string
  readonly target_id: string | null
  readonly role: string
}

// The columns were written from a Membership.
function toMembership({ kind, target_id: targetId, role }: MembershipColumns): Membership {
  return { kind, targetId, role } as Membership
}

export interface OpenInvitation {
  readonly membership: Membership
  readonly email: string
  /** Of the publisher or merchant; null: the platform. */
  readonly targetName: string | null
  readonly expiresAtMs: number
}

interface OpenInvitationRow extends MembershipColumns {
  readonly email: string
  readonly expires_at: DbTime
  readonly target_name: string | null
}

/** Across tenants: the link names the invitation. */
export async function findOpenInvitation(
  q: Queries,
  hash: string,
  nowMs: number,
): Promise<OpenInvitation | null> {
  const [row] = await sql<OpenInvitationRow>(
    q,
    `select i.kind, i.target_id, i.role, i.email, i.expires_at, coalesce(p.name, m.name) as target_name
     from invitation i
     left join publisher p on i.kind = 'publisher' and p.id = i.target_id
     left join merchant m on i.kind = 'merchant' and m.id = i.target_id
     where i.hash = $1 and i.accepted_at is null and i.expires_at > $2`,
    hash,
    toDate(nowMs),
  )
  if (row === undefined) return null
  const { email, target_name: targetName } = row
  return { membership: toMembership(row), email, targetName, expiresAtMs: row.expires_at.getTime() }
}

export interface ClaimedInvitation {
  readonly membership: Membership
  readonly email: string
}

/** Marks an open invitation as accepted. Of several at once one gets the row, the others wait for it and get null. */
export async function claimInvitation(
  tx: Transaction,
  personId: string,
  { hash, nowMs }: { readonly hash: string; readonly nowMs: number },
): Promise<ClaimedInvitation | null> {
  const [row] = await sql<MembershipColumns & { readonly email: string }>(
    tx,
    `update invitation set accepted_at = $3, accepted_by = $1
     where hash = $2 and accepted_at is null and expires_at > $3 returning kind, target_id, role, email`,
    personId,
    hash,
    toDate(nowMs),
  )
  return row === undefined ? null : { membership: toMembership(row), email: row.email }
}

export interface InvitationRow {
  readonly id: string
  readonly role: string
  readonly email: string
  readonly created_at: DbTime
  readonly expires_at: DbTime
}

/** A publisher's open invitations, by descending id. */
export function listPublisherInvitations(
  q: Queries,
  publisherId: string,
  { rowsMax, after }: PageRequest,
  nowMs: number,
): Promise<InvitationRow[]> {
  return sql<InvitationRow>(
    q,
    `select id, role, email, created_at, expires_at from invitation
     where kind = 'publisher' and target_id = $1 and accepted_at is null and expires_at > $2
       and ($3::text is null or id < $3) order by id desc limit $4::int`,
    publisherId,
    toDate(nowMs),
    after,
    rowsMax,
  )
}

/** Withdraws a publisher's open invitation; false when there is no such. */
export async function deletePublisherInvitation(
  tx: Transaction,
  publisherId: string,
  invitationId: string,
): Promise<boolean> {
  const { count } = await tx.invitation.deleteMany({
    where: { id: invitationId, kind: 'publisher', targetId: publisherId, acceptedAt: null },
  })
  return count > 0
}

/** Across tenants: the host withdraws what it has made itself; false when there is no such. */
export async function deleteHostInvitation(tx: Transaction, invitationId: string): Promise<boolean> {
  const { count } = await tx.invitation.deleteMany({
    where: { id: invitationId, createdBy: null, acceptedAt: null },
  })
  return count > 0
}

/** Withdraws what one member has left open. */
export async function deleteInvitationsBy(
  tx: Transaction,
  publisherId: string,
  createdBy: string,
): Promise<void> {
  await tx.invitation.deleteMany({
    where: { kind: 'publisher', targetId: publisherId, createdBy, acceptedAt: null },
  })
}
