import { sql } from '../../db/index.ts'
import { type DbTime, type Queries, type Transaction, toDate } from '../../kernel/index.ts'

/** The account name a person's password belongs to; null: the person has none. */
export async function findPasswordAccount(q: Queries, personId: string): Promise<string | null> {
  const [row] = await sql<{ readonly identifier: string }>(
    q,
    `select identifier from sign_in where person_id = $1 and kind = 'password'`,
    personId,
  )
  return row?.identifier ?? null
}

/** When a live session began; null: there is no such. */
export async function findSessionStart(
  q: Queries,
  personId: string,
  sessionId: string,
): Promise<number | null> {
  const [row] = await sql<{ readonly created_at: DbTime }>(
    q,
    'select created_at from session where person_id = $1 and id = $2 and revoked_at is null',
    personId,
    sessionId,
  )
  return row?.created_at.getTime() ?? null
}

export interface PasswordOwner {
  readonly email: string | null
  readonly display_name: string
}

export async function findPasswordOwner(q: Queries, personId: string): Promise<PasswordOwner | null> {
  const [row] = await sql<PasswordOwner>(q, 'select email, display_name from person where id = $1', personId)
  return row ?? null
}

/** Replaces a person's password, or gives the first one. */
export async function savePassword(
  tx: Transaction,
  personId: string,
  password: { readonly email: string; readonly hash: string; readonly nowMs: number },
): Promise<void> {
  await sql(
    tx,
    `insert into sign_in (id, person_id, kind, identifier, secret, created_at) values ($1, $1, 'password', $2, $3, $4)
     on conflict (id) do update set secret = excluded.secret`,
    personId,
    password.email,
    password.hash,
    toDate(password.nowMs),
  )
}
