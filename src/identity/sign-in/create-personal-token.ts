import { type IdSource, limits, mintToken, newId, sha256Hex, type Transaction } from '../../kernel/index.ts'
import { IdentityErrors } from '../errors.ts'
import type { Audience } from '../schema.ts'
import { insertToken, pruneTokens } from './store.ts'

export interface NewPersonalToken {
  readonly personId: string
  /** For the person, to tell tokens apart. */
  readonly name: string
  readonly audiences: readonly Audience[]
  readonly lifetimeMs: number
}

export interface CreatedPersonalToken extends NewPersonalToken {
  readonly id: string
  /** Shown once: only its SHA-256 is stored, which suffices for 256 random bits. */
  readonly token: string
  readonly createdAtMs: number
  readonly expiresAtMs: number
}

/**
 * A credential of a person for programs.
 * @throws identity.too_many_tokens
 */
export async function createPersonalToken(
  tx: Transaction,
  ids: IdSource,
  input: NewPersonalToken,
): Promise<CreatedPersonalToken> {
  const nowMs = ids.clock.nowMs()
  const live = await pruneTokens(tx, input.personId, nowMs)
  if (live >= limits.personalTokensMax) throw IdentityErrors.too_many_tokens()
  const created = {
    ...input,
    id: newId('personalToken', ids),
    token: mintToken('personalToken', ids.random),
    createdAtMs: nowMs,
    expiresAtMs: nowMs + input.lifetimeMs,
  }
  await insertToken(tx, created.personId, { ...created, hash: sha256Hex(created.token) })
  return created
}
