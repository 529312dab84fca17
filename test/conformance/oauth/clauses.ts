import { rfc7636, rfc8252, rfc9126, rfc9207, rfc9396 } from './clauses/browser.ts'
import { type Clause, clausesOf } from './clauses/clause.ts'
import { rfc8628, rfc8693 } from './clauses/device-and-exchange.ts'
import { rfc8414, rfc9068, rfc9728 } from './clauses/metadata.ts'
import { rfc6749, rfc6749Tokens } from './clauses/rfc6749.ts'
import { rfc6750 } from './clauses/rfc6750.ts'
import { oauth21, rfc9449, rfc9700 } from './clauses/security.ts'
import { rfc7009, rfc7662, rfc8707 } from './clauses/tokens.ts'

const tables = {
  ...rfc6749,
  ...rfc6749Tokens,
  ...rfc6750,
  ...rfc7009,
  ...rfc7636,
  ...rfc7662,
  ...rfc8252,
  ...rfc8414,
  ...rfc8628,
  ...rfc8693,
  ...rfc8707,
  ...rfc9068,
  ...rfc9126,
  ...rfc9207,
  ...rfc9396,
  ...rfc9449,
  ...rfc9700,
  ...rfc9728,
  ...oauth21,
} as const

export type ClauseId = keyof typeof tables

/** What the standards ask of Stoa, in their words; each clause has one test of its name, or waits in `pending`. */
export const clauses: readonly Clause[] = clausesOf(tables)
