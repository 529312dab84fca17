import { sql } from '../../db/index.ts'
import { type DbTime, type Queries, type Transaction, toDate } from '../../kernel/index.ts'

// OpenID Connect Core §2: a subject is "never reassigned within the Issuer"; neither has a space in it.
function identifierOf({ issuer, subject }: ProviderSubject): string {
  return `${issuer} ${subject}`
}

export interface ProviderSubject {
  readonly issuer: string
  readonly subject: string
}

export interface ProviderPersonRow {
  readonly person_id: string
  readonly disabled: boolean
}

/** Across tenants: the provider's subject names the person. */
export async function findProviderPerson(
  q: Queries,
  subject: ProviderSubject,
): Promise<ProviderPersonRow | null> {
  const [row] = await sql<ProviderPersonRow>(
    q,
    `select s.person_id, p.disabled_at is not null as disabled from sign_in s join person p on p.id = s.person_id
     where s.kind = 'oidc' and s.identifier = $1`,
    identifierOf(subject),
  )
  return row ?? null
}

/** False when the subject leads to somebody already. */
export async function insertProviderSignIn(
  tx: Transaction,
  personId: string,
  signIn: ProviderSubject & { readonly id: string; readonly nowMs: number },
): Promise<boolean> {
  const inserted = await sql(
    tx,
    `insert into sign_in (id, person_id, kind, identifier, created_at) values ($2, $1, 'oidc', $3, $4)
     on conflict (kind, identifier) do nothing returning id`,
    personId,
    signIn.id,
    identifierOf(signIn),
    toDate(signIn.nowMs),
  )
  return inserted.length > 0
}

export async function touchProviderSignIn(
  tx: Transaction,
  personId: string,
  { nowMs, ...subject }: ProviderSubject & { readonly nowMs: number },
): Promise<void> {
  await sql(
    tx,
    `update sign_in set last_used_at = $3 where person_id = $1 and kind = 'oidc' and identifier = $2`,
    personId,
    identifierOf(subject),
    toDate(nowMs),
  )
}

export interface ProviderSignInRow {
  readonly id: string
  readonly issuer: string
  readonly created_at: DbTime
  readonly last_used_at: DbTime | null
}

/** A person's accounts at identity providers, the newest first. */
export function listProviderSignIns(q: Queries, personId: string): Promise<ProviderSignInRow[]> {
  return sql<ProviderSignInRow>(
    q,
    `select id, split_part(identifier, ' ', 1) as issuer, created_at, last_used_at from sign_in
     where person_id = $1 and kind = 'oidc' order by created_at desc, id desc`,
    personId,
  )
}

/** False when the person has no such account. */
export async function deleteProviderSignIn(tx: Transaction, personId: string, id: string): Promise<boolean> {
  const { count } = await tx.signIn.deleteMany({ where: { id, personId, kind: 'oidc' } })
  return count > 0
}

/** A person without a password; null when the address is taken. */
export async function insertProviderPerson(
  tx: Transaction,
  person: {
    readonly personId: string
    readonly email: string | null
    readonly displayName: string
    readonly locale: string
    readonly nowMs: number
  },
): Promise<boolean> {
  const inserted = await sql(
    tx,
    `insert into person (id, display_name, email, locale, created_at) values ($1, $2, $3, $4, $5)
     on conflict (email) do nothing returning id`,
    person.personId,
    person.displayName,
    person.email,
    person.locale,
    toDate(person.nowMs),
  )
  return inserted.length > 0
}

export async function hasSecondFactor(q: Queries, personId: string): Promise<boolean> {
  return (await q.signIn.count({ where: { personId, kind: 'totp' } })) > 0
}

/** Leaves a person with exactly these platform roles from groups; roles that came otherwise stay as they are. */
export async function setGroupStaffRoles(
  tx: Transaction,
  personId: string,
  { roles, nowMs }: { readonly roles: readonly string[]; readonly nowMs: number },
): Promise<void> {
  await sql(
    tx,
    `with gone as (
       delete from platform_role where person_id = $1 and from_groups and role <> all($2::text[])
     )
     insert into platform_role (person_id, role, from_groups, created_at)
     select $1, role, true, $3 from unnest($2::text[]) as role on conflict do nothing`,
    personId,
    roles,
    toDate(nowMs),
  )
}

/**
 * Leaves a person with exactly these memberships of merchants from groups; those that came otherwise stay as they are.
 * A merchant is named by the host's own id or ours; one that is not there gives nothing.
 */
export async function setGroupMemberships(
  tx: Transaction,
  personId: string,
  {
    merchants,
    membershipsMax,
    nowMs,
  }: {
    readonly merchants: ReadonlyMap<string, string>
    readonly membershipsMax: number
    readonly nowMs: number
  },
): Promise<void> {
  await sql(
    tx,
    `with given as (
       select distinct on (m.id) m.id as merchant_id, g.role
       from unnest($2::text[], $3::text[]) with ordinality as g (name, role, n)
       join merchant m on m.external_id = g.name or m.id = g.name order by m.id, g.n
     ), gone as (
       delete from merchant_membership where person_id = $1 and from_groups
         and merchant_id not in (select merchant_id from given)
     )
     insert into merchant_membership as t (merchant_id, person_id, role, from_groups, created_at)
     select merchant_id, $1, role, true, $4 from given order by merchant_id limit $5::int
     on conflict (merchant_id, person_id) do update set role = excluded.role where t.from_groups`,
    personId,
    [...merchants.keys()],
    [...merchants.values()],
    toDate(nowMs),
    membershipsMax,
  )
}
