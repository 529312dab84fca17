import type { MerchantRole, StaffRole } from '../schema.ts'

/** What membership of one of the provider's groups gives here. `*` stands for a merchant, in the group's name too. */
export interface GroupRole {
  readonly group: string
  readonly gives:
    | { readonly kind: 'platform'; readonly role: StaffRole }
    | { readonly kind: 'merchant'; readonly merchant: string; readonly role: MerchantRole }
}

/** The host's identity provider, as the operator has named it. */
export interface ProviderSettings {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  /** What people call it. */
  readonly name: string
  readonly scope: string
  readonly groupsClaim: string
  readonly groupRoles: readonly GroupRole[]
  /** Whether a verified address may lead to the account that the host has vouched for by the same address. */
  readonly linkByEmail: boolean
}
