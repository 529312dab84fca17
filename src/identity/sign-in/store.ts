import type { PageRequest } from '../../capability/index.ts'
import { sql } from '../../db/index.ts'
import { type DbTime, present, type Queries, type Transaction, toDate } from '../../kernel/index.ts'
import type { CallerRow } from '../person/person.ts'
import { callerColumns } from '../person/store.ts'
import { type Attempts, signInWindow, type Window } from './throttle.ts'

// ── attempts ─────────────────────────────────────────────────────────────────────────────────────────────────────

interface AttemptsRow {
  readonly failures: number
  readonly ends_at: DbTime
}

function toAttempts(row: AttemptsRow): Attempts {
  return { failures: row.failures, endsAtMs: row.ends_at.getTime() }
}

/** Across tenants: nobody is known yet; the key holds account and address. */
export async function findAttempts(q: Queries, key: string): Promise<Attempts | null> {
  const [row] = await sql<AttemptsRow>(
    q,
    'select failures, ends_at from sign_in_throttle where key = $1',
    key,
  )
  return row === undefined ? null : toAttempts(row)
}

/**
 * Adds one attempt to its window, or starts a window when the last one is over. A statement of its own, not a part of
 * the operation's transaction: a refused attempt rolls that back and must count all the same. Removes a few windows
 * that are over, so the table holds about one window's keys.
 * Across tenants: nobody is known yet; the key holds account and address.
 */
export async function countAttempt(
  q: Queries,
  key: string,
  nowMs: number,
  { failuresMax, windowMs }: Window = signInWindow,
): Promise<Attempts> {
  const [row] = await sql<AttemptsRow>(
    q,
    `with over as (
       select key from sign_in_throttle where ends_at <= $2 and key <> $1 limit 10 for update skip locked
     ), swept as (
       delete from sign_in_throttle t using over where t.key = over.key
     )
     insert into sign_in_throttle as t (key, failures, ends_at) values ($1, 1, $3)
     on conflict (key) do update set
       failures = case when t.ends_at <= $2 then 1 else least(t.failures + 1, $4::int + 1) end,
       ends_at = case when t.ends_at <= $2 then $3 else t.ends_at end
     returning t.failures, t.ends_at`,
    key,
    toDate(nowMs),
    toDate(nowMs + windowMs),
    failuresMax,
  )
  return toAttempts(present(row, 'the attempts just counted'))
}

/** Across tenants: as `countAttempt`. */
export async function forgetAttempts(q: Queries, key: string): Promise<void> {
  await sql(q, 'delete from sign_in_throttle where key = $1', key)
}

/** The attempt was none that failed. Across tenants: as `countAttempt`. */
export async function takeBackAttempt(q: Queries, key: string): Promise<void> {
  await sql(q, 'update sign_in_throttle set failures = failures - 1 where key = $1 and failures > 0', key)
}

// ── passwords ────────────────────────────────────────────────────────────────────────────────────────────────────

export interface PasswordRow {
  readonly person_id: string
  readonly secret: string
  readonly has_totp: boolean
}

/** Across tenants: the account names the person. Nobody who is disabled is found. */
export async function findPassword(q: Queries, account: string): Promise<PasswordRow | null> {
  const [row] = await sql<PasswordRow>(
    q,
    `select s.person_id, s.secret,
       exists (select 1 from sign_in t where t.person_id = s.person_id and t.kind = 'totp') as has_totp
     from sign_in s join person p on p.id = s.person_id
     where s.kind = 'password' and s.identifier = $1 and s.secret is not null and p.disabled_at is null`,
    account,
  )
  return row ?? null
}

/** The hash of a person's password; null: the person has none. */
export async function findPasswordHash(q: Queries, personId: string): Promise<string | null> {
  const [row] = await sql<{ readonly secret: string | null }>(
    q,
    `select secret from sign_in where person_id = $1 and kind = 'password'`,
    personId,
  )
  return row?.secret ?? null
}

/**
 * After a right password: forgets the attempts at this account from this address. Of the network's and the account's
 * only the one just counted is taken back: whoever guesses goes on where the person has signed in.
 */
export async function recordSignIn(
  q: Queries,
  personId: string,
  {
    here,
    network,
    anywhere,
    nowMs,
  }: { readonly here: string; readonly network: string; readonly anywhere: string; readonly nowMs: number },
): Promise<void> {
  await sql(
    q,
    `with forgotten as (
       delete from sign_in_throttle where key = $2
     ), ended as (
       delete from sign_in_throttle where key = any($4::text[]) and failures <= 1
     ), taken_back as (
       update sign_in_throttle set failures = failures - 1 where key = any($4::text[]) and failures > 1
     )
     update sign_in set last_used_at = $3 where person_id = $1 and kind = 'password'`,
    personId,
    here,
    toDate(nowMs),
    [network, anywhere],
  )
}

// ── sessions ─────────────────────────────────────────────────────────────────────────────────────────────────────

export interface SessionCallerRow extends CallerRow {
  readonly session_id: string
  readonly seen_at: DbTime
}

/** Across tenants: the cookie names the person. */
export async function findSessionRow(
  q: Queries,
  hash: string,
  nowMs: number,
): Promise<SessionCallerRow | null> {
  const [row] = await sql<SessionCallerRow>(
    q,
    `select s.id as session_id, s.seen_at, ${callerColumns}
     from session s join person p on p.id = s.person_id
     where s.hash = $1 and s.revoked_at is null and s.expires_at > $2 and p.disabled_at is null`,
    hash,
    toDate(nowMs),
  )
  return row ?? null
}

/** Notes that a session was used. */
export async function touchSession(
  q: Queries,
  personId: string,
  sessionId: string,
  nowMs: number,
): Promise<void> {
  await sql(
    q,
    'update session set seen_at = $3 where person_id = $1 and id = $2 and seen_at < $3',
    personId,
    sessionId,
    toDate(nowMs),
  )
}

/** Removes a person's sessions that have ended, and of the live ones all but the `keep` seen last. */
export async function pruneSessions(
  tx: Transaction,
  personId: string,
  { keep, nowMs }: { readonly keep: number; readonly nowMs: number },
): Promise<void> {
  await sql(
    tx,
    `delete from session where person_id = $1 and hash not in (
       select hash from session where person_id = $1 and revoked_at is null and expires_at > $2
       order by seen_at desc limit $3::int)`,
    personId,
    toDate(nowMs),
    keep,
  )
}

export interface NewSessionRow {
  readonly personId: string
  readonly sessionId: string
  readonly hash: string
  readonly userAgent: string
  readonly startedAtMs: number
  readonly expiresAtMs: number
}

export async function insertSession(tx: Transaction, session: NewSessionRow): Promise<void> {
  const startedAt = toDate(session.startedAtMs)
  await sql(
    tx,
    `insert into session (hash, id, person_id, user_agent, created_at, seen_at, expires_at)
     values ($1, $2, $3, $4, $5, $5, $6)`,
    session.hash,
    session.sessionId,
    session.personId,
    session.userAgent,
    startedAt,
    toDate(session.expiresAtMs),
  )
}

/** Gives whose it was; null: it lives no more. Across tenants: the cookie names the person. */
export async function endSessionByHash(q: Queries, hash: string, nowMs: number): Promise<string | null> {
  const [row] = await sql<{ person_id: string }>(
    q,
    `update session set revoked_at = $2
     where hash = $1 and revoked_at is null and expires_at > $2 returning person_id`,
    hash,
    toDate(nowMs),
  )
  return row?.person_id ?? null
}

/** False when the person has no such live session. */
export async function endSessionById(
  tx: Transaction,
  personId: string,
  sessionId: string,
  nowMs: number,
): Promise<boolean> {
  const ended = await sql(
    tx,
    `update session set revoked_at = $3
     where person_id = $1 and id = $2 and revoked_at is null and expires_at > $3 returning id`,
    personId,
    sessionId,
    toDate(nowMs),
  )
  return ended.length > 0
}

/** Ends a person's sessions but one; gives the number of those that ended. */
export async function endOtherSessions(
  tx: Transaction,
  personId: string,
  { sessionId, nowMs }: { readonly sessionId: string | null; readonly nowMs: number },
): Promise<number> {
  const ended = await sql(
    tx,
    `update session set revoked_at = $3
     where person_id = $1 and id is distinct from $2::text and revoked_at is null and expires_at > $3 returning id`,
    personId,
    sessionId,
    toDate(nowMs),
  )
  return ended.length
}

export interface SessionRow {
  readonly id: string
  readonly user_agent: string
  readonly created_at: DbTime
  readonly seen_at: DbTime
  readonly expires_at: DbTime
}

/** A person's live sessions, by descending id. */
export function listSessions(
  q: Queries,
  personId: string,
  { rowsMax, after }: PageRequest,
  nowMs: number,
): Promise<SessionRow[]> {
  return sql<SessionRow>(
    q,
    `select id, user_agent, created_at, seen_at, expires_at from session
     where person_id = $1 and revoked_at is null and expires_at > $2 and ($3::text is null or id < $3)
     order by id desc limit $4::int`,
    personId,
    toDate(nowMs),
    after,
    rowsMax,
  )
}

// ── personal tokens ──────────────────────────────────────────────────────────────────────────────────────────────

export interface TokenCallerRow extends CallerRow {
  readonly token_id: string
  readonly audiences: readonly string[]
  readonly last_used_at: DbTime | null
}

/** Across tenants: the token names the person. */
export async function findTokenRow(q: Queries, hash: string, nowMs: number): Promise<TokenCallerRow | null> {
  const [row] = await sql<TokenCallerRow>(
    q,
    `select t.id as token_id, t.scopes as audiences, t.last_used_at, ${callerColumns}
     from personal_token t join person p on p.id = t.person_id
     where t.hash = $1 and t.revoked_at is null and t.expires_at > $2 and p.disabled_at is null`,
    hash,
    toDate(nowMs),
  )
  return row ?? null
}

/** Notes that a token was used. */
export async function touchToken(
  q: Queries,
  personId: string,
  tokenId: string,
  nowMs: number,
): Promise<void> {
  await sql(
    q,
    `update personal_token set last_used_at = $3
     where person_id = $1 and id = $2 and (last_used_at is null or last_used_at < $3)`,
    personId,
    tokenId,
    toDate(nowMs),
  )
}

/** Removes a person's tokens that have ended; gives the number of live ones. */
export async function pruneTokens(tx: Transaction, personId: string, nowMs: number): Promise<number> {
  const nowDate = toDate(nowMs)
  await tx.personalToken.deleteMany({
    where: { personId, OR: [{ expiresAt: { lte: nowDate } }, { revokedAt: { not: null } }] },
  })
  return tx.personalToken.count({ where: { personId } })
}

export interface NewTokenRow {
  readonly id: string
  readonly hash: string
  readonly name: string
  readonly audiences: readonly string[]
  readonly createdAtMs: number
  readonly expiresAtMs: number
}

export async function insertToken(tx: Transaction, personId: string, token: NewTokenRow): Promise<void> {
  const { id, hash, name, audiences } = token
  await tx.personalToken.create({
    data: {
      id,
      personId,
      hash,
      name,
      scopes: [...audiences],
      createdAt: toDate(token.createdAtMs),
      expiresAt: toDate(token.expiresAtMs),
    },
  })
}

/** False when the person has no such live token. */
export async function revokeToken(
  tx: Transaction,
  personId: string,
  tokenId: string,
  nowMs: number,
): Promise<boolean> {
  const revoked = await sql(
    tx,
    `update personal_token set revoked_at = $3
     where person_id = $1 and id = $2 and revoked_at is null and expires_at > $3 returning id`,
    personId,
    tokenId,
    toDate(nowMs),
  )
  return revoked.length > 0
}

export interface TokenRow {
  readonly id: string
  readonly name: string
  readonly audiences: readonly string[]
  readonly created_at: DbTime
  readonly expires_at: DbTime
  readonly last_used_at: DbTime | null
}

/** A person's live tokens, by descending id. */
export function listTokens(
  q: Queries,
  personId: string,
  { rowsMax, after }: PageRequest,
  nowMs: number,
): Promise<TokenRow[]> {
  return sql<TokenRow>(
    q,
    `select id, name, scopes as audiences, created_at, expires_at, last_used_at from personal_token
     where person_id = $1 and revoked_at is null and expires_at > $2 and ($3::text is null or id < $3)
     order by id desc limit $4::int`,
    personId,
    toDate(nowMs),
    after,
    rowsMax,
  )
}
