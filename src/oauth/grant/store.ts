import type { AdapterPayload } from 'oidc-provider'
import { execute, sql } from '../../db/index.ts'
import { type Queries, type Transaction, toDate } from '../../kernel/index.ts'

export interface GrantRow {
  readonly id: string
  readonly app_id: string
  readonly account_id: string
  readonly installation_id: string
  readonly merchant_id: string
  readonly payload: AdapterPayload
  /** What the merchant grants at this moment. */
  readonly granted: readonly string[]
}

// Dead as soon as the installation is, whatever happened to the library's own row.
export const liveGrant = `select g.id, g.app_id, g.account_id, g.installation_id, i.merchant_id, g.payload, m.granted
  from oauth_grant g
  join installation i on i.id = g.installation_id and i.app_id = g.app_id and i.state = 'active'
  join "grant" m on m.installation_id = i.id and m.revoked_at is null
  where g.revoked_at is null and g.expires_at > $2`

export async function findGrant(q: Queries, grantId: string, nowMs: number): Promise<GrantRow | null> {
  const [row] = await sql<GrantRow>(
    q,
    `select l.* from (${liveGrant}) l where l.id = $1`,
    grantId,
    toDate(nowMs),
  )
  return row ?? null
}

export interface NewGrant {
  readonly id: string
  readonly appId: string
  readonly installationId: string
  readonly payload: AdapterPayload
  readonly nowMs: number
  readonly expiresAtMs: number
}

export async function insertGrant(q: Queries, grant: NewGrant): Promise<void> {
  await execute(
    q,
    `insert into oauth_grant (id, app_id, account_id, installation_id, payload, created_at, expires_at)
     values ($1, $2, $3, $3, $4::jsonb, $5, $6)`,
    grant.id,
    grant.appId,
    grant.installationId,
    JSON.stringify(grant.payload),
    toDate(grant.nowMs),
    toDate(grant.expiresAtMs),
  )
}

export async function revokeGrant(q: Queries, grantId: string, nowMs: number): Promise<void> {
  await execute(
    q,
    'update oauth_grant set revoked_at = $2 where id = $1 and revoked_at is null',
    grantId,
    toDate(nowMs),
  )
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
