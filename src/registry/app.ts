import type { AppClass } from '../../runtime/package/index.ts'

export const appClasses = ['backend', 'mini-program', 'both'] as const satisfies readonly AppClass[]
export const visibilities = ['public', 'internal', 'private'] as const

/** public: every merchant's market · internal: the same, made by the platform's own teams · private: one merchant's. */
export type Visibility = (typeof visibilities)[number]

/** What a developer registered. Its id is its OAuth client_id. */
export interface AppView {
  readonly id: string
  readonly publisherId: string
  readonly publisherName: string
  readonly name: string
  readonly appClass: AppClass
  readonly visibility: Visibility
  /** The one merchant a private app is for; null for any other. */
  readonly privateMerchantId: string | null
  readonly createdAtMs: number
}

/** A mini-program runs inside the platform and has nowhere to keep a secret. */
export function mayHoldSecret(appClass: AppClass): boolean {
  return appClass !== 'mini-program'
}
