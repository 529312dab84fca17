import { isWellFormedToken, type TokenKind, type Transaction, tokenPrefixes } from '../../kernel/index.ts'

/** A secret or token that somebody found and that was alive. */
export interface Leak {
  readonly what:
    | 'client_secret'
    | 'access_token'
    | 'refresh_token'
    | 'personal_token'
    | 'session'
    | 'invitation'
  /** Of an app's: the app's name; of a personal token the one its person gave it; of an invitation who was invited. */
  readonly name: string
  readonly appId: string | null
  /** Who must be told. */
  readonly publisherId: string | null
  readonly merchantId: string | null
  readonly personId: string | null
}

/** Ends it in the transaction, if it lives; null: there was nothing to end. */
export type EndLeaked = (tx: Transaction, value: string, nowMs: number) => Promise<Leak | null>

/** What the value is by its prefix and checksum; null: nothing of this platform's. Costs no query. */
export function kindOf(value: string): TokenKind | null {
  const kinds = Object.keys(tokenPrefixes) as TokenKind[]
  return kinds.find((kind) => isWellFormedToken(kind, value)) ?? null
}
