import type { Manifest } from '../../runtime/package/index.ts'
import { RegistryErrors } from './errors.ts'

//   draft ──submit──▶ submitted ──approve──▶ approved ──release──▶ released
//     │                │     │                  │
//     │                │     └─reject─▶ rejected│
//     └──withdraw──────┴──withdraw──────────────┴─▶ withdrawn
//
// rejected, released and withdrawn are ends: a change of the files is another version, and a decision is about bytes.

export const versionStates = ['draft', 'submitted', 'approved', 'rejected', 'released', 'withdrawn'] as const
export const versionActions = ['submit', 'approve', 'reject', 'release', 'withdraw'] as const

export type VersionState = (typeof versionStates)[number]
export type VersionAction = (typeof versionActions)[number]

const transitions: Readonly<Record<VersionState, { readonly [A in VersionAction]?: VersionState }>> = {
  draft: { submit: 'submitted', withdraw: 'withdrawn' },
  submitted: { approve: 'approved', reject: 'rejected', withdraw: 'withdrawn' },
  approved: { release: 'released', withdraw: 'withdrawn' },
  rejected: {},
  released: {},
  withdrawn: {},
}

/** The state after the action. @throws registry.version_state, registry.version_not_approved */
export function next(state: VersionState, action: VersionAction): VersionState {
  const after = transitions[state][action]
  if (after !== undefined) return after
  const refuse = action === 'release' ? RegistryErrors.version_not_approved : RegistryErrors.version_state
  throw refuse(`the version is ${state}`)
}

/** One uploaded build. Its bytes never change; its state does. */
export interface VersionView {
  readonly id: string
  readonly appId: string
  readonly publisherId: string
  /** Grows with each upload of the app. */
  readonly code: number
  readonly name: string
  readonly state: VersionState
  readonly manifest: Manifest
  /** SHA-256 of the package, lower-case hex. */
  readonly packageSha256: string
  readonly packageBytes: number
  readonly uploadedBy: string
  readonly createdAtMs: number
  readonly stateChangedAtMs: number
}
