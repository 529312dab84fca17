import type { Localized, Scope } from '../capability/index.ts'

/** What of an app's manifest the merchant is asked about. */
export interface ConsentManifest {
  readonly stoa_scopes?: {
    readonly required?: readonly ScopeAsked[]
    readonly optional?: readonly ScopeAsked[]
  }
}

interface ScopeAsked {
  readonly name: string
  readonly purpose: Readonly<Record<string, string>>
}

/** One row of the consent page. `purpose` is the developer's own sentence; the rest is the platform's. */
export interface ConsentRow {
  readonly scope: string
  readonly title: Localized
  readonly consent: Localized
  readonly purpose: Localized
  readonly dataCategory: Scope['dataCategory']
  readonly sensitivity: Scope['sensitivity']
  /** Agreed to already. */
  readonly granted: boolean
}

export interface ConsentQuestion {
  readonly required: readonly ConsentRow[]
  readonly optional: readonly ConsentRow[]
}

function toRow(
  asked: ScopeAsked,
  scopes: ReadonlyMap<string, Scope>,
  granted: ReadonlySet<string>,
): ConsentRow[] {
  const scope = scopes.get(asked.name)
  if (scope === undefined) return [] // a scope the platform has withdrawn: nothing to agree to
  const en = asked.purpose['en'] ?? ''
  return [
    {
      scope: scope.name,
      title: scope.title,
      consent: scope.consent,
      purpose: { en, 'zh-CN': asked.purpose['zh-CN'] ?? en },
      dataCategory: scope.dataCategory,
      sensitivity: scope.sensitivity,
      granted: granted.has(scope.name),
    },
  ]
}

/** What the merchant is asked: platform texts from the catalogue, purposes from the reviewed manifest. */
export function toQuestion(
  manifest: ConsentManifest,
  scopes: ReadonlyMap<string, Scope>,
  granted: ReadonlySet<string>,
): ConsentQuestion {
  const rows = (asked: readonly ScopeAsked[] | undefined) =>
    (asked ?? []).flatMap((one) => toRow(one, scopes, granted))
  return { required: rows(manifest.stoa_scopes?.required), optional: rows(manifest.stoa_scopes?.optional) }
}

export interface Decision {
  readonly granted: readonly string[]
  readonly refused: readonly string[]
  /** Chosen, but not offered: the caller must be told. */
  readonly unknown: readonly string[]
}

/** Required ones are agreed to by installing; optional ones only when chosen. */
export function decide(question: ConsentQuestion, chosen: readonly string[]): Decision {
  const required = question.required.map(({ scope }) => scope)
  const optional = question.optional.map(({ scope }) => scope)
  return {
    granted: [...required, ...optional.filter((scope) => chosen.includes(scope))].sort(),
    refused: optional.filter((scope) => !chosen.includes(scope)).sort(),
    unknown: chosen.filter((scope) => !optional.includes(scope)),
  }
}
