import type { ClauseId } from './clauses.ts'

/** Clauses whose feature is not there: none of them has a test, and each says what it waits for. */
export const pending: ReadonlyMap<ClauseId, string> = new Map()
