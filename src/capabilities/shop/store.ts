import { sql } from '../../db/index.ts'
import type { Queries } from '../../kernel/index.ts'

export interface ShopRow {
  readonly id: string
  readonly name: string
}

/** Those of these shops that belong to this merchant, an organisation. */
export function listShops(q: Queries, merchantId: string, shopIds: readonly string[]): Promise<ShopRow[]> {
  return sql<ShopRow>(
    q,
    'select id, name from merchant where parent_id = $1 and id = any($2::text[]) order by id',
    merchantId,
    [...shopIds],
  )
}
