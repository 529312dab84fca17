import type { AuthorizationDetail } from '../capability/index.ts'
import { sql } from '../db/index.ts'
import type { Queries } from '../kernel/index.ts'

export interface LiveGrant {
  readonly granted: readonly string[]
  readonly bounds: readonly AuthorizationDetail[]
  readonly epoch: number
}

/** What an active installation may do right now; null when it is uninstalled or its grant revoked. */
export async function findLiveGrant(
  q: Queries,
  merchantId: string,
  installationId: string,
): Promise<LiveGrant | null> {
  const [row] = await sql<LiveGrant>(
    q,
    `select g.granted, g.bounds, g.epoch from "grant" g
     join installation i on i.id = g.installation_id and i.state = 'active'
     where g.merchant_id = $1 and g.installation_id = $2 and g.revoked_at is null`,
    merchantId,
    installationId,
  )
  return row ?? null
}
