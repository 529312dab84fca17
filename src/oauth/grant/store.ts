import type { AdapterPayload } from 'oidc-provider'
import type { AuthorizationDetail } from '../../capability/index.ts'
import { execute, sql } from '../../db/index.ts'
import { type Queries, type Transaction, toDate } from '../../kernel/index.ts'

export interface GrantRow {
  readonly id: string
  readonly app_id: string
  readonly account_id: string
  readonly installation_id: string
  readonly merchant_id: string
  /** Of an online authorization. */
  readonly person_id: string | null
  readonly payload: AdapterPayload
  /** What the merchant grants at this moment. */
  readonly granted: readonly string[]
  readonly bounds: readonly AuthorizationDetail[]
}

/**
 * SQL condition on an authorization `g` at the installation `i`: it is nobody's in particular, or its person is still a
 * member of the merchant and has not ended the session or personal token by which they came.
 */
export function personIsLive(now: string): string {
  return `(g.person_id is null or (
    exists (select 1 from merchant_membership mm join person p on p.id = mm.person_id and p.disabled_at is null
      where mm.merchant_id = i.merchant_id and mm.person_id = g.person_id)
    and (g.credential_id is null
      or exists (select 1 from session ss
        where ss.id = g.credential_id and ss.revoked_at is null and ss.expires_at > ${now})
      or exists (select 1 from personal_token pt
        where pt.id = g.credential_id and pt.revoked_at is null and pt.expires_at > ${now}))))`
}

// Dead as soon as the installation is, whatever happened to the library's own row.
export const liveGrant = `select g.id, g.app_id, g.account_id, g.installation_id, i.merchant_id, g.person_id, g.payload,
    m.granted, m.bounds
  from oauth_grant g
  join installation i on i.id = g.installation_id and i.app_id = g.app_id and i.state = 'active'
  join "grant" m on m.installation_id = i.id and m.revoked_at is null
  where g.revoked_at is null and g.expires_at > $2 and ${personIsLive('$2')}`

export async function findGrant(q: Queries, grantId: string, nowMs: number): Promise<GrantRow | null> {
  const [row] = await sql<GrantRow>(
    q,
    `select l.* from (${liveGrant}) l where l.id = $1`,
    grantId,
    toDate(nowMs),
  )
  return row ?? null
}

export interface NewGrant extends GrantOwner {
  readonly id: string
  readonly appId: string
  readonly accountId: string
  readonly payload: AdapterPayload
  readonly nowMs: number
  readonly expiresAtMs: number
}

/** Whose an authorization is: the installation's, or a person's at it. */
export interface GrantOwner {
  readonly installationId: string
  readonly personId: string | null
  /** The session or personal token by which the person came; null: none of ours. */
  readonly credentialId: string | null
}

export async function insertGrant(q: Queries, grant: NewGrant): Promise<void> {
  await execute(
    q,
    `insert into oauth_grant (id, app_id, account_id, installation_id, payload, created_at, expires_at, person_id,
       credential_id)
     values ($1, $2, $3, $7, $4::jsonb, $5, $6, $8, $9)`,
    grant.id,
    grant.appId,
    grant.accountId,
    JSON.stringify(grant.payload),
    toDate(grant.nowMs),
    toDate(grant.expiresAtMs),
    grant.installationId,
    grant.personId,
    grant.credentialId,
  )
}

/** Why an authorization is over. */
export type EndReason = 'revoked' | 'reused' | 'uninstalled'

/** False: it was over already. */
export async function revokeGrant(
  q: Queries,
  grantId: string,
  end: { readonly reason: EndReason; readonly nowMs: number },
): Promise<boolean> {
  const affected = await execute(
    q,
    'update oauth_grant set revoked_at = $2, end_reason = $3 where id = $1 and revoked_at is null',
    grantId,
    toDate(end.nowMs),
    end.reason,
  )
  return affected === 1
}

export async function isInstalled(
  tx: Transaction,
  merchantId: string,
  installationId: string,
  appId: string,
): Promise<boolean> {
  const rows = await sql(
    tx,
    `select 1 from installation where merchant_id = $1 and id = $2 and app_id = $3 and state = 'active'`,
    merchantId,
    installationId,
    appId,
  )
  return rows.length === 1
}

/** Whose authorization it was, for those who must be told. */
export interface Reuse {
  readonly authorizationId: string
  readonly appId: string
  readonly appName: string
  readonly publisherId: string
  readonly merchantId: string
  readonly merchantName: string
  readonly installationId: string
}

export async function findReuse(q: Queries, grantId: string): Promise<Reuse | null> {
  const [row] = await sql<Reuse>(
    q,
    `select g.id as "authorizationId", a.id as "appId", a.name as "appName", a.publisher_id as "publisherId",
       m.id as "merchantId", m.name as "merchantName", i.id as "installationId"
     from oauth_grant g join app a on a.id = g.app_id join installation i on i.id = g.installation_id
     join merchant m on m.id = i.merchant_id where g.id = $1`,
    grantId,
  )
  return row ?? null
}
