import type { Localized, Scope } from '../capability/index.ts'
import type { ConsentBound } from './bounds.ts'
import { type ConsentChange, changesBetween } from './consent-changes.ts'
import {
  type ConsentManifest,
  type DeveloperStatement,
  type ScopeAsked,
  statementOf,
} from './consent-manifest.ts'

/** One permission that is asked for. What stands under `developer` is said by the developer, the rest by the platform. */
export interface ConsentRow {
  readonly scope: string
  readonly title: Localized
  readonly consent: Localized
  readonly dataCategory: Scope['dataCategory']
  readonly sensitivity: Scope['sensitivity']
  readonly access: 'read' | 'write'
  /** What of the data, each in two or three words. */
  readonly fields: readonly Localized[]
  /** What the app is told at the moment it happens. */
  readonly events: readonly Localized[]
  readonly developer: DeveloperStatement
  /** Never agreed to together with anything else: customers' personal data, or data that goes to others. */
  readonly separate: boolean
  /** Agreed to already. */
  readonly granted: boolean
}

export interface ConsentQuestion {
  readonly required: readonly ConsentRow[]
  readonly optional: readonly ConsentRow[]
  readonly bounds: readonly ConsentBound[]
  /** What differs from what the merchant agreed to before; empty at the first installation. */
  readonly changes: readonly ConsentChange[]
}

/** What the platform knows and the manifest does not say. */
export interface ConsentContext {
  readonly scopes: ReadonlyMap<string, Scope>
  readonly eventTypes: ReadonlyMap<string, ConsentEventType>
  /** What is granted already. */
  readonly granted: ReadonlySet<string>
  /** The manifest that was agreed to; null at the first installation. */
  readonly agreed: ConsentManifest | null
  readonly bounds?: readonly ConsentBound[]
}

export interface ConsentEventType {
  readonly summary: Localized
  readonly scope: string | null
  readonly fieldScopes: Readonly<Record<string, string>>
}

function eventsOf({ stoa_events = [] }: ConsentManifest, scope: string, { eventTypes }: ConsentContext) {
  return stoa_events.flatMap(({ type }) => {
    const known = eventTypes.get(type)
    if (known === undefined) return []
    const shows = known.scope === scope || Object.values(known.fieldScopes).includes(scope)
    return shows ? [known.summary] : []
  })
}

function toRow(manifest: ConsentManifest, asked: ScopeAsked, context: ConsentContext): ConsentRow[] {
  const scope = context.scopes.get(asked.name)
  if (scope === undefined) return [] // a scope the platform has withdrawn: nothing to agree to
  const developer = statementOf(manifest, asked)
  const goesToOthers = (developer.recipients ?? []).length > 0
  return [
    {
      scope: scope.name,
      title: scope.title,
      consent: scope.consent,
      dataCategory: scope.dataCategory,
      sensitivity: scope.sensitivity,
      access: scope.name.endsWith(':read') ? 'read' : 'write',
      fields: scope.fields ?? [],
      events: eventsOf(manifest, scope.name, context),
      developer,
      // PIPL Art. 29: "separate consent" for sensitive personal information; Art. 23 and 39 for giving it to others.
      separate: scope.sensitivity === 'private' || goesToOthers,
      granted: context.granted.has(scope.name),
    },
  ]
}

/** What the merchant is asked: platform texts from the catalogue, the developer's from the reviewed manifest. */
export function toQuestion(manifest: ConsentManifest, context: ConsentContext): ConsentQuestion {
  const rows = (asked: readonly ScopeAsked[] | undefined) =>
    (asked ?? []).flatMap((one) => toRow(manifest, one, context))
  const question = {
    required: rows(manifest.stoa_scopes?.required),
    optional: rows(manifest.stoa_scopes?.optional),
    bounds: context.bounds ?? [],
  }
  const { agreed, scopes } = context
  return { ...question, changes: agreed === null ? [] : changesBetween(agreed, question, scopes) }
}

export interface Choice {
  /** Optional scopes the merchant wants. */
  readonly optional: readonly string[]
  /** Scopes agreed to separately. An optional one is chosen by itself anyway and need not be repeated here. */
  readonly separate: readonly string[]
}

export interface Decision {
  readonly granted: readonly string[]
  readonly refused: readonly string[]
  /** Agreed to by a choice of its own. */
  readonly separate: readonly string[]
  /** Chosen, but not offered: the caller must be told. */
  readonly unknown: readonly string[]
  /** Required, and not agreed to separately: without it there is no installation. */
  readonly missing: readonly string[]
}

/** Required ones are agreed to by installing, or separately where the row says so; optional ones only when chosen. */
export function decide(question: Pick<ConsentQuestion, 'required' | 'optional'>, choice: Choice): Decision {
  const required = question.required.map(({ scope }) => scope)
  const optional = question.optional.map(({ scope }) => scope)
  const all = [...question.required, ...question.optional]
  const separate = all.filter((row) => row.separate).map(({ scope }) => scope)
  const chosen = optional.filter((scope) => choice.optional.includes(scope))
  return {
    granted: [...required, ...chosen].sort(),
    refused: optional.filter((scope) => !choice.optional.includes(scope)).sort(),
    separate: separate.filter((scope) => choice.separate.includes(scope) || chosen.includes(scope)).sort(),
    unknown: [
      ...choice.optional.filter((scope) => !optional.includes(scope)),
      ...choice.separate.filter((scope) => !separate.includes(scope)),
    ],
    missing: required.filter((scope) => separate.includes(scope) && !choice.separate.includes(scope)),
  }
}
