import type { PageRequest } from '../../capability/index.ts'
import { execute, sql } from '../../db/index.ts'
import { type DbTime, limits, type Queries, type Transaction, toDate } from '../../kernel/index.ts'

export interface StorageRow {
  readonly key: string
  readonly value: string
  readonly updated_at: DbTime
}

/** Whose storage: the merchant first, then the app's installation there. */
export interface StorageOwner {
  readonly merchantId: string
  readonly installationId: string
}

export async function findItem(q: Queries, owner: StorageOwner, key: string): Promise<StorageRow | null> {
  const [row] = await sql<StorageRow>(
    q,
    'select key, value, updated_at from storage_item where merchant_id = $1 and installation_id = $2 and key = $3',
    owner.merchantId,
    owner.installationId,
    key,
  )
  return row ?? null
}

/** In key order, after the given key; `prefix` compares bytes, not patterns. */
export function listItems(
  q: Queries,
  owner: StorageOwner,
  page: PageRequest & { readonly prefix: string },
): Promise<StorageRow[]> {
  return sql<StorageRow>(
    q,
    `select key, value, updated_at from storage_item
     where merchant_id = $1 and installation_id = $2 and starts_with(key, $3) and key > $4
     order by key limit $5::int`,
    owner.merchantId,
    owner.installationId,
    page.prefix,
    page.after ?? '',
    page.rowsMax,
  )
}

/** What came of a write. */
export type Put = 'done' | 'full' | 'installation_ended'

/**
 * Stores a value within the bounds of the installation. Its row is held first, in a statement of its own: the next one
 * then sees what whoever held it before has written, so that two writes are counted one after the other, and none comes
 * after an uninstall has deleted everything.
 */
export async function putItem(
  tx: Transaction,
  owner: StorageOwner,
  item: { readonly key: string; readonly value: string; readonly sizeBytes: number; readonly atMs: number },
): Promise<Put> {
  const live = await sql(
    tx,
    `select id from installation where merchant_id = $1 and id = $2 and state = 'active' for update`,
    owner.merchantId,
    owner.installationId,
  )
  if (live.length === 0) return 'installation_ended'
  const written = await execute(
    tx,
    `insert into storage_item (merchant_id, installation_id, key, value, size_bytes, updated_at)
     select $1, $2, $3, $4, $5::int, $6
     from (select count(*) as items, coalesce(sum(size_bytes), 0) as bytes from storage_item
       where merchant_id = $1 and installation_id = $2 and key <> $3) others
     where items < $7::int and bytes + $5::int <= $8::int
     on conflict (merchant_id, installation_id, key)
     do update set value = excluded.value, size_bytes = excluded.size_bytes, updated_at = excluded.updated_at`,
    owner.merchantId,
    owner.installationId,
    item.key,
    item.value,
    item.sizeBytes,
    toDate(item.atMs),
    limits.storageItemsMax,
    limits.storageBytesMax,
  )
  return written === 1 ? 'done' : 'full'
}

export async function deleteItem(tx: Transaction, owner: StorageOwner, key: string): Promise<void> {
  await execute(
    tx,
    'delete from storage_item where merchant_id = $1 and installation_id = $2 and key = $3',
    owner.merchantId,
    owner.installationId,
    key,
  )
}
