import { sql } from '../../db/index.ts'
import { type Queries, type Transaction, toDate } from '../../kernel/index.ts'
import type { CallerRow } from './person.ts'

/** Columns of `CallerRow`, from a person named p: memberships and roles come in the same statement. */
export const callerColumns = `p.id as person_id, p.display_name, p.locale,
  (select coalesce(jsonb_object_agg(m.publisher_id, m.role), '{}') from publisher_membership m
    where m.person_id = p.id) as publishers,
  (select coalesce(jsonb_object_agg(m.merchant_id, m.role), '{}') from merchant_membership m
    where m.person_id = p.id) as merchants,
  (select coalesce(array_agg(r.role), '{}') from platform_role r where r.person_id = p.id) as platform_roles`

/** The person as a caller, unless disabled. */
export async function findCaller(q: Queries, personId: string): Promise<CallerRow | null> {
  const [row] = await sql<CallerRow>(
    q,
    `select ${callerColumns} from person p where p.id = $1 and p.disabled_at is null`,
    personId,
  )
  return row ?? null
}

export interface ProfileRow {
  readonly id: string
  readonly display_name: string
  readonly email: string | null
  readonly locale: string
  readonly publishers: readonly { readonly id: string; readonly name: string; readonly role: string }[]
  readonly merchants: readonly {
    readonly id: string
    readonly name: string
    readonly kind: string
    readonly role: string
  }[]
  readonly platform_roles: readonly string[]
}

/** What a person sees of themselves. */
export async function findProfile(q: Queries, personId: string): Promise<ProfileRow | null> {
  const [row] = await sql<ProfileRow>(
    q,
    `select p.id, p.display_name, p.email, p.locale,
       (select coalesce(jsonb_agg(jsonb_build_object('id', o.id, 'name', o.name, 'role', m.role) order by o.id), '[]')
         from publisher_membership m join publisher o on o.id = m.publisher_id where m.person_id = p.id) as publishers,
       (select coalesce(jsonb_agg(jsonb_build_object('id', o.id, 'name', o.name, 'kind', o.kind, 'role', m.role)
           order by o.id), '[]')
         from merchant_membership m join merchant o on o.id = m.merchant_id where m.person_id = p.id) as merchants,
       (select coalesce(array_agg(r.role order by r.role), '{}') from platform_role r
         where r.person_id = p.id) as platform_roles
     from person p where p.id = $1`,
    personId,
  )
  return row ?? null
}

/** Across tenants: an address is unique on the whole platform. */
export async function isEmailTaken(q: Queries, email: string): Promise<boolean> {
  const rows = await sql(q, 'select 1 as taken from person where email = $1', email)
  return rows.length > 0
}

export interface VouchedPerson {
  readonly id: string
  readonly display_name: string
}

/**
 * The person whose address the host has vouched for: they hold it and accepted an invitation which the host had
 * addressed to it. Having typed an address at registration proves nothing.
 * Across tenants: an address is unique on the whole platform.
 */
export async function findVouchedPerson(q: Queries, email: string): Promise<VouchedPerson | null> {
  const [row] = await sql<VouchedPerson>(
    q,
    `select p.id, p.display_name from person p
     where p.email = $1 and p.disabled_at is null and exists (
       select 1 from invitation i
       where i.accepted_by = p.id and i.email = p.email and i.kind in ('merchant', 'platform'))`,
    email,
  )
  return row ?? null
}

export interface NewPerson {
  readonly personId: string
  readonly email: string
  readonly displayName: string
  readonly locale: string
  readonly passwordHash: string
  readonly createdAtMs: number
}

/** Inserts a person who signs in by password; false when the address is taken. */
export async function insertPerson(tx: Transaction, person: NewPerson): Promise<boolean> {
  const inserted = await sql(
    tx,
    `insert into person (id, display_name, email, locale, created_at) values ($1, $2, $3, $4, $5)
     on conflict (email) do nothing returning id`,
    person.personId,
    person.displayName,
    person.email,
    person.locale,
    toDate(person.createdAtMs),
  )
  if (inserted.length === 0) return false
  await tx.signIn.create({
    data: {
      // A person has one password, so its row needs no id of its own.
      id: person.personId,
      personId: person.personId,
      kind: 'password',
      identifier: person.email,
      secret: person.passwordHash,
      createdAt: toDate(person.createdAtMs),
    },
  })
  return true
}

/** Changes what is given; leaves the rest. */
export async function updatePerson(
  tx: Transaction,
  personId: string,
  changes: { readonly displayName?: string | undefined; readonly locale?: string | undefined },
): Promise<void> {
  await sql(
    tx,
    `update person set display_name = coalesce($2::text, display_name), locale = coalesce($3::text, locale)
     where id = $1`,
    personId,
    changes.displayName ?? null,
    changes.locale ?? null,
  )
}
