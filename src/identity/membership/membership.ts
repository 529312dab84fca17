import type { MerchantRole, PublisherRole, StaffRole } from '../schema.ts'

/** What a person may become a member of, and as what. */
export type Membership =
  | { readonly kind: 'publisher'; readonly targetId: string; readonly role: PublisherRole }
  | { readonly kind: 'merchant'; readonly targetId: string; readonly role: MerchantRole }
  | { readonly kind: 'platform'; readonly targetId: null; readonly role: StaffRole }

/** What the host itself gives. */
export type HostMembership = Exclude<Membership, { readonly kind: 'publisher' }>
