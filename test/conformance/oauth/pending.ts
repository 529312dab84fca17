import { type ClauseId, clauses } from './clauses.ts'

const startingWith = (prefix: string): readonly ClauseId[] =>
  clauses.map(({ id }) => id as ClauseId).filter((id) => id.startsWith(prefix))

const waiting: readonly (readonly [reason: string, ids: readonly ClauseId[]])[] = [
  ['there is no device authorization yet', startingWith('rfc8628-')],
  ['there is no token exchange yet', startingWith('rfc8693-')],
  ['there are no authorization details yet', startingWith('rfc9396-')],
  [
    'the API takes no token bound by DPoP yet',
    [...startingWith('rfc9449-7'), ...(['rfc9449-11.1-replay', 'rfc9700-2.2.1-sender-constrained'] as const)],
  ],
  ['there is no public client yet', ['rfc9449-5-public-refresh', 'rfc9700-2.2.2-public-refresh']],
]

/** Clauses whose feature is not there: none of them has a test, and each says what it waits for. */
export const pending: ReadonlyMap<ClauseId, string> = new Map(
  waiting.flatMap(([reason, ids]) => ids.map((id) => [id, reason] as const)),
)
