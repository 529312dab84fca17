import { type Queries, sha256Hex, type Transaction } from '../kernel/index.ts'
import { type Caller, ownerIdOf } from './caller.ts'
import { CapabilityErrors } from './errors.ts'

export interface IdempotencyRequest {
  readonly ownerId: string
  readonly key: string
  readonly operation: string
  /** Of method, path and body: the same key with another request is refused. */
  readonly requestHash: string
}

export interface StoredAnswer {
  readonly status: number
  /** JSON text, or null for an answer without a body. */
  readonly response: string | null
}

export interface IdempotencyStore {
  /** Whether this very request has been answered: then it need not be prepared once more. */
  isAnswered(q: Queries, request: IdempotencyRequest): Promise<boolean>
  /** Claims the key in this transaction, or gives the answer that it already has. Waits for a concurrent claim. */
  claim(tx: Transaction, request: IdempotencyRequest): Promise<StoredAnswer | 'claimed' | 'reused'>
  finish(tx: Transaction, request: IdempotencyRequest, answer: StoredAnswer): Promise<void>
}

interface KeyedCall {
  readonly caller: Caller
  readonly idempotencyKey?: string
  readonly requestHash?: string
}

/**
 * The same request with other permissions is another request: an answer made when the app was allowed to see customers
 * must not be repeated to it when it no longer is.
 */
function identityOf(caller: Caller, requestHash: string): string {
  if (caller.kind !== 'app') return requestHash
  return sha256Hex(`${requestHash} ${[...caller.scopes].sort().join(' ')}`)
}

/** The claim a call makes, or null when it carries no key. Strangers have none: they would share one owner. */
export function claimOf(operationId: string, call: KeyedCall): IdempotencyRequest | null {
  const { caller, idempotencyKey: key, requestHash } = call
  if (caller.kind === 'anonymous' || key === undefined || requestHash === undefined) return null
  return {
    ownerId: ownerIdOf(caller),
    key,
    operation: operationId,
    requestHash: identityOf(caller, requestHash),
  }
}

/** What a write answers: status and output. */
export interface WrittenAnswer {
  readonly status: number
  readonly output: unknown
}

/**
 * Runs `write` once per key: a repeated request gets the first one's answer. The row is part of the write's own
 * transaction, so a write that rolled back leaves its key free.
 */
export async function onceByKey(
  store: IdempotencyStore,
  tx: Transaction,
  claim: IdempotencyRequest | null,
  write: () => Promise<WrittenAnswer>,
): Promise<WrittenAnswer & { readonly replayed: boolean }> {
  if (claim === null) return { ...(await write()), replayed: false }
  const earlier = await store.claim(tx, claim)
  if (earlier === 'reused') throw CapabilityErrors.idempotency_key_reused()
  if (earlier !== 'claimed') {
    const output: unknown = earlier.response === null ? undefined : JSON.parse(earlier.response)
    return { status: earlier.status, output, replayed: true }
  }
  const answer = await write()
  const response = answer.output === undefined ? null : JSON.stringify(answer.output)
  await store.finish(tx, claim, { status: answer.status, response })
  return { ...answer, replayed: false }
}
