import { isDeepStrictEqual } from 'node:util'
import type { Localized, Scope } from '../capability/index.ts'
import type { ConsentRow } from './consent.ts'
import { type ConsentManifest, type DeveloperStatement, statementOf } from './consent-manifest.ts'

/** What a merchant must agree to anew when it changes (PIPL Art. 14): everything the developer states but its length. */
const statements = ['purpose', 'justification', 'retentionDays', 'recipients'] as const

export type ChangedStatement = (typeof statements)[number]

/** How one permission differs from what the merchant agreed to before. */
export type ConsentChange =
  /** Not asked for before. */
  | { readonly kind: 'added'; readonly row: ConsentRow; readonly required: boolean }
  /** Could be refused before and cannot now. */
  | { readonly kind: 'now_required'; readonly row: ConsentRow }
  /** Asked for as before, on other terms. */
  | {
      readonly kind: 'restated'
      readonly row: ConsentRow
      readonly before: DeveloperStatement
      readonly what: readonly ChangedStatement[]
    }
  /** Not asked for any more. */
  | { readonly kind: 'removed'; readonly scope: string; readonly title: Localized }

interface Asked {
  readonly required: readonly ConsentRow[]
  readonly optional: readonly ConsentRow[]
}

function changeOf(row: ConsentRow, required: boolean, agreed: ConsentManifest): ConsentChange[] {
  const { required: had = [], optional: offered = [] } = agreed.stoa_scopes ?? {}
  const before = [...had, ...offered].find(({ name }) => name === row.scope)
  if (before === undefined) return [{ kind: 'added', row, required }]
  const hardened = required && !had.includes(before) && !row.granted
  const said = statementOf(agreed, before)
  const what = statements.filter((one) => !isDeepStrictEqual(said[one], row.developer[one]))
  return [
    ...(hardened ? [{ kind: 'now_required', row } as const] : []),
    ...(what.length === 0 ? [] : [{ kind: 'restated', row, before: said, what } as const]),
  ]
}

/** Everything that differs, in the order of the question. `scopes` gives what is gone its words. */
export function changesBetween(
  agreed: ConsentManifest,
  { required, optional }: Asked,
  scopes: ReadonlyMap<string, Scope>,
): readonly ConsentChange[] {
  const { required: had = [], optional: offered = [] } = agreed.stoa_scopes ?? {}
  const now = new Set([...required, ...optional].map(({ scope }) => scope))
  const removed = [...had, ...offered].flatMap(({ name }): ConsentChange[] => {
    const title = scopes.get(name)?.title
    return title === undefined || now.has(name) ? [] : [{ kind: 'removed', scope: name, title }]
  })
  return [
    ...required.flatMap((row) => changeOf(row, true, agreed)),
    ...optional.flatMap((row) => changeOf(row, false, agreed)),
    ...removed,
  ]
}
