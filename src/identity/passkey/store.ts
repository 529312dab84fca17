import { sql } from '../../db/index.ts'
import { type DbTime, type Queries, type Transaction, toDate } from '../../kernel/index.ts'

export interface PasskeyRow {
  readonly id: string
  /** Credential id, base64url. */
  readonly identifier: string
  readonly name: string
  readonly created_at: DbTime
  readonly last_used_at: DbTime | null
}

/** A person's passkeys, the newest first. */
export function listPasskeys(q: Queries, personId: string): Promise<PasskeyRow[]> {
  return sql<PasskeyRow>(
    q,
    `select id, identifier, coalesce(name, '') as name, created_at, last_used_at from sign_in
     where person_id = $1 and kind = 'passkey' order by created_at desc, id desc`,
    personId,
  )
}

export interface NewPasskey {
  readonly id: string
  readonly credentialId: string
  /** COSE key, base64url. */
  readonly publicKey: string
  readonly counter: number
  readonly name: string
  readonly nowMs: number
}

/** False when somebody has this credential already. */
export async function insertPasskey(
  tx: Transaction,
  personId: string,
  passkey: NewPasskey,
): Promise<boolean> {
  const inserted = await sql(
    tx,
    `insert into sign_in (id, person_id, kind, identifier, secret, name, counter, created_at)
     values ($2, $1, 'passkey', $3, $4, $5, $6::bigint, $7) on conflict (kind, identifier) do nothing returning id`,
    personId,
    passkey.id,
    passkey.credentialId,
    passkey.publicKey,
    passkey.name,
    passkey.counter,
    toDate(passkey.nowMs),
  )
  return inserted.length > 0
}

export interface CredentialRow {
  readonly person_id: string
  readonly public_key: string
  readonly counter: bigint
}

/** Across tenants: the credential names the person. Nobody who is disabled is found. */
export async function findCredential(q: Queries, credentialId: string): Promise<CredentialRow | null> {
  const [row] = await sql<CredentialRow>(
    q,
    `select s.person_id, s.secret as public_key, s.counter from sign_in s join person p on p.id = s.person_id
     where s.kind = 'passkey' and s.identifier = $1 and p.disabled_at is null`,
    credentialId,
  )
  return row ?? null
}

/**
 * Notes a use. False when the signature counter has not grown since the last one; some authenticators count nothing and
 * always say 0.
 */
export async function recordPasskeyUse(
  tx: Transaction,
  personId: string,
  use: { readonly credentialId: string; readonly counter: number; readonly nowMs: number },
): Promise<boolean> {
  const used = await sql(
    tx,
    `update sign_in set counter = $3::bigint, last_used_at = $4
     where person_id = $1 and kind = 'passkey' and identifier = $2
       and (counter < $3::bigint or (counter = 0 and $3::bigint = 0)) returning id`,
    personId,
    use.credentialId,
    use.counter,
    toDate(use.nowMs),
  )
  return used.length > 0
}

/** False when the person has no such passkey. */
export async function deletePasskey(tx: Transaction, personId: string, passkeyId: string): Promise<boolean> {
  const { count } = await tx.signIn.deleteMany({ where: { id: passkeyId, personId, kind: 'passkey' } })
  return count > 0
}

/** Makes changes of a person's ways in wait for each other, until the transaction ends. */
export async function lockPerson(tx: Transaction, personId: string): Promise<void> {
  await sql(tx, 'select id from person where id = $1 for update', personId)
}

/** How many ways in a person has; a second factor is none. */
export async function countWaysIn(tx: Transaction, personId: string): Promise<number> {
  return tx.signIn.count({ where: { personId, kind: { not: 'totp' } } })
}
