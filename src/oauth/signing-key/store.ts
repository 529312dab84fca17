import { execute, sql } from '../../db/index.ts'
import { type Queries, type Transaction, toDate } from '../../kernel/index.ts'

export interface SigningKeyRow {
  readonly kid: string
  readonly alg: string
  readonly sealed: string
}

/** Keys in use, the signing one first. Across tenants: the platform's own. */
export function listSigningKeys(q: Queries): Promise<SigningKeyRow[]> {
  return sql<SigningKeyRow>(
    q,
    'select kid, alg, sealed from signing_key where retired_at is null order by created_at desc, kid',
  )
}

/** Makes other processes that start now wait until this transaction has ended. Across tenants: the platform's own. */
export async function lockSigningKeys(tx: Transaction): Promise<void> {
  await execute(tx, `select pg_advisory_xact_lock(hashtext('stoa.signing_key'))`)
}

/** Across tenants: the platform's own. */
export async function insertSigningKey(tx: Transaction, key: SigningKeyRow, nowMs: number): Promise<void> {
  await execute(
    tx,
    'insert into signing_key (kid, alg, sealed, created_at) values ($1, $2, $3, $4)',
    key.kid,
    key.alg,
    key.sealed,
    toDate(nowMs),
  )
}
