import type { AdapterPayload } from 'oidc-provider'
import type { AuthorizationDetail } from '../../capability/index.ts'
import { execute, sql } from '../../db/index.ts'
import { type DbTime, type Queries, type Transaction, toDate, toIso } from '../../kernel/index.ts'
import { appRuleInForce } from '../../rules/index.ts'
import { type GrantRow, liveGrant, personIsLive } from '../grant/store.ts'

export interface TokenRow {
  readonly hash: string
  readonly kind: string
  readonly app_id: string
  readonly grant_id: string | null
  readonly family_id: string | null
  readonly payload: AdapterPayload
  readonly consumed_at: DbTime | null
  readonly revoked_at: DbTime | null
  readonly replay_box: string | null
}

export interface NewToken {
  readonly hash: string
  readonly kind: string
  readonly appId: string
  readonly grantId: string | null
  readonly installationId: string | null
  readonly merchantId: string | null
  readonly personId: string | null
  readonly scopes: readonly string[]
  readonly payload: AdapterPayload
  readonly expiresAtMs: number
}

/**
 * A live token or code by the hash of its value. Across tenants: whoever holds the value is whom it was given to;
 * which app may use it is the library's next question.
 */
export async function findToken(q: Queries, hash: string, nowMs: number): Promise<TokenRow | null> {
  const [row] = await sql<TokenRow>(
    q,
    `select hash, kind, app_id, grant_id, family_id, payload, consumed_at, revoked_at, replay_box
     from oauth_token where hash = $1 and revoked_at is null and expires_at > $2`,
    hash,
    toDate(nowMs),
  )
  return row ?? null
}

export interface Rotation {
  readonly token: TokenRow
  /** Whether its successor exists and has not been used or revoked. */
  readonly successorUnused: boolean
  readonly grant: GrantRow | null
}

/**
 * A refresh token with its grant and the state of its successor. Across tenants: found by value, as in `findToken`.
 */
export async function findRotation(q: Queries, hash: string, nowMs: number): Promise<Rotation | null> {
  const [row] = await sql<TokenRow & { successor_unused: boolean; grant: GrantRow | null }>(
    q,
    `select t.hash, t.kind, t.app_id, t.grant_id, t.family_id, t.payload, t.consumed_at, t.revoked_at, t.replay_box,
       (s.hash is not null and s.consumed_at is null and s.revoked_at is null) as successor_unused,
       (select to_jsonb(l) from (${liveGrant}) l where l.id = t.grant_id) as grant
     from oauth_token t left join oauth_token s on s.hash = t.successor
     where t.hash = $1 and t.kind = 'RefreshToken' and t.expires_at > $2`,
    hash,
    toDate(nowMs),
  )
  if (row === undefined) return null
  const { successor_unused, grant, ...token } = row
  return { token, successorUnused: successor_unused, grant }
}

export interface TokenWrite {
  readonly issued: readonly NewToken[]
  readonly familyId: string | null
  /** The code or refresh token that this uses up; null: none. */
  readonly consumed: string | null
  readonly successor: string | null
  readonly replayBox: string | null
  readonly nowMs: number
}

/**
 * Uses up the predecessor and issues the new tokens, both or neither, in one statement: its UPDATE is the lock that
 * lets exactly one of several attempts through. False: somebody else was first, nothing was written.
 * Across tenants: each token names its app.
 */
export async function writeTokens(q: Queries, write: TokenWrite): Promise<boolean> {
  const tokens = write.issued.map((token) => ({
    hash: token.hash,
    kind: token.kind,
    app_id: token.appId,
    grant_id: token.grantId,
    installation_id: token.installationId,
    merchant_id: token.merchantId,
    person_id: token.personId,
    scopes: token.scopes,
    payload: token.payload,
    expires_at: toIso(token.expiresAtMs),
  }))
  const [row] = await sql<{ consumed: number }>(
    q,
    `with consumed as (
       update oauth_token set consumed_at = $2, successor = $3, replay_box = $4
       where hash = $1 and consumed_at is null and revoked_at is null returning hash),
     opened as (
       update oauth_token set replay_box = null
       where successor = $1 and replay_box is not null and grant_id = $7 and exists (select 1 from consumed)),
     issued as (
       insert into oauth_token (hash, kind, app_id, grant_id, installation_id, merchant_id, person_id, family_id,
         scopes, payload, created_at, expires_at)
       select t.hash, t.kind, t.app_id, t.grant_id, t.installation_id, t.merchant_id, t.person_id, $6, t.scopes,
         t.payload, $2, t.expires_at
       from jsonb_to_recordset($5::jsonb) as t(hash text, kind text, app_id text, grant_id text, installation_id text,
         merchant_id text, person_id text, scopes text[], payload jsonb, expires_at timestamptz)
       where $1::text is null or exists (select 1 from consumed))
     select (select count(*) from consumed)::int as consumed`,
    write.consumed,
    toDate(write.nowMs),
    write.successor,
    write.replayBox,
    JSON.stringify(tokens),
    write.familyId,
    write.issued[0]?.grantId ?? null,
  )
  return write.consumed === null || row?.consumed === 1
}

/** Across tenants: found by value, as in `findToken`. */
export async function revokeToken(q: Queries, hash: string, nowMs: number): Promise<void> {
  await execute(
    q,
    'update oauth_token set revoked_at = $2 where hash = $1 and revoked_at is null',
    hash,
    toDate(nowMs),
  )
}

export async function revokeTokensOfGrant(q: Queries, grantId: string, nowMs: number): Promise<void> {
  await execute(
    q,
    'update oauth_token set revoked_at = $2 where grant_id = $1 and revoked_at is null',
    grantId,
    toDate(nowMs),
  )
}

/** Ends every token and grant of an installation. */
export async function revokeTokensOfInstallation(
  tx: Transaction,
  merchantId: string,
  installationId: string,
  nowMs: number,
): Promise<void> {
  await execute(
    tx,
    `with grants as (
       update oauth_grant g set revoked_at = $3, end_reason = 'uninstalled' from installation i
       where i.merchant_id = $1 and i.id = $2 and g.installation_id = i.id and g.revoked_at is null)
     update oauth_token set revoked_at = $3
     where merchant_id = $1 and installation_id = $2 and revoked_at is null`,
    merchantId,
    installationId,
    toDate(nowMs),
  )
}

export interface AccessRow {
  readonly app_id: string
  readonly grant_id: string | null
  readonly installation_id: string | null
  readonly merchant_id: string | null
  readonly person_id: string | null
  readonly scopes: readonly string[]
  readonly granted: readonly string[] | null
  readonly bounds: readonly AuthorizationDetail[] | null
  /** Those that the token was issued with. */
  readonly details: readonly AuthorizationDetail[] | null
  readonly epoch: number | null
  /** Thumbprint of the key it is bound to (RFC 9449 §6); null: a bearer token. */
  readonly jkt: string | null
  readonly expires_at: DbTime
}

/**
 * What an access token allows now: token, app, grant, installation, the merchant's grant and the platform's rules in
 * one statement, so that whatever ends access ends it here. Across tenants: found by value, as in `findToken`.
 */
export async function findAccess(q: Queries, hash: string, nowMs: number): Promise<AccessRow | null> {
  const [row] = await sql<AccessRow>(
    q,
    `select t.app_id, t.grant_id, t.installation_id, t.merchant_id, t.person_id, t.scopes, m.granted, m.bounds,
       t.payload -> 'rar' as details, m.epoch, t.payload ->> 'jkt' as jkt, t.expires_at
     from oauth_token t
     join app a on a.id = t.app_id and a.archived_at is null
     left join oauth_grant g on g.id = t.grant_id and g.revoked_at is null
     left join installation i on i.id = t.installation_id and i.app_id = t.app_id
       and i.merchant_id = t.merchant_id and i.state = 'active'
     left join "grant" m on m.installation_id = i.id and m.revoked_at is null
     where t.hash = $1 and t.revoked_at is null and t.expires_at > $2
       and (t.kind = 'ClientCredentials' or (t.kind = 'AccessToken' and g.id is not null))
       and (t.installation_id is null or m.id is not null) and (g.id is null or ${personIsLive('$2')})
       and not exists (
         select 1 from rule u where ${appRuleInForce('u', '$2')} and u.effect in ('stop', 'revoke_tokens')
           and (u.app_id is null or u.app_id = t.app_id)
           and (u.publisher_id is null or u.publisher_id = a.publisher_id)
           and (u.merchant_id is null or u.merchant_id = t.merchant_id))`,
    hash,
    toDate(nowMs),
  )
  return row ?? null
}
