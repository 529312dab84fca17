import type { AdapterPayload } from 'oidc-provider'
import { execute, sql } from '../../db/index.ts'
import { type DbTime, limits, type Queries, type Transaction, toDate } from '../../kernel/index.ts'

// ── the device code ──────────────────────────────────────────────────────────────────────────────────────────────

export interface NewDeviceCode {
  readonly hash: string
  readonly userCodeHash: string
  readonly appId: string
  readonly payload: AdapterPayload
  readonly nowMs: number
  readonly expiresAtMs: number
}

export async function insertDeviceCode(q: Queries, code: NewDeviceCode): Promise<void> {
  await execute(
    q,
    `insert into oauth_token (hash, kind, app_id, user_code_hash, scopes, payload, created_at, expires_at,
       poll_interval_ms)
     values ($1, 'DeviceCode', $2, $3, '{}', $4::jsonb, $5, $6, $7::int)`,
    code.hash,
    code.appId,
    code.userCodeHash,
    JSON.stringify(code.payload),
    toDate(code.nowMs),
    toDate(code.expiresAtMs),
    limits.devicePollIntervalMs,
  )
}

export interface Poll {
  /** When the client asked the time before; null: never. */
  readonly polled_at: DbTime | null
  /** How long it had to wait since. */
  readonly poll_interval_ms: number
  readonly expires_at: DbTime
}

/**
 * Notes that the client asks. One that is early must wait longer from now on: RFC 8628 §3.5 "the interval MUST be
 * increased by 5 seconds for this and all subsequent requests". Gives what was noted before; null: no such code of this
 * app. The row's lock puts two at once one after the other.
 */
export async function notePoll(q: Queries, appId: string, hash: string, nowMs: number): Promise<Poll | null> {
  const [row] = await sql<Poll>(
    q,
    `with before as (
       select hash, polled_at, poll_interval_ms from oauth_token
       where app_id = $1 and hash = $2 and kind = 'DeviceCode' for update)
     update oauth_token t set polled_at = $3,
       poll_interval_ms = case when before.polled_at > $4::timestamptz - before.poll_interval_ms * interval '1 ms'
         then least(before.poll_interval_ms + $5::int, $6::int) else before.poll_interval_ms end
     from before where t.hash = before.hash
     returning before.polled_at, before.poll_interval_ms, t.expires_at`,
    appId,
    hash,
    toDate(nowMs),
    toDate(nowMs + limits.devicePollSlackMs),
    limits.devicePollIntervalMs,
    limits.devicePollIntervalMsMax,
  )
  return row ?? null
}

export interface DeviceRow {
  readonly app_id: string
  /** Null: no app of a developer but a program of the platform itself. */
  readonly app_name: string | null
  readonly publisher_name: string | null
  readonly payload: AdapterPayload
  readonly created_at: DbTime
  readonly expires_at: DbTime
}

/**
 * The request behind a user code that waits for a decision. Across tenants: whoever has read the code from the device is
 * whom it was shown to.
 */
export async function findWaitingDevice(
  q: Queries,
  userCodeHash: string,
  nowMs: number,
): Promise<DeviceRow | null> {
  const [row] = await sql<DeviceRow>(
    q,
    `select t.app_id, a.name as app_name, p.name as publisher_name, t.payload, t.created_at, t.expires_at
     from oauth_token t left join app a on a.id = t.app_id left join publisher p on p.id = a.publisher_id
     where t.user_code_hash = $1 and t.kind = 'DeviceCode' and t.expires_at > $2 and ${waiting}`,
    userCodeHash,
    toDate(nowMs),
  )
  return row ?? null
}

/** SQL: nobody has decided about `t`. */
const waiting = `t.revoked_at is null and t.consumed_at is null and not t.payload ?| array['accountId', 'error']`

export interface DeviceDecision {
  readonly userCodeHash: string
  /** What the library reads of it: whose it is, with which grant and scope, or why not. */
  readonly payload: Readonly<Record<string, unknown>>
  readonly grantId: string | null
  readonly installationId: string | null
  readonly merchantId: string | null
  readonly personId: string
  readonly nowMs: number
}

/**
 * Decides about a request, once: of two decisions at once the second finds nothing that waits. Across tenants: as
 * `findWaitingDevice`.
 */
export async function decideDevice(tx: Transaction, decision: DeviceDecision): Promise<boolean> {
  const affected = await execute(
    tx,
    `update oauth_token t set payload = t.payload || $3::jsonb, grant_id = $4, installation_id = $5, merchant_id = $6,
       person_id = $7
     where t.user_code_hash = $1 and t.kind = 'DeviceCode' and t.expires_at > $2 and ${waiting}`,
    decision.userCodeHash,
    toDate(decision.nowMs),
    JSON.stringify(decision.payload),
    decision.grantId,
    decision.installationId,
    decision.merchantId,
    decision.personId,
  )
  return affected === 1
}

export interface DecidedRow {
  readonly payload: AdapterPayload
  readonly person_id: string | null
  readonly consumed_at: DbTime | null
  readonly revoked_at: DbTime | null
}

/** A device code of this app, whatever its state. */
export async function findDeviceCode(q: Queries, appId: string, hash: string): Promise<DecidedRow | null> {
  const [row] = await sql<DecidedRow>(
    q,
    `select payload, person_id, consumed_at, revoked_at from oauth_token
     where app_id = $1 and hash = $2 and kind = 'DeviceCode'`,
    appId,
    hash,
  )
  return row ?? null
}

/** Uses a device code up; false: somebody was first. */
export async function consumeDeviceCode(
  tx: Transaction,
  appId: string,
  hash: string,
  nowMs: number,
): Promise<boolean> {
  const affected = await execute(
    tx,
    `update oauth_token set consumed_at = $3
     where app_id = $1 and hash = $2 and kind = 'DeviceCode' and consumed_at is null and revoked_at is null`,
    appId,
    hash,
    toDate(nowMs),
  )
  return affected === 1
}

// ── wrong codes ──────────────────────────────────────────────────────────────────────────────────────────────────

/** Wrong codes within the present window. Across tenants: the key holds a person or a network. */
export async function countWrongCodes(
  q: Queries,
  keys: readonly string[],
  nowMs: number,
): Promise<ReadonlyMap<string, number>> {
  const rows = await sql<{ key: string; failures: number }>(
    q,
    'select key, failures from user_code_attempt where key = any($1::text[]) and window_started_at > $2',
    [...keys],
    toDate(nowMs - limits.userCodeWindowMs),
  )
  return new Map(rows.map(({ key, failures }) => [key, failures]))
}

/**
 * Adds a wrong code to each window, or starts one. A statement of its own, not a part of any operation's transaction: a
 * refusal rolls that back and must count all the same. Removes a few windows that are over, so that the table holds
 * about one window's keys. Across tenants: the key holds a person or a network.
 */
export async function noteWrongCode(q: Queries, keys: readonly string[], nowMs: number): Promise<void> {
  await execute(
    q,
    `with over as (
       select key from user_code_attempt where window_started_at <= $3 and key <> all($1::text[])
       limit 10 for update skip locked
     ), swept as (
       delete from user_code_attempt a using over where a.key = over.key
     )
     insert into user_code_attempt as a (key, failures, window_started_at)
     select key, 1, $2::timestamptz from unnest($1::text[]) as key order by key
     on conflict (key) do update set
       failures = case when a.window_started_at <= $3 then 1 else least(a.failures + 1, 1000000) end,
       window_started_at = case when a.window_started_at <= $3 then $2::timestamptz else a.window_started_at end`,
    [...keys],
    toDate(nowMs),
    toDate(nowMs - limits.userCodeWindowMs),
  )
}
