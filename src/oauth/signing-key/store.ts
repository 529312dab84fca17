import { execute, sql } from '../../db/index.ts'
import { type DbTime, type Queries, type Transaction, toDate } from '../../kernel/index.ts'
import type { KeyTimes } from './signing-key.ts'

export interface SigningKey extends KeyTimes {
  readonly alg: string
  /** Private JWK, sealed under the platform's secret key. */
  readonly sealed: string
  readonly createdAtMs: number
}

interface SigningKeyRow {
  readonly kid: string
  readonly alg: string
  readonly sealed: string
  readonly created_at: DbTime
  readonly signs_from: DbTime
  readonly retired_at: DbTime | null
}

/** Keys that are published at this time or later. Across tenants: the platform's own. */
export async function listSigningKeys(q: Queries, nowMs: number): Promise<SigningKey[]> {
  const rows = await sql<SigningKeyRow>(
    q,
    `select kid, alg, sealed, created_at, signs_from, retired_at from signing_key
     where retired_at is null or retired_at > $1 order by signs_from desc, kid`,
    toDate(nowMs),
  )
  return rows.map(({ kid, alg, sealed, ...times }) => ({
    ...{ kid, alg, sealed },
    createdAtMs: times.created_at.getTime(),
    signsFromMs: times.signs_from.getTime(),
    retiredAtMs: times.retired_at?.getTime() ?? null,
  }))
}

/** Makes others that want to add a key wait until this transaction has ended. Across tenants: the platform's own. */
export async function lockSigningKeys(tx: Transaction): Promise<void> {
  await execute(tx, `select pg_advisory_xact_lock(hashtext('stoa.signing_key'))`)
}

/** Across tenants: the platform's own. */
export async function insertSigningKey(tx: Transaction, key: SigningKey): Promise<void> {
  await execute(
    tx,
    'insert into signing_key (kid, alg, sealed, created_at, signs_from) values ($1, $2, $3, $4, $5)',
    key.kid,
    key.alg,
    key.sealed,
    toDate(key.createdAtMs),
    toDate(key.signsFromMs),
  )
}

/** Lets all keys but this one be published until then. Across tenants: the platform's own. */
export async function retireOtherKeys(tx: Transaction, kid: string, retiredAtMs: number): Promise<void> {
  await execute(
    tx,
    'update signing_key set retired_at = $2 where kid <> $1 and retired_at is null',
    kid,
    toDate(retiredAtMs),
  )
}

/** A private key that nobody needs is nowhere. Across tenants: the platform's own. */
export async function removeRetiredKeys(q: Queries, nowMs: number): Promise<void> {
  await execute(q, 'delete from signing_key where retired_at <= $1', toDate(nowMs))
}
