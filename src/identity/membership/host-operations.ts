import {
  defineOperation,
  idOf,
  type Operation,
  pageInput,
  pageOf,
  pageRequestOf,
  schema,
  toPage,
} from '../../capability/index.ts'
import { limits } from '../../kernel/index.ts'
import type { IdentityDependencies } from '../dependencies.ts'
import { IdentityErrors } from '../errors.ts'
import { deleteHostInvitation } from '../invitation/store.ts'
import { findMerchant } from '../merchant/store.ts'
import * as wire from '../schema.ts'
import { type Admission, admitMember } from './admit-member.ts'
import { deleteMerchantMember, deleteStaffRole, listMerchantMembers, listStaff } from './store.ts'
import { CreatedInvitation, memberOf, toCreatedInvitation, toMember } from './wire.ts'

const AdmittedMember = schema.named(
  'Admission',
  schema.object({
    member: schema.nullable(
      schema.object({
        personId: idOf('person'),
        displayName: wire.displayName,
        role: schema.oneOf(wire.allRoles),
      }),
    ),
    invitation: schema.nullable(CreatedInvitation),
  }),
)

function toAdmission(admission: Admission) {
  if (admission.kind === 'invitation')
    return { member: null, invitation: toCreatedInvitation(admission.invitation) }
  const { personId, displayName, role } = admission
  return { member: { personId, displayName, role }, invitation: null }
}

const admissionText =
  'Answers the member when the host has invited this address before and the person has accepted; otherwise an ' +
  'invitation, whose link the host gives to the person.'

function admitMerchantMember({ publicUrl }: IdentityDependencies): Operation {
  return defineOperation({
    id: 'merchant_member.create',
    summary: 'Make somebody a member of a merchant by email address',
    description: admissionText,
    method: 'POST',
    path: '/host/v1/merchants/{merchantId}/members',
    audience: 'host',
    access: { kind: 'host' },
    kind: 'write',
    status: 201,
    input: schema.object({
      merchantId: idOf('merchant'),
      email: wire.email,
      role: schema.oneOf(wire.merchantRoles),
    }),
    output: AdmittedMember,
    errors: [
      IdentityErrors.merchant_not_found,
      IdentityErrors.too_many_invitations,
      IdentityErrors.too_many_memberships,
    ],
    async handle({ tx, clock, random, input }) {
      const { merchantId, email, role } = input
      if ((await findMerchant(tx, merchantId)) === null) throw IdentityErrors.merchant_not_found()
      const membership = { kind: 'merchant', targetId: merchantId, role } as const
      return toAdmission(await admitMember(tx, { clock, random, publicUrl }, { email, membership }))
    },
  })
}

const MerchantMember = schema.named('MerchantMember', memberOf(wire.merchantRoles))

const listMembers = defineOperation({
  id: 'merchant_member.list',
  summary: 'The members of a merchant',
  method: 'GET',
  path: '/host/v1/merchants/{merchantId}/members',
  audience: 'host',
  access: { kind: 'host' },
  kind: 'read',
  input: schema.object({ merchantId: idOf('merchant'), ...pageInput('person') }),
  output: pageOf(MerchantMember, limits.pageSizeMax),
  errors: [IdentityErrors.merchant_not_found],
  async handle({ queries, input }) {
    if ((await findMerchant(queries, input.merchantId)) === null) throw IdentityErrors.merchant_not_found()
    const rows = await listMerchantMembers(queries, input.merchantId, pageRequestOf(input))
    return toPage(input, rows, {
      cursorOf: ({ person_id }) => person_id,
      toItem: (row) => toMember<wire.MerchantRole>(row),
    })
  },
})

const removeMember = defineOperation({
  id: 'merchant_member.remove',
  summary: 'Remove a member from a merchant at once',
  method: 'DELETE',
  path: '/host/v1/merchants/{merchantId}/members/{personId}',
  audience: 'host',
  access: { kind: 'host' },
  kind: 'write',
  input: schema.object({ merchantId: idOf('merchant'), personId: idOf('person') }),
  output: schema.nothing,
  errors: [IdentityErrors.member_not_found],
  async handle({ tx, input }) {
    const removed = await deleteMerchantMember(tx, input.merchantId, input.personId)
    if (!removed) throw IdentityErrors.member_not_found()
    return undefined
  },
})

const staffRole = schema.oneOf(wire.staffRoles)

function admitStaff({ publicUrl }: IdentityDependencies): Operation {
  return defineOperation({
    id: 'staff.create',
    summary: 'Make somebody a reviewer or operator of the platform',
    description: admissionText,
    method: 'POST',
    path: '/host/v1/staff',
    audience: 'host',
    access: { kind: 'host' },
    kind: 'write',
    status: 201,
    input: schema.object({ email: wire.email, role: staffRole }),
    output: AdmittedMember,
    errors: [IdentityErrors.too_many_invitations],
    async handle({ tx, clock, random, input: { email, role } }) {
      const membership = { kind: 'platform', targetId: null, role } as const
      return toAdmission(await admitMember(tx, { clock, random, publicUrl }, { email, membership }))
    },
  })
}

const StaffMember = schema.named(
  'StaffMember',
  schema.object({
    personId: idOf('person'),
    displayName: wire.displayName,
    email: schema.nullable(wire.email),
    roles: schema.array(staffRole, { maxItems: wire.staffRoles.length }),
  }),
)

const listPlatformStaff = defineOperation({
  id: 'staff.list',
  summary: 'The platform’s own staff',
  method: 'GET',
  path: '/host/v1/staff',
  audience: 'host',
  access: { kind: 'host' },
  kind: 'read',
  input: schema.object(pageInput('person')),
  output: pageOf(StaffMember, limits.pageSizeMax),
  errors: [],
  async handle({ queries, input }) {
    const rows = await listStaff(queries, pageRequestOf(input))
    return toPage(input, rows, {
      cursorOf: ({ person_id }) => person_id,
      toItem: (row) => ({
        personId: row.person_id,
        displayName: row.display_name,
        email: row.email,
        roles: row.roles as wire.StaffRole[],
      }),
    })
  },
})

const removeStaff = defineOperation({
  id: 'staff.remove',
  summary: 'Take a platform role away at once',
  method: 'DELETE',
  path: '/host/v1/staff/{personId}/roles/{role}',
  audience: 'host',
  access: { kind: 'host' },
  kind: 'write',
  input: schema.object({ personId: idOf('person'), role: staffRole }),
  output: schema.nothing,
  errors: [IdentityErrors.member_not_found],
  async handle({ tx, input }) {
    const removed = await deleteStaffRole(tx, input.personId, input.role)
    if (!removed) throw IdentityErrors.member_not_found()
    return undefined
  },
})

const withdrawInvitation = defineOperation({
  id: 'host_invitation.withdraw',
  summary: 'Withdraw an open invitation of the host',
  method: 'DELETE',
  path: '/host/v1/invitations/{invitationId}',
  audience: 'host',
  access: { kind: 'host' },
  kind: 'write',
  input: schema.object({ invitationId: idOf('invitation') }),
  output: schema.nothing,
  errors: [IdentityErrors.invitation_not_found],
  async handle({ tx, input }) {
    const withdrawn = await deleteHostInvitation(tx, input.invitationId)
    if (!withdrawn) throw IdentityErrors.invitation_not_found()
    return undefined
  },
})

/** Members of merchants and the platform's staff, as the host manages them. */
export function hostMemberOperations(deps: IdentityDependencies): readonly Operation[] {
  return [
    admitMerchantMember(deps),
    listMembers,
    removeMember,
    admitStaff(deps),
    listPlatformStaff,
    removeStaff,
    withdrawInvitation,
  ]
}
