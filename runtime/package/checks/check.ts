import type { Problem } from '../errors.ts'
import type { ManifestDraft } from '../manifest-draft.ts'

/** What the platform knows and a manifest must agree with. */
export interface ManifestContext {
  /** Holds a value against `manifestSchema`; `toSchemaProblems` words what Ajv finds. */
  readonly checkSchema: (value: unknown) => readonly Problem[]
  /** Files of the package by path, NFC. */
  readonly files: ReadonlyMap<string, unknown>
  /** Scopes an app may ask a merchant for, by name. */
  readonly knownScopes: ReadonlyMap<string, unknown>
  /** Event types by name, with the version an app may pin and the scope it needs; null: every app may have it. */
  readonly knownEventTypes: ReadonlyMap<string, { readonly version: number; readonly scope: string | null }>
  /** Types of authorization details by name, with the scope each limits and what it finds wrong in a detail. */
  readonly knownDetailTypes: ReadonlyMap<string, DetailType>
  /** `version.code` of the app's newest upload; null for the first. */
  readonly previousVersionCode: number | null
  readonly appClass: AppClass
}

export interface DetailType {
  readonly scope: string | null
  readonly checkDetail: (detail: unknown) => readonly { readonly pointer: string; readonly message: string }[]
}

export type AppClass = 'backend' | 'mini-program' | 'both'

/** One rule. Returns every place where the manifest breaks it; never throws, whatever the manifest is. */
export type ManifestCheck = (draft: ManifestDraft, context: ManifestContext) => readonly Problem[]
