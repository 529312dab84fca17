import { execute } from '../../db/index.ts'
import { type DbTime, type Queries, type Transaction, toDate } from '../../kernel/index.ts'
import type { CredentialView } from './credential.ts'
import type { PublicKey } from './public-key.ts'

export interface NewCredential extends CredentialView {
  readonly appId: string
  readonly publisherId: string
  /** Null for a key. */
  readonly secretHash: string | null
  readonly createdBy: string
}

export async function insertCredential(tx: Transaction, credential: NewCredential): Promise<void> {
  await execute(
    tx,
    `insert into credential (id, app_id, publisher_id, kind, secret_hash, public_jwk, hint, created_by, created_at,
       expires_at)
     values ($1, $2, $3, $4, $5, $6::jsonb, $7, $8, $9, $10)`,
    credential.id,
    credential.appId,
    credential.publisherId,
    credential.kind,
    credential.secretHash,
    credential.publicKey === null ? null : JSON.stringify(credential.publicKey),
    credential.hint,
    credential.createdBy,
    toDate(credential.createdAtMs),
    credential.expiresAtMs === null ? null : toDate(credential.expiresAtMs),
  )
}

function toMs(time: DbTime | null): number | null {
  return time?.getTime() ?? null
}

/** Those that still work, newest first. */
export async function listLiveCredentials(
  q: Queries,
  appId: string,
  nowMs: number,
): Promise<CredentialView[]> {
  const rows = await q.credential.findMany({
    where: { appId, revokedAt: null, OR: [{ expiresAt: null }, { expiresAt: { gt: toDate(nowMs) } }] },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
  })
  return rows.map(({ id, kind, hint, publicJwk, ...times }) => ({
    id,
    kind: kind as CredentialView['kind'],
    hint,
    createdAtMs: times.createdAt.getTime(),
    expiresAtMs: toMs(times.expiresAt),
    lastUsedAtMs: toMs(times.lastUsedAt),
    // jsonb: checked before it was written.
    publicKey: publicJwk as PublicKey | null,
  }))
}

/** Lets the app's live secrets end then, unless they end sooner. */
export async function expireSecrets(tx: Transaction, appId: string, expiresAtMs: number): Promise<void> {
  await execute(
    tx,
    `update credential set expires_at = $2 where app_id = $1 and kind = 'secret' and revoked_at is null
       and (expires_at is null or expires_at > $2)`,
    appId,
    toDate(expiresAtMs),
  )
}

/** False when there is no live credential of that id. */
export async function revokeCredential(
  tx: Transaction,
  appId: string,
  credentialId: string,
  nowMs: number,
): Promise<boolean> {
  const { count } = await tx.credential.updateMany({
    where: { appId, id: credentialId, revokedAt: null },
    data: { revokedAt: toDate(nowMs) },
  })
  return count > 0
}
