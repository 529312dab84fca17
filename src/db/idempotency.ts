import { type Clock, limits, type Queries, seal, type Transaction, toDate, unseal } from '../kernel/index.ts'
import { execute, sql } from './sql.ts'

interface IdempotencyRequest {
  readonly ownerId: string
  readonly key: string
  readonly operation: string
  readonly requestHash: string
}

interface StoredAnswer {
  readonly status: number
  readonly response: string | null
}

interface IdempotencyRow {
  readonly operation: string
  readonly request_hash: string
  readonly status: number
  readonly response: string | null
}

/**
 * The idempotency rows. Answers are sealed: some hold a secret that is shown once and stored hashed elsewhere.
 * The primary key is the lock: a second claim of the same key waits for the first one's transaction.
 */
export function makeIdempotencyStore({ clock, key }: { readonly clock: Clock; readonly key: Uint8Array }) {
  const contextOf = (request: IdempotencyRequest) => `${request.ownerId}/${request.key}`
  return {
    async isAnswered(q: Queries, request: IdempotencyRequest): Promise<boolean> {
      const rows = await sql(
        q,
        `select 1 as one from idempotency
         where owner_id = $1 and key = $2 and operation = $3 and request_hash = $4 and expires_at > $5`,
        request.ownerId,
        request.key,
        request.operation,
        request.requestHash,
        toDate(clock.nowMs()),
      )
      return rows.length > 0
    },
    async claim(tx: Transaction, request: IdempotencyRequest): Promise<StoredAnswer | 'claimed' | 'reused'> {
      const nowMs = clock.nowMs()
      await sql(
        tx,
        'delete from idempotency where owner_id = $1 and key = $2 and expires_at <= $3',
        request.ownerId,
        request.key,
        toDate(nowMs),
      )
      const claimed = await sql(
        tx,
        `insert into idempotency (owner_id, key, operation, request_hash, status, created_at, expires_at)
         values ($1, $2, $3, $4, 0, $5, $6) on conflict do nothing returning key`,
        request.ownerId,
        request.key,
        request.operation,
        request.requestHash,
        toDate(nowMs),
        toDate(nowMs + limits.idempotencyKeptMs),
      )
      if (claimed.length > 0) return 'claimed'
      const [row] = await sql<IdempotencyRow>(
        tx,
        'select operation, request_hash, status, response from idempotency where owner_id = $1 and key = $2',
        request.ownerId,
        request.key,
      )
      if (
        row === undefined ||
        row.operation !== request.operation ||
        row.request_hash !== request.requestHash
      )
        return 'reused'
      return {
        status: row.status,
        response: row.response === null ? null : unseal(key, row.response, contextOf(request)),
      }
    },
    async finish(tx: Transaction, request: IdempotencyRequest, answer: StoredAnswer): Promise<void> {
      const sealed = answer.response === null ? null : seal(key, answer.response, contextOf(request))
      await sql(
        tx,
        'update idempotency set status = $3::int, response = $4 where owner_id = $1 and key = $2',
        request.ownerId,
        request.key,
        answer.status,
        sealed,
      )
    },
  }
}

/** Forgets the answers whose time is over. Across tenants: every owner's. */
export async function removeExpiredAnswers(q: Queries, nowMs: number): Promise<void> {
  await execute(q, 'delete from idempotency where expires_at <= $1', toDate(nowMs))
}
