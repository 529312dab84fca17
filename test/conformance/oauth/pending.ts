import { type ClauseId, clauses } from './clauses.ts'

const startingWith = (prefix: string): readonly ClauseId[] =>
  clauses.map(({ id }) => id as ClauseId).filter((id) => id.startsWith(prefix))

const waiting: readonly (readonly [reason: string, ids: readonly ClauseId[]])[] = [
  ['there is no device authorization yet', startingWith('rfc8628-')],
  ['there is no token exchange yet', startingWith('rfc8693-')],
  ['there are no pushed requests yet', startingWith('rfc9126-')],
  ['there are no authorization details yet', startingWith('rfc9396-')],
  ['there is no DPoP yet', [...startingWith('rfc9449-'), 'rfc9700-2.2.1-sender-constrained']],
  ['there is no public client yet', ['rfc9700-2.2.2-public-refresh']],
  ['there is no private_key_jwt yet', ['rfc9700-2.5-asymmetric']],
]

/** Clauses whose feature is not there: none of them has a test, and each says what it waits for. */
export const pending: ReadonlyMap<ClauseId, string> = new Map(
  waiting.flatMap(([reason, ids]) => ids.map((id) => [id, reason] as const)),
)
