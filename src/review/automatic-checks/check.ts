import type { ProgramCheck } from '../../../runtime/node/index.ts'
import type { AppClass, Manifest } from '../../../runtime/package/index.ts'
import type { Scope } from '../../capability/index.ts'
import type { Finding } from '../finding.ts'

/** What the checks look at: all of it was found out before, so that a check is a pure function. */
export interface CheckSubject {
  readonly appClass: AppClass
  readonly manifest: Manifest
  /** How delicate the data of each scope is, by the scope's name. */
  readonly sensitivities: ReadonlyMap<string, Scope['sensitivity']>
  /** What the sandbox said about the file with the handlers; null for a package without one. */
  readonly handlers: { readonly path: string; readonly result: ProgramCheck } | null
}

/** One rule: everything in the package that breaks it. */
export type AutomaticCheck = (subject: CheckSubject) => readonly Finding[]
