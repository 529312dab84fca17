import { execute, sql } from '../../db/index.ts'
import { type DbTime, type Queries, type Transaction, toDate } from '../../kernel/index.ts'
import type { SecretView, SignatureScheme } from '../endpoint.ts'
import { type PublicJwk, publicKeyTextOf } from '../secret.ts'

const isLive = '(expires_at is null or expires_at > $2::timestamptz)'

export interface OwnedSecret extends SecretView {
  readonly endpointId: string
}

/** Across tenants: live secrets of endpoints that the caller has looked up by their publisher, newest first. */
export async function listLiveSecrets(
  q: Queries,
  endpointIds: readonly string[],
  nowMs: number,
): Promise<readonly OwnedSecret[]> {
  const rows = await sql<{
    id: string
    endpoint_id: string
    scheme: SignatureScheme
    public_jwk: PublicJwk | null
    created_at: DbTime
    expires_at: DbTime | null
  }>(
    q,
    `select id, endpoint_id, scheme, public_jwk, created_at, expires_at from endpoint_secret
     where endpoint_id = any($1::text[]) and ${isLive}
     order by expires_at desc nulls first, created_at desc`,
    endpointIds,
    toDate(nowMs),
  )
  return rows.map((row) => ({
    id: row.id,
    endpointId: row.endpoint_id,
    scheme: row.scheme,
    publicKey: row.public_jwk === null ? null : publicKeyTextOf(row.public_jwk),
    createdAtMs: row.created_at.getTime(),
    expiresAtMs: row.expires_at?.getTime() ?? null,
  }))
}

/** A secret as it is stored. */
export interface SealedSecret {
  readonly id: string
  readonly sealed: string
}

/** Across tenants: what signs for an endpoint that the caller has looked up by its publisher, newest first. */
export async function listSealedSecrets(
  q: Queries,
  endpointId: string,
  nowMs: number,
): Promise<readonly SealedSecret[]> {
  return sql<SealedSecret>(
    q,
    `select id, sealed from endpoint_secret where endpoint_id = $1 and ${isLive} order by created_at desc`,
    endpointId,
    toDate(nowMs),
  )
}

export interface NewSecret extends SealedSecret {
  readonly endpointId: string
  readonly scheme: SignatureScheme
  /** Null for v1. */
  readonly publicJwk: PublicJwk | null
}

/** Across tenants: the secrets of an endpoint that the caller has looked up by its publisher. */
export async function insertSecret(tx: Transaction, row: NewSecret, nowMs: number): Promise<void> {
  await execute(
    tx,
    `insert into endpoint_secret (id, endpoint_id, scheme, sealed, public_jwk, created_at)
     values ($1, $2, $3, $4, $5::jsonb, $6::timestamptz)`,
    row.id,
    row.endpointId,
    row.scheme,
    row.sealed,
    row.publicJwk === null ? null : JSON.stringify(row.publicJwk),
    toDate(nowMs),
  )
}

/**
 * Across tenants: an endpoint that the caller has looked up by its publisher. The current secret expires at
 * `expiresAtMs`; one that was already to expire ends at once, so that two are live at most.
 */
export async function expireSecrets(
  tx: Transaction,
  endpointId: string,
  times: { readonly nowMs: number; readonly expiresAtMs: number },
): Promise<void> {
  await execute(
    tx,
    `update endpoint_secret
     set expires_at = case when expires_at is null then $3::timestamptz else least(expires_at, $2::timestamptz) end
     where endpoint_id = $1`,
    endpointId,
    toDate(times.nowMs),
    toDate(times.expiresAtMs),
  )
}

/** A live public key, with whose requests it signs. */
export interface PublicKey {
  readonly id: string
  readonly endpointId: string
  readonly jwk: PublicJwk
}

export interface PublicKeySearch {
  /** Null: of every endpoint. */
  readonly endpointId: string | null
  /** Only keys whose id comes after this one. */
  readonly afterId: string | null
  readonly nowMs: number
  readonly rowsMax: number
}

/** Across tenants: public keys are for everybody. In the order of their ids. */
export async function listPublicKeys(q: Queries, search: PublicKeySearch): Promise<readonly PublicKey[]> {
  const rows = await sql<{ id: string; endpoint_id: string; public_jwk: PublicJwk }>(
    q,
    `select id, endpoint_id, public_jwk from endpoint_secret
     where ($1::text is null or endpoint_id = $1) and ${isLive} and scheme = 'v1a' and id > $3
     order by id limit $4::int`,
    search.endpointId,
    toDate(search.nowMs),
    search.afterId ?? '',
    search.rowsMax,
  )
  return rows.map((row) => ({ id: row.id, endpointId: row.endpoint_id, jwk: row.public_jwk }))
}
