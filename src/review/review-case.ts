import { ReviewErrors } from './errors.ts'

//   submitted ──check──▶ checking ──finish──▶ in_review ──approve──▶ approved
//       │                 │    ▲ │               │    └──reject──▶ rejected
//       │                 │    └check            │
//       └──withdraw───────┴──withdraw────────────┴──▶ withdrawn
//
// A check that a killed worker left behind is simply begun again. Decisions are ends: they are about bytes.

export const caseStates = ['submitted', 'checking', 'in_review', 'approved', 'rejected', 'withdrawn'] as const
export const caseActions = ['check', 'finish', 'approve', 'reject', 'withdraw'] as const

export type CaseState = (typeof caseStates)[number]
export type CaseAction = (typeof caseActions)[number]

const transitions: Readonly<Record<CaseState, { readonly [A in CaseAction]?: CaseState }>> = {
  submitted: { check: 'checking', withdraw: 'withdrawn' },
  checking: { check: 'checking', finish: 'in_review', withdraw: 'withdrawn' },
  in_review: { approve: 'approved', reject: 'rejected', withdraw: 'withdrawn' },
  approved: {},
  rejected: {},
  withdrawn: {},
}

/** The state after the action. @throws review.case_state */
export function next(state: CaseState, action: CaseAction): CaseState {
  const after = transitions[state][action]
  if (after !== undefined) return after
  throw ReviewErrors.case_state(`the case is ${state}`)
}

export function allows(state: CaseState, action: CaseAction): boolean {
  return transitions[state][action] !== undefined
}

/** States in which somebody or something still has to act. */
export const openStates = caseStates.filter((state) => allows(state, 'withdraw'))

/** A text for developers in both languages. */
export interface ReasonText {
  readonly en: string
  readonly 'zh-CN': string
}

/** The review of one version. */
export interface ReviewCase {
  readonly id: string
  readonly appId: string
  readonly publisherId: string
  readonly versionId: string
  /** The decision is about these bytes and no others. */
  readonly packageSha256: string
  readonly state: CaseState
  readonly openedAtMs: number
  readonly decidedBy: string | null
  readonly decidedAtMs: number | null
  readonly reasonCode: string | null
  readonly reasonText: ReasonText | null
}
