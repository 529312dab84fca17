import type { PageRequest } from '../../capability/index.ts'
import { sql } from '../../db/index.ts'
import { type DbTime, limits, type Queries, toDate } from '../../kernel/index.ts'
import { personIsLive } from '../grant/store.ts'

export interface AuthorizationRow {
  readonly id: string
  readonly app_id: string
  readonly app_name: string
  readonly installation_id: string
  readonly merchant_id: string
  readonly online: boolean
  readonly created_at: DbTime
  readonly expires_at: DbTime
  readonly revoked_at: DbTime | null
  readonly end_reason: string | null
  /** Whether installation and, of an online one, the person are still there. */
  readonly live: boolean
  readonly refresh_tokens: number
  readonly last_rotated_at: DbTime | null
}

/** Whose authorizations: an app of these publishers, or an installation at these merchants. */
export type AuthorizationOwner =
  | { readonly publisherIds: readonly string[]; readonly appId: string }
  | { readonly merchantIds: readonly string[]; readonly installationId: string | null }

const select = `select g.id, g.app_id, a.name as app_name, g.installation_id, i.merchant_id, g.person_id is not null as online,
    g.created_at, g.expires_at, g.revoked_at, g.end_reason, (i.state = 'active' and ${personIsLive('$1')}) as live,
    r.refresh_tokens, r.last_rotated_at
  from oauth_grant g join installation i on i.id = g.installation_id join app a on a.id = g.app_id
  cross join lateral (
    select count(*)::int as refresh_tokens, max(t.consumed_at) as last_rotated_at
    from oauth_token t where t.grant_id = g.id and t.kind = 'RefreshToken') r`

function ownerValues(owner: AuthorizationOwner) {
  return 'publisherIds' in owner
    ? ([[...owner.publisherIds], owner.appId, null, null] as const)
    : ([null, null, [...owner.merchantIds], owner.installationId] as const)
}

const owned = `($2::text[] is null or (a.publisher_id = any($2::text[]) and g.app_id = $3::text))
  and ($4::text[] is null or (i.merchant_id = any($4::text[]) and ($5::text is null or g.installation_id = $5::text)))`

/** Whether there is such an app of theirs, or such an installation. */
export async function ownerExists(q: Queries, owner: AuthorizationOwner): Promise<boolean> {
  const rows =
    'publisherIds' in owner
      ? await sql(
          q,
          'select 1 from app where publisher_id = any($1::text[]) and id = $2',
          [...owner.publisherIds],
          owner.appId,
        )
      : await sql(
          q,
          'select 1 from installation where merchant_id = any($1::text[]) and id = $2',
          [...owner.merchantIds],
          owner.installationId,
        )
  return rows.length > 0
}

/** Authorizations with a refresh token, newest first: what lives longer than an hour. */
export function listAuthorizations(
  q: Queries,
  owner: AuthorizationOwner,
  page: PageRequest & { readonly nowMs: number },
): Promise<AuthorizationRow[]> {
  return sql<AuthorizationRow>(
    q,
    `${select} where ${owned} and r.refresh_tokens > 0 and ($6::text is null or g.id < $6::text)
     order by g.id desc limit $7::int`,
    toDate(page.nowMs),
    ...ownerValues(owner),
    page.after,
    page.rowsMax,
  )
}

export async function findAuthorization(
  q: Queries,
  owner: AuthorizationOwner,
  { authorizationId, nowMs }: { readonly authorizationId: string; readonly nowMs: number },
): Promise<AuthorizationRow | null> {
  const [row] = await sql<AuthorizationRow>(
    q,
    `${select} where ${owned} and g.id = $6`,
    toDate(nowMs),
    ...ownerValues(owner),
    authorizationId,
  )
  return row ?? null
}

export interface FamilyTokenRow {
  readonly number: number
  readonly kind: string
  readonly created_at: DbTime
  readonly expires_at: DbTime
  readonly consumed_at: DbTime | null
  readonly revoked_at: DbTime | null
  readonly scopes: readonly string[]
  /** Number of the token that took its place. */
  readonly successor: number | null
}

/**
 * The tokens of an authorization that its owner has just been found to own, newest first, numbered in the order in which
 * they were issued; no value and no hash.
 */
export function listTokensOf(
  q: Queries,
  merchantId: string,
  authorizationId: string,
): Promise<FamilyTokenRow[]> {
  return sql<FamilyTokenRow>(
    q,
    `with numbered as (
       select row_number() over (order by t.created_at, t.kind desc, t.hash)::int as number, t.*
       from oauth_token t where t.merchant_id = $1 and t.grant_id = $2 and t.kind in ('RefreshToken', 'AccessToken'))
     select n.number, n.kind, n.created_at, n.expires_at, n.consumed_at, n.revoked_at, n.scopes, s.number as successor
     from numbered n left join numbered s on s.hash = n.successor
     order by n.number desc limit $3::int`,
    merchantId,
    authorizationId,
    limits.pageSizeMax,
  )
}
