import type { AdapterPayload } from 'oidc-provider'
import { execute, sql } from '../../db/index.ts'
import { type Queries, toDate } from '../../kernel/index.ts'

export interface NewState {
  readonly hash: string
  readonly kind: string
  readonly uid: string | null
  readonly accountId: string | null
  readonly payload: AdapterPayload
  readonly nowMs: number
  readonly expiresAtMs: number
}

const stateColumns = 'hash, kind, uid, account_id, payload, created_at, expires_at'

function stateValues(state: NewState) {
  const { hash, kind, uid, accountId, payload, nowMs, expiresAtMs } = state
  return [hash, kind, uid, accountId, JSON.stringify(payload), toDate(nowMs), toDate(expiresAtMs)] as const
}

/** Across tenants: found by the hash of an unguessable id. */
export async function findState(
  q: Queries,
  kind: string,
  hash: string,
  nowMs: number,
): Promise<AdapterPayload | null> {
  const [row] = await sql<{ payload: AdapterPayload }>(
    q,
    'select payload from oauth_state where kind = $1 and hash = $2 and expires_at > $3',
    kind,
    hash,
    toDate(nowMs),
  )
  return row?.payload ?? null
}

/** Across tenants: as `findState`. */
export async function findStateByUid(
  q: Queries,
  kind: string,
  uid: string,
  nowMs: number,
): Promise<AdapterPayload | null> {
  const [row] = await sql<{ payload: AdapterPayload }>(
    q,
    'select payload from oauth_state where kind = $1 and uid = $2 and expires_at > $3',
    kind,
    uid,
    toDate(nowMs),
  )
  return row?.payload ?? null
}

/** Across tenants: a session is a browser's, which may hold several of them. */
export async function saveState(q: Queries, state: NewState): Promise<void> {
  await execute(
    q,
    `insert into oauth_state (${stateColumns}) values ($1, $2, $3, $4, $5::jsonb, $6, $7)
     on conflict (hash) do update set uid = excluded.uid, account_id = excluded.account_id,
       payload = excluded.payload, expires_at = excluded.expires_at`,
    ...stateValues(state),
  )
}

/** Gives it once: of several that ask at the same time one gets it. Across tenants: as `findState`. */
export async function takeState(
  q: Queries,
  kind: string,
  hash: string,
  nowMs: number,
): Promise<AdapterPayload | null> {
  const [row] = await sql<{ payload: AdapterPayload }>(
    q,
    'delete from oauth_state where kind = $1 and hash = $2 and expires_at > $3 returning payload',
    kind,
    hash,
    toDate(nowMs),
  )
  return row?.payload ?? null
}

/** Across tenants: as `findState`. */
export async function removeState(q: Queries, kind: string, hash: string): Promise<void> {
  await execute(q, 'delete from oauth_state where kind = $1 and hash = $2', kind, hash)
}
