import type { AuthorizationDetail } from '../../capability/index.ts'
import { sql } from '../../db/index.ts'
import type { Queries } from '../../kernel/index.ts'

export interface LiveInstallation {
  readonly merchant_id: string
  readonly app_id: string
  readonly granted: readonly string[]
  readonly bounds: readonly AuthorizationDetail[]
}

/** An installation that is in use, with what its merchant grants. `merchantIds` null: at whatever merchant. */
export async function findLiveInstallation(
  q: Queries,
  merchantIds: readonly string[] | null,
  installationId: string,
): Promise<LiveInstallation | null> {
  const [row] = await sql<LiveInstallation>(
    q,
    `select i.merchant_id, i.app_id, g.granted, g.bounds from installation i
     join "grant" g on g.installation_id = i.id and g.revoked_at is null
     where ($1::text[] is null or i.merchant_id = any($1::text[])) and i.id = $2 and i.state = 'active'`,
    merchantIds === null ? null : [...merchantIds],
    installationId,
  )
  return row ?? null
}

/** Whether the person belongs to the merchant now. */
export async function isMember(q: Queries, merchantId: string, personId: string): Promise<boolean> {
  const rows = await sql(
    q,
    `select 1 as one from merchant_membership m join person p on p.id = m.person_id and p.disabled_at is null
     where m.merchant_id = $1 and m.person_id = $2`,
    merchantId,
    personId,
  )
  return rows.length > 0
}
