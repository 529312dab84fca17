import type { PageRequest } from '../../capability/index.ts'
import { sql } from '../../db/index.ts'
import { type DbTime, type Queries, type Transaction, toDate } from '../../kernel/index.ts'

export interface MerchantRow {
  readonly id: string
  readonly kind: string
  readonly name: string
  readonly external_id: string | null
  readonly parent_id: string | null
  readonly created_at: DbTime
}

const columns = 'id, kind, name, external_id, parent_id, created_at'

export interface NewMerchantRow {
  readonly merchantId: string
  readonly kind: string
  readonly name: string
  readonly externalId: string | null
  readonly parentId: string | null
  readonly createdAtMs: number
}

/** Null when another merchant has the external id. */
export async function insertMerchant(tx: Transaction, merchant: NewMerchantRow): Promise<MerchantRow | null> {
  const [row] = await sql<MerchantRow>(
    tx,
    `insert into merchant (id, kind, name, external_id, parent_id, created_at) values ($1, $2, $3, $4, $5, $6)
     on conflict (external_id) do nothing returning ${columns}`,
    merchant.merchantId,
    merchant.kind,
    merchant.name,
    merchant.externalId,
    merchant.parentId,
    toDate(merchant.createdAtMs),
  )
  return row ?? null
}

export async function findMerchant(q: Queries, merchantId: string): Promise<MerchantRow | null> {
  const [row] = await sql<MerchantRow>(q, `select ${columns} from merchant where id = $1`, merchantId)
  return row ?? null
}

/** Across tenants: the host looks for its own id. */
export async function findMerchantByExternalId(q: Queries, externalId: string): Promise<MerchantRow | null> {
  const [row] = await sql<MerchantRow>(
    q,
    `select ${columns} from merchant where external_id = $1`,
    externalId,
  )
  return row ?? null
}

/** Across tenants: the host sees all its merchants. By descending id. */
export function listMerchants(
  q: Queries,
  filter: { readonly externalId: string | null },
  { rowsMax, after }: PageRequest,
): Promise<MerchantRow[]> {
  return sql<MerchantRow>(
    q,
    `select ${columns} from merchant
     where ($1::text is null or external_id = $1) and ($2::text is null or id < $2)
     order by id desc limit $3::int`,
    filter.externalId,
    after,
    rowsMax,
  )
}
