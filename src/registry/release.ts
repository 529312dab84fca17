//   active ──a newer release of the cohort──▶ ended

export const releaseStates = ['active', 'halted', 'ended'] as const

export type ReleaseState = (typeof releaseStates)[number]

/** The cohort that every installation belongs to. */
export const everyone = 'all'

/** Which version may run where. */
export interface ReleaseView {
  readonly id: string
  readonly appId: string
  readonly versionId: string
  readonly cohort: string
  /** Share of the cohort's installations, 0 to 100. */
  readonly percentage: number
  readonly state: ReleaseState
  readonly createdBy: string
  readonly createdAtMs: number
  readonly endedAtMs: number | null
}
