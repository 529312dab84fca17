import type { PageRequest } from '../../capability/index.ts'
import { sql } from '../../db/index.ts'
import { type DbTime, present, type Queries, type Transaction, toDate } from '../../kernel/index.ts'
import type { HostMembership, Membership } from './membership.ts'

// ── publishers ───────────────────────────────────────────────────────────────────────────────────────────────────

export interface NewPublisher {
  readonly publisherId: string
  readonly name: string
  readonly createdBy: string
  readonly createdAtMs: number
}

export async function insertPublisher(tx: Transaction, publisher: NewPublisher): Promise<void> {
  const { publisherId: id, name, createdBy } = publisher
  await tx.publisher.create({ data: { id, name, createdBy, createdAt: toDate(publisher.createdAtMs) } })
}

export interface PublisherRow {
  readonly id: string
  readonly name: string
  readonly role: string
  readonly created_at: DbTime
}

/** The publishers a person belongs to, by descending id. */
export function listPublishers(
  q: Queries,
  personId: string,
  { rowsMax, after }: PageRequest,
): Promise<PublisherRow[]> {
  return sql<PublisherRow>(
    q,
    `select p.id, p.name, m.role, p.created_at
     from publisher_membership m join publisher p on p.id = m.publisher_id
     where m.person_id = $1 and ($2::text is null or p.id < $2) order by p.id desc limit $3::int`,
    personId,
    after,
    rowsMax,
  )
}

/** Makes changes of a publisher's members wait for each other, until the transaction ends. */
export async function lockPublisher(tx: Transaction, publisherId: string): Promise<void> {
  await sql(tx, 'select id from publisher where id = $1 for update', publisherId)
}

export async function countOwners(tx: Transaction, publisherId: string): Promise<number> {
  return tx.publisherMembership.count({ where: { publisherId, role: 'owner' } })
}

// ── memberships ──────────────────────────────────────────────────────────────────────────────────────────────────

const countText = {
  publisher: 'select count(*)::int as count from publisher_membership where person_id = $1',
  merchant: 'select count(*)::int as count from merchant_membership where person_id = $1',
  platform: 'select count(*)::int as count from platform_role where person_id = $1',
} as const satisfies Readonly<Record<Membership['kind'], string>>

/** A person's memberships of one kind. */
export async function countMemberships(
  tx: Transaction,
  personId: string,
  kind: Membership['kind'],
): Promise<number> {
  const [row] = await sql<{ readonly count: number }>(tx, countText[kind], personId)
  return present(row, 'a count').count
}

const insertText = {
  publisher: `insert into publisher_membership (person_id, publisher_id, role, created_at) values ($1, $2, $3, $4)
    on conflict do nothing returning person_id`,
  merchant: `insert into merchant_membership (person_id, merchant_id, role, created_at) values ($1, $2, $3, $4)
    on conflict do nothing returning person_id`,
} as const

/** False when the person has this membership already; a publisher's or merchant's member keeps the role. */
export async function insertMembership(
  tx: Transaction,
  personId: string,
  membership: Membership,
  nowMs: number,
): Promise<boolean> {
  const { kind, targetId, role } = membership
  const at = toDate(nowMs)
  const inserted =
    kind === 'platform'
      ? await sql(
          tx,
          `insert into platform_role (person_id, role, created_at) values ($1, $2, $3)
           on conflict do nothing returning person_id`,
          personId,
          role,
          at,
        )
      : await sql(tx, insertText[kind], personId, targetId, role, at)
  return inserted.length > 0
}

/** Whether the person has a role at this merchant, or this role on the platform. */
export async function isMember(
  q: Queries,
  personId: string,
  { kind, targetId, role }: HostMembership,
): Promise<boolean> {
  const count =
    kind === 'merchant'
      ? await q.merchantMembership.count({ where: { merchantId: targetId, personId } })
      : await q.platformRole.count({ where: { personId, role } })
  return count > 0
}

/** Gives a merchant's member another role, for good; nothing happens when the person is none. */
export async function updateMerchantRole(
  tx: Transaction,
  merchantId: string,
  member: { readonly personId: string; readonly role: string },
): Promise<void> {
  await tx.merchantMembership.updateMany({
    where: { merchantId, personId: member.personId },
    data: { role: member.role, fromGroups: false },
  })
}

/** A platform role that a group gave is the person's own from now on. */
export async function keepStaffRole(tx: Transaction, personId: string, role: string): Promise<void> {
  await tx.platformRole.updateMany({ where: { personId, role }, data: { fromGroups: false } })
}

export interface MemberRow {
  readonly person_id: string
  readonly display_name: string
  readonly email: string | null
  readonly role: string
  readonly created_at: DbTime
}

/** A publisher's members, by descending id of the person. */
export function listPublisherMembers(
  q: Queries,
  publisherId: string,
  { rowsMax, after }: PageRequest,
): Promise<MemberRow[]> {
  return sql<MemberRow>(
    q,
    `select p.id as person_id, p.display_name, p.email, m.role, m.created_at
     from publisher_membership m join person p on p.id = m.person_id
     where m.publisher_id = $1 and ($2::text is null or p.id < $2) order by p.id desc limit $3::int`,
    publisherId,
    after,
    rowsMax,
  )
}

/** A merchant's members, by descending id of the person. */
export function listMerchantMembers(
  q: Queries,
  merchantId: string,
  { rowsMax, after }: PageRequest,
): Promise<MemberRow[]> {
  return sql<MemberRow>(
    q,
    `select p.id as person_id, p.display_name, p.email, m.role, m.created_at
     from merchant_membership m join person p on p.id = m.person_id
     where m.merchant_id = $1 and ($2::text is null or p.id < $2) order by p.id desc limit $3::int`,
    merchantId,
    after,
    rowsMax,
  )
}

export interface StaffRow {
  readonly person_id: string
  readonly display_name: string
  readonly email: string | null
  readonly roles: readonly string[]
}

/** Across tenants: the platform's own staff, for the host. By descending id of the person. */
export function listStaff(q: Queries, { rowsMax, after }: PageRequest): Promise<StaffRow[]> {
  return sql<StaffRow>(
    q,
    `select p.id as person_id, p.display_name, p.email, array_agg(r.role order by r.role) as roles
     from platform_role r join person p on p.id = r.person_id
     where $1::text is null or p.id < $1 group by p.id order by p.id desc limit $2::int`,
    after,
    rowsMax,
  )
}

/** The role of a publisher's member, or null. */
export async function findPublisherRole(
  q: Queries,
  publisherId: string,
  personId: string,
): Promise<string | null> {
  const row = await q.publisherMembership.findUnique({
    where: { publisherId_personId: { publisherId, personId } },
    select: { role: true },
  })
  return row?.role ?? null
}

export async function deletePublisherMember(
  tx: Transaction,
  publisherId: string,
  personId: string,
): Promise<void> {
  await tx.publisherMembership.deleteMany({ where: { publisherId, personId } })
}

/** False when the person is no member. */
export async function deleteMerchantMember(
  tx: Transaction,
  merchantId: string,
  personId: string,
): Promise<boolean> {
  const { count } = await tx.merchantMembership.deleteMany({ where: { merchantId, personId } })
  return count > 0
}

/** False when the person does not have the role. */
export async function deleteStaffRole(tx: Transaction, personId: string, role: string): Promise<boolean> {
  const { count } = await tx.platformRole.deleteMany({ where: { personId, role } })
  return count > 0
}
